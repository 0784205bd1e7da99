"""One engine for several editors: its protocol, and the client that joins it or starts it."""
