"""From what a model writes to a text that fits at the cursor: hole, stop rules, clean-up."""
