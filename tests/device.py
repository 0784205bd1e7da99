"""A stand-in for a CUDA device on a machine without one: the runtime's CPU kernels with CUDA's memory rules.

- An input of the host's is copied to the device when it is bound, and never again.
- The first run of a forward with a number captures it; later ones read and write the places of that run, and
  see what the host held then.
"""

import numpy as np
from attrs import evolve
from onnxruntime import OrtValue

from aide_lsp.inference.onnx import session_aide
from aide_lsp.inference.onnx.model_folder import read_model_folder
from aide_lsp.inference.onnx.runtime import load

ON_HOST = ("total_sequence_length",)
"""Inputs that kernels want in the host's memory."""


class Binding:
    """An IOBinding of the device."""

    def __init__(self):
        self.inputs, self.outputs = {}, {}

    def bind_ortvalue_input(self, name, value):
        on_host = getattr(value, "device", "cpu") == "cpu"
        self.inputs[name] = value if on_host == (name in ON_HOST) else host_copy(value)

    def bind_ortvalue_output(self, name, value):
        assert value.device == "cuda", f"{name} would leave the device"
        self.outputs[name] = value

    def synchronize_inputs(self):
        pass

    def synchronize_outputs(self):
        pass


class DeviceSession:
    """A session of the runtime on the device."""

    def __init__(self, session):
        self._session = session
        self.graphs = {}
        """What was captured, by number."""
        self.launches = []
        """The number of each run; None where no number was given."""

    def io_binding(self):
        return Binding()

    def run_with_iobinding(self, binding, options):
        number = wanted_graph(options)
        self.launches.append(number)
        inputs, outputs = binding.inputs, binding.outputs
        if number is not None and number >= 0:
            frozen = {name: host_copy(inputs[name]) for name in ON_HOST}
            inputs, outputs = self.graphs.setdefault(number, (inputs | frozen, dict(outputs)))
        real = self._session.io_binding()
        for name, value in inputs.items():
            real.bind_ortvalue_input(name, value)
        for name, value in outputs.items():
            real.bind_ortvalue_output(name, value)
        self._session.run_with_iobinding(real, options)


def wanted_graph(options):
    try:
        return int(options.get_run_config_entry("gpu_graph_id"))
    except RuntimeError:  # no number was given
        return None


def host_copy(value):
    return OrtValue.ortvalue_from_numpy(np.array(value.numpy()), "cpu", 0)


def lend_device(monkeypatch):
    """Let sessions that ask for CUDA get the device."""
    make = OrtValue.ortvalue_from_numpy

    def value(array, device="cpu", device_id=0):
        made = make(np.array(array) if device == "cuda" else array, "cpu", 0)
        made.device = device
        return made

    def load_on_device(path, provider, threads, *, cuda_graphs=False):
        loaded = load(path, "cpu", threads)
        if provider == "cpu" or path.name.startswith("head"):
            return loaded
        session = DeviceSession(loaded.session)
        return evolve(loaded, session=session, provider="cuda", cuda_graphs=cuda_graphs)

    monkeypatch.setattr(OrtValue, "ortvalue_from_numpy", staticmethod(value))
    monkeypatch.setattr(session_aide, "load", load_on_device)


def open_on_device(folder, *, capacity=0, cuda_graphs=True):
    info = read_model_folder(folder)
    return session_aide.open_aide_session(folder, info, "cuda", 2, capacity, cuda_graphs=cuda_graphs)
