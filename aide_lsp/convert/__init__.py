"""GGUF in, ONNX out: converts a model file into a model folder."""
