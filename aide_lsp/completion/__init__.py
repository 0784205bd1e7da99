"""Source text in, text to insert out: window, prompt, generation, completion cache."""
