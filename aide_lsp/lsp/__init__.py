"""Speaks LSP. The only importer of pygls and lsprotocol; it does not know how a completion is made."""
