"""The language server: documents, the client's settings, handlers, status.

Only this package and its subpackages import pygls and lsprotocol.
"""
