"""JSON-RPC: connections, framing, message checks, dispatch, the process's lifetime."""
