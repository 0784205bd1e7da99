"""What decoders are made of: facts about each architecture, and the mathematics of positions."""
