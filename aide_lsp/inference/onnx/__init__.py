"""ONNX Runtime: the only package that imports it, other than `convert`."""
