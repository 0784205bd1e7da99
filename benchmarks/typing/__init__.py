"""How well a server keeps up with typing."""
