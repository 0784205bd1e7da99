"""Where Aide listens: sockets that only their owner can reach."""
