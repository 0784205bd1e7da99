"""ONNX Runtime: which providers are available, sessions on it, and forwards that a cancel token can end."""

import contextlib
import ctypes
import importlib.util
import os
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import frozen

from aide_lsp.errors import MemoryShortError, ModelFilesError, SessionError
from aide_lsp.inference.cancel import Cancelled, CancelToken
from aide_lsp.inference.runtime_errors import first_line, is_memory_short, session_error

if TYPE_CHECKING:
    import onnxruntime

DISTRIBUTIONS = ("onnxruntime", "onnxruntime-gpu")
_EXECUTION_PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
_ERRORS_ONLY = 3
SPIN_MICROSECONDS = "8"
"""Most operators follow within it; with 20, a token takes a tenth longer while another program computes."""


@frozen
class Loaded:
    """A graph in the runtime."""

    session: "onnxruntime.InferenceSession"
    "The runtime's own session."
    provider: str
    "`cpu` or `cuda`, as reported by the runtime."
    note: str | None
    "Why it is not the requested provider; None if it is."
    cuda_graphs: bool = False
    "Whether forwards can be captured as CUDA graphs."


def load(path: Path, provider: str, threads: int, *, cuda_graphs: bool = False) -> Loaded:
    """Load a graph on `provider` (`cpu` or `cuda`), or on the CPU with a note if CUDA is not available.

    With `cuda_graphs`, on CUDA the runtime captures the forwards for which `run` gets a number.

    Raises:
        ModelFilesError: the file is missing.
        MemoryShortError: there was not enough memory.
        SessionError: the runtime cannot load it.
    """
    problem = cuda_problem() if provider == "cuda" else None
    session = _create(path, "cpu" if problem else provider, threads, cuda_graphs)
    # If CUDA does not start, the runtime takes the CPU without an error.
    got = "cuda" if _EXECUTION_PROVIDERS["cuda"] in session.get_providers() else "cpu"
    if got != provider and problem is None:
        problem = "the runtime could not start CUDA; its libraries may be missing or too old"
    note = f"Running on the CPU: {problem}." if problem else None
    return Loaded(session, got, note, cuda_graphs and got == "cuda")


def import_runtime() -> None:
    """Import the runtime ahead of the first session; it takes a moment."""
    import onnxruntime  # noqa: F401


def installed_runtimes() -> dict[str, str]:
    """Return the installed distributions of the runtime with their versions, without importing it.

    There should be exactly one: both contain the same package.
    """
    found = {}
    for name in DISTRIBUTIONS:
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def offered_providers() -> list[str]:
    """Return what this build of the runtime supports, whether or not the machine has it."""
    import onnxruntime

    return [name.removesuffix("ExecutionProvider") for name in onnxruntime.get_available_providers()]


def cuda_problem() -> str | None:
    """Return why CUDA cannot be used here; None if no problem is known."""
    import onnxruntime

    if _EXECUTION_PROVIDERS["cuda"] not in onnxruntime.get_available_providers():
        return "this build of ONNX Runtime has no CUDA support"
    return _device_problem()


def thread_count(threads: int) -> int:
    """Return `threads`, or for 0 the number of physical cores that this process may use.

    A second thread on a core would share its arithmetic units and only make forwards slower.
    """
    if threads > 0:
        return threads
    import psutil

    # Containers and `taskset` may allow fewer processors than the machine has.
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    # Some systems do not say how many physical cores there are.
    return max(1, min(psutil.cpu_count(logical=False) or usable, usable))


def run(session: Any, binding: Any, cancel: CancelToken, cuda_graph: int | None = None) -> None:
    """Run a bound forward; `cancel` ends it between two operators.

    `cuda_graph` is for sessions that capture: the number of the forward's CUDA graph; below 0: it has none. A
    graph is always captured and replayed completely, even if it is canceled meanwhile.

    Raises:
        Cancelled: it was canceled before or while it ran.
        MemoryShortError: there was not enough memory.
        BrokenSessionError: the runtime failed otherwise.
    """
    import onnxruntime

    # New ones each time: terminated RunOptions end every later run.
    options = onnxruntime.RunOptions()

    captured = cuda_graph is not None and cuda_graph >= 0
    if cuda_graph is not None:
        options.add_run_config_entry("gpu_graph_id", str(cuda_graph))

    def stop() -> None:
        # Ending a capture halfway would leave the stream in an undefined state.
        options.terminate = not captured

    try:
        with cancel.watch(stop):
            # When a call returns, a copy to or from the device may still be running on another stream.
            # On the CPU these waits take less than a microsecond.
            binding.synchronize_inputs()
            session.run_with_iobinding(binding, options)
            binding.synchronize_outputs()
    except Cancelled:
        raise
    except Exception as error:
        if cancel.cancelled:
            raise Cancelled from None
        raise session_error(error) from error


def _create(path: Path, provider: str, threads: int, cuda_graphs: bool) -> "onnxruntime.InferenceSession":
    import onnxruntime

    if not path.is_file():
        raise ModelFilesError(f"{path} is missing. Convert the model again.")
    names: list[Any] = [_EXECUTION_PROVIDERS[provider]]
    if provider == "cuda":
        names = [(names[0], {"enable_cuda_graph": str(int(cuda_graphs))}), _EXECUTION_PROVIDERS["cpu"]]
        _preload_libraries()
    try:
        return onnxruntime.InferenceSession(str(path), _options(threads), providers=names)
    except Exception as error:
        if is_memory_short(error):
            raise MemoryShortError(
                "There is not enough memory to load the model. Close other programs, or choose a smaller one."
            ) from error
        raise SessionError(
            f"ONNX Runtime {onnxruntime.__version__} cannot load {path}: {first_line(error)}"
        ) from error


def _options(threads: int) -> "onnxruntime.SessionOptions":
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = thread_count(threads)
    # Operators run one after the other, the runtime's default: a second pool would have nothing to do.
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    # Spinning until the next operator saves 5 % of a token. Only briefly: on a busy machine it takes the
    # processor from the very thread that it waits for. Between forwards no thread spins.
    options.add_session_config_entry("session.intra_op.allow_spinning", "1")
    options.add_session_config_entry("session.intra_op.spin_duration_us", SPIN_MICROSECONDS)
    options.add_session_config_entry("session.force_spinning_stop", "1")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    # The arena would keep the memory of the largest prefill forever.
    options.enable_cpu_mem_arena = False
    return options


def _device_problem() -> str | None:
    """Ask the driver itself: the runtime would fail later, with many messages."""
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return "no NVIDIA driver was found"
    count = ctypes.c_int(0)
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
        return "the NVIDIA driver does not start"
    return None if count.value else "there is no CUDA device"


def _preload_libraries() -> None:
    """Load the CUDA libraries that are installed as Python packages, if there are any."""
    import onnxruntime

    # Without these packages there is nothing to load, and `preload_dlls` prints a failure for each library.
    if importlib.util.find_spec("nvidia") is not None:
        with _stdout_as_stderr():
            onnxruntime.preload_dlls()


@contextlib.contextmanager
def _stdout_as_stderr() -> Iterator[None]:
    """Redirect file descriptor 1 to stderr: `preload_dlls` prints, and stdout may carry a protocol."""
    # What was printed before belongs to stdout.
    sys.stdout.flush()
    kept = os.dup(1)
    try:
        os.dup2(2, 1)
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
