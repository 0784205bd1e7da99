"""Source text in, text to insert out: window, prompt, stop rules, clean-up, completion cache."""
