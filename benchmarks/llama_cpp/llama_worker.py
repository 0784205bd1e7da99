"""llama.cpp as an engine, through the C interface of llama-cpp-python.

The loop is llama.cpp's own (decode, greedy sampler): Python handles nothing per token but the token itself.
This process's Python needs only llama-cpp-python.
"""

import ctypes
from importlib.metadata import version

import llama_cpp as lib

from benchmarks.llama_cpp.worker import Work, serve

CONTEXT = 4096
BATCH = 512  # llama.cpp's default


class Llama:
    """One model with one context."""

    def versions(self) -> dict[str, str]:
        """Return the version and the instruction sets that the build uses."""
        return {
            "llama-cpp-python": version("llama-cpp-python"),
            "features": lib.llama_print_system_info().decode().strip(),
        }

    def load(self, model: str, ids: list[int], threads: int) -> Work:
        """Open a GGUF file (see `worker.Engine.load`)."""
        self.ids = ids
        lib.llama_backend_init()
        return lambda: self._open(model, threads)

    def prefill(self, tokens: int) -> Work:
        """See `worker.Engine.prefill`."""
        self._trim(0)
        return lambda: self._fill(tokens)

    def decode(self, past: int, count: int) -> Work:
        """See `worker.Engine.decode`."""
        self._warm(past)
        self._trim(past - 1)
        # Runs the last id again, because the logits of a cached one are gone; not timed.
        first = self._next(self.ids[past - 1 : past])
        self.cached = past
        return lambda: self._generate(first, count)

    def extend(self, past: int, tokens: int, repeat: int) -> Work:
        """See `worker.Engine.extend`."""
        self._warm(past)
        added = self.ids[past : past + tokens]

        def work() -> None:
            for _ in range(repeat):
                self._trim(past)
                self._next(added)

        return work

    def _open(self, path: str, threads: int) -> None:
        self.model = lib.llama_model_load_from_file(path.encode(), lib.llama_model_default_params())
        settings = lib.llama_context_default_params()
        settings.n_ctx, settings.n_batch, settings.n_ubatch = CONTEXT, BATCH, BATCH
        settings.n_threads = settings.n_threads_batch = threads
        self.context = lib.llama_init_from_model(self.model, settings)
        if not self.context:
            raise RuntimeError(f"llama.cpp cannot open {path}")
        self.sampler = lib.llama_sampler_init_greedy()
        self.memory = lib.llama_get_memory(self.context)
        self.cached = 0  # how many of `ids` are cached; generated tokens after them do not count

    def _warm(self, past: int) -> None:
        """Make exactly `past` ids cached."""
        if self.cached < past:
            self._trim(0)
            self._fill(past)
        self._trim(past)

    def _fill(self, tokens: int) -> None:
        self._next(self.ids[:tokens])
        self.cached = tokens

    def _trim(self, length: int) -> None:
        lib.llama_memory_seq_rm(self.memory, 0, length, -1)
        self.cached = min(self.cached, length)

    def _generate(self, token: int, count: int) -> None:
        for _ in range(count):
            token = self._next([token])

    def _next(self, ids: list[int]) -> int:
        """Run `ids` after what is cached; return the most likely token."""
        for start in range(0, len(ids), BATCH):
            part = ids[start : start + BATCH]
            tokens = (ctypes.c_int32 * len(part))(*part)  # the batch only points at it
            if lib.llama_decode(self.context, lib.llama_batch_get_one(tokens, len(part))):
                raise RuntimeError("llama_decode failed")
        return int(lib.llama_sampler_sample(self.sampler, self.context, -1))


if __name__ == "__main__":
    serve(Llama())
