"""Knows source text: window, prompt, stop rules, clean-up. It does not know LSP, ONNX or where models lie."""
