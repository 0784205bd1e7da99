"""Aide as an engine: a converted model, opened and run as the language server does it."""

from importlib.metadata import version
from pathlib import Path

from aide_lsp import __version__
from aide_lsp.bench.speed import SpeedBench
from benchmarks.llama_cpp.worker import Work, serve


class Aide:
    """One model folder."""

    bench: SpeedBench

    def versions(self) -> dict[str, str]:
        """Return the versions of Aide and of the runtime."""
        import onnxruntime

        return {"aide": __version__, "onnxruntime": onnxruntime.__version__, "numpy": version("numpy")}

    def load(self, model: str, ids: list[int], threads: int) -> Work:
        """Open a model folder (see `worker.Engine.load`)."""
        import onnxruntime  # noqa: F401 - not part of the loading time, no more than llama.cpp's import

        from aide_lsp.inference.onnx.open import open_session

        def work() -> None:
            self.bench = SpeedBench(open_session(Path(model), "cpu", threads), ids)

        return work

    def prefill(self, tokens: int) -> Work:
        """See `worker.Engine.prefill`."""
        return self.bench.prefill(tokens)

    def decode(self, past: int, count: int) -> Work:
        """See `worker.Engine.decode`."""
        return self.bench.decode(past, count)

    def extend(self, past: int, tokens: int, repeat: int) -> Work:
        """See `worker.Engine.extend`."""
        return self.bench.extend(past, tokens, repeat)


if __name__ == "__main__":
    serve(Aide())
