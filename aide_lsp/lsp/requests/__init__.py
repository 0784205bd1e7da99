"""From a position in a document to a completion: snapshots, scheduling, prefetch, status."""
