"""Models on ONNX Runtime: only this package and `convert` import it."""
