"""From what a model generates to a text that fits at the cursor: hole, stop rules, clean-up."""
