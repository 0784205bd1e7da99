"""Providers, threads, and how a forward ends when it fails or is canceled."""

import sys
import threading
import time
from types import SimpleNamespace

import pytest

from aide_lsp.errors import BrokenSessionError, MemoryShortError
from aide_lsp.inference.cancel import Cancelled, CancelToken
from aide_lsp.inference.onnx import runtime as session_runtime
from aide_lsp.inference.onnx.open import choose_provider, open_session
from tests.inference.onnx.exported_decoder import write_export
from tests.patience import PATIENCE

BINDING = SimpleNamespace(synchronize_inputs=lambda: None, synchronize_outputs=lambda: None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("export")
    write_export(path)
    return path


def test_open_when_cuda_is_not_available_then_runs_on_the_cpu_and_says_why(folder, monkeypatch, capfd):
    monkeypatch.setattr(session_runtime, "_device_problem", lambda: "no NVIDIA driver was found")
    session = open_session(folder, "cuda", 1)
    assert session.provider == "cpu"
    assert session.provider_note in (
        "Running on the CPU: no NVIDIA driver was found.",
        "Running on the CPU: this build of ONNX Runtime has no CUDA support.",
    )
    assert capfd.readouterr() == ("", "")


def test_open_when_the_runtime_drops_cuda_then_says_so(folder, monkeypatch):
    """What counts is what the runtime says after it has started, not what was asked for."""
    monkeypatch.setattr(session_runtime, "cuda_problem", lambda: None)
    monkeypatch.setattr(session_runtime, "_preload_libraries", lambda: None)
    monkeypatch.setitem(session_runtime._EXECUTION_PROVIDERS, "cuda", "NoSuchExecutionProvider")
    with pytest.warns(UserWarning, match="NoSuchExecutionProvider"):
        session = open_session(folder, "cuda", 1)
    assert session.provider == "cpu"
    assert "the runtime could not start CUDA" in session.provider_note


def test_open_when_the_cpu_is_requested_then_there_is_no_note(folder):
    session = open_session(folder, "cpu", 1)
    assert (session.provider, session.provider_note) == ("cpu", None)


def test_threads_when_nothing_runs_then_take_no_processor_time(folder):
    """They wait awake within a forward; one that went on would keep an idle editor's machine warm."""
    session = open_session(folder, "cpu", 2)
    session.forward([1] * 64, 0, [63], CancelToken())
    before = time.process_time()
    time.sleep(0.5)
    assert time.process_time() - before < 0.25  # one that spins takes twice that


@pytest.mark.parametrize(
    ("asked", "recipe", "problem", "chosen"),
    [
        ("auto", "exact", None, "cpu"),
        ("auto", "fast", None, "cpu"),
        ("auto", "int4", None, "cpu"),
        ("auto", "int4_fp16", None, "cuda"),
        ("auto", "fp16", "no device", "cuda"),
        ("auto", "imported", "no device", "cpu"),
        ("auto", "imported", None, "cuda"),
        ("cuda", "exact", None, "cuda"),
        ("cpu", "fp16", None, "cpu"),
    ],
)
def test_choose_provider_when_auto_then_goes_by_recipe_and_device(
    monkeypatch, asked, recipe, problem, chosen
):
    monkeypatch.setattr("aide_lsp.inference.onnx.open.cuda_problem", lambda: problem)
    assert choose_provider(asked, recipe) == chosen


@pytest.mark.parametrize(
    ("driver", "words"),
    [
        (SimpleNamespace(cuInit=lambda _: 100, cuDeviceGetCount=lambda _: 0), "does not start"),
        (SimpleNamespace(cuInit=lambda _: 0, cuDeviceGetCount=lambda _: 0), "no CUDA device"),
    ],
)
def test_device_problem_when_the_driver_has_no_device_then_says_it_in_words(monkeypatch, driver, words):
    monkeypatch.setattr(session_runtime.ctypes, "CDLL", lambda _: driver)
    assert words in session_runtime._device_problem()


def test_stdout_when_libraries_print_then_stays_clean(capfd):
    """Both through Python and through the file descriptor."""
    with session_runtime._stdout_as_stderr():
        print("Failed to load a library")
        sys.__stdout__.flush()
        session_runtime.os.write(1, b"from C\n")
    session_runtime.os.write(1, b"after\n")
    out, err = capfd.readouterr()
    assert out == "after\n"
    assert "from C" in err
    assert "Failed to load" in err


def test_thread_count_when_zero_then_is_at_most_the_cores_of_this_process():
    assert session_runtime.thread_count(3) == 3
    assert 1 <= session_runtime.thread_count(0) <= (session_runtime.os.cpu_count() or 1)


class Runtime:
    """Stands in for the runtime's session: runs until it is terminated, or fails."""

    def __init__(self, error=None):
        self.error, self.running = error, threading.Event()

    def run_with_iobinding(self, _, options):
        self.running.set()
        if self.error:
            raise self.error
        for _ in range(3000):
            if options.terminate:
                raise RuntimeError("Exiting due to terminate flag being set to true.")
            threading.Event().wait(0.01)
        raise AssertionError("was never terminated")


def test_run_when_cancelled_from_another_thread_then_is_terminated():
    runtime, cancel = Runtime(), CancelToken()

    def cancel_when_running():
        runtime.running.wait(PATIENCE)
        cancel.cancel()

    thread = threading.Thread(target=cancel_when_running)
    thread.start()
    with pytest.raises(Cancelled):
        session_runtime.run(runtime, BINDING, cancel)
    thread.join()


def test_run_when_the_runtime_fails_then_gives_its_first_line():
    with pytest.raises(BrokenSessionError, match=r"could not be run: illegal access$"):
        session_runtime.run(Runtime(RuntimeError("illegal access\nstack ...")), BINDING, CancelToken())


@pytest.mark.parametrize(
    "said",
    [
        "std::bad_alloc",
        "bad allocation",
        "CUDA failure 2: out of memory ; GPU=0",
        "Failed to allocate memory for requested buffer of size 786432",
        "CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED",
    ],
)
def test_run_when_the_runtime_has_no_memory_then_says_so(said):
    with pytest.raises(MemoryShortError, match="not enough memory"):
        session_runtime.run(Runtime(RuntimeError(said)), BINDING, CancelToken())


def test_cancel_token_when_the_work_is_over_then_stops_nothing():
    cancel, stopped = CancelToken(), []
    with cancel.watch(lambda: stopped.append(1)):
        pass
    cancel.cancel()
    assert stopped == []
    assert cancel.cancelled
    with pytest.raises(Cancelled):
        cancel.check()
