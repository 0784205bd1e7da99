"""The team server: replicas of one engine on Ray Serve, on one machine or on many."""
