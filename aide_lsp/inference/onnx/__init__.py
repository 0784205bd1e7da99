"""Models on ONNX Runtime: only this package, `convert` and `bench` import it."""
