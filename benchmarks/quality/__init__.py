"""How often a completion is right."""
