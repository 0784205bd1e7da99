"""The client's workspace: folders, documents, positions, and the settings that the client sends."""
