"""The steps of the GPU check: write a random model, compare, time; each prints its results."""

import platform
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median

import onnxruntime
from attrs import frozen

from aide_lsp.bench.speed import SpeedBench, Work
from aide_lsp.convert.architecture import read_architecture
from aide_lsp.convert.head import CANDIDATES
from aide_lsp.convert.manifest import CardFacts, ConvertedModel, write_manifest
from aide_lsp.inference.onnx.model_folder import read_model_folder
from aide_lsp.inference.onnx.session_aide import open_aide_session
from aide_lsp.inference.self_test import keeps_bits
from benchmarks import machine
from benchmarks.gpu import bandwidth as read_speed
from benchmarks.gpu.agreement import TOLERANCE, Graph, SessionGraph, compare, cutting_changes
from benchmarks.gpu.bound_graph import BoundGraph
from benchmarks.gpu.random_model import SHAPES, Shape, random_file, write_random_model

CAPACITY = 2048
PROMPTS = (512, 1024)
PAST = 512
TEXT_FOR_CUTS = 514  # two more than a multiple of the lengths below: the last piece is short
CUTS = (1, 2, 64, 100, 256)
# The first calls of a shape allocate memory and capture CUDA graphs.
WARM_UP = 3


@frozen
class Timed:
    """One row of figures."""

    title: str
    "Its name in the output."
    prepare: Callable[[], Work]
    "Does what is not timed; returns what is."
    operations: int = 1
    "Operations done in one call."


def check_shape(name: str, device: str, bandwidth: float | None, repeats: int) -> bool:
    """Check and time one shape; return whether it agrees with the CPU.

    `bandwidth` is the device's in GB/s; None measures it.
    """
    shape = SHAPES[name]
    ids = [(index * 7919 + 13) % shape.vocab_size for index in range(CAPACITY)]
    with tempfile.TemporaryDirectory(prefix="aide-gpu-check-") as temporary:
        fp16, reference = write_models(name, Path(temporary))
        graph = BoundGraph(fp16, device, CAPACITY)
        for line in (*machine.describe(), *device_lines(graph)):
            print(line)
        good = report_agreement("prompts, single tokens, going back", graph, reference, ids)
        # Only reported: it is the session, not the graph alone, that promises the same bits.
        report_cuts(graph, ids)
        floor = report_floor(2 * shape.parameter_count(), device, bandwidth)
        report_times("graph bound to the device", graph_work(graph, ids), floor, repeats)
        del graph  # frees its memory
        for cuda_graphs in (True, False) if device == "cuda" else (False,):
            # No `and`: every measurement is printed, whatever the earlier ones found.
            good &= report_product(shape, fp16, reference, device, ids, floor, repeats, cuda_graphs)
    return good


def write_models(name: str, folder: Path) -> tuple[Path, Path]:
    """Write the fp16 graph and, of the same weights, the float32 graph; return their folders."""
    started = time.perf_counter()
    folders = folder / "fp16", folder / "float"
    for path in folders:
        write_random_model(SHAPES[name], path.name, path)
    count = SHAPES[name].parameter_count() / 1e6
    seconds = time.perf_counter() - started
    print(f"\nshape {name}: {count:.1f} million random weights, written in {seconds:.0f} s")
    return folders


def device_lines(graph: BoundGraph) -> list[str]:
    """Say which providers the session got, and which nodes run where."""
    lines = [
        f"onnxruntime {onnxruntime.__version__} (Python {platform.python_version()});"
        f" the session got {', '.join(graph.providers)}"
    ]
    for provider, operators in graph.nodes_by_provider().items():
        counts = ", ".join(f"{count} {operator}" for operator, count in operators.most_common())
        lines.append(f"  nodes on {provider}: {counts}")
    return lines


def report_agreement(title: str, graph: Graph, reference: Path, ids: Sequence[int]) -> bool:
    """Compare with the float32 graph on the CPU; print and return whether they agree."""
    found = compare(graph, BoundGraph(reference, "cpu", CAPACITY), ids)
    print(
        f"compared with float32 on the CPU ({title}): same choice at {found.same} of {found.rows} positions"
        f" ({found.excused} of the others within {TOLERANCE}); largest difference of a logit"
        f" {found.largest:.4f}, allowed {TOLERANCE}: {'agrees' if found.holds else 'DOES NOT AGREE'}"
    )
    return found.holds


def report_cuts(graph: BoundGraph, ids: Sequence[int]) -> None:
    """Print whether the last logits of a text depend on how it was cut into forwards."""
    changes = cutting_changes(graph, ids[:TEXT_FOR_CUTS], CUTS).items()
    words = [f"{length} rows {f'{change:.4f}' if change else 'same bits'}" for length, change in changes]
    print(
        f"logits after {TEXT_FOR_CUTS} tokens, in pieces, compared with a single forward: {', '.join(words)}"
    )


def report_floor(weight_bytes: int, device: str, bandwidth: float | None) -> float:
    """Print and return the seconds that reading all weights once takes."""
    rate = bandwidth * 1e9 if bandwidth else read_speed.measure(device)
    floor = weight_bytes / rate
    print(
        f"floor of a forward: {weight_bytes / 1e6:.0f} MB of weights at {rate / 1e9:.0f} GB/s"
        f" ({'given' if bandwidth else 'measured'}) = {floor * 1e3:.3f} ms"
    )
    return floor


def report_times(title: str, rows: list[Timed], floor: float, repeats: int) -> None:
    """Time each row and print it with the floor."""
    print(f"{title}:")
    for row in rows:
        seconds = take(row, repeats)
        print(f"  {row.title:<28} {seconds * 1e3:9.3f} ms   {seconds / floor:7.1f} x floor")


def take(row: Timed, repeats: int) -> float:
    """Return the median seconds of one operation."""
    times = []
    for _ in range(WARM_UP + repeats):
        work = row.prepare()
        started = time.perf_counter()
        work()
        times.append((time.perf_counter() - started) / row.operations)
    return median(times[WARM_UP:])


def graph_work(graph: BoundGraph, ids: Sequence[int]) -> list[Timed]:
    """Return what is timed on a graph: ids go to the device, candidates come back."""

    def run(past: int, count: int) -> Callable[[], Work]:
        return lambda: lambda: run_last(graph, ids, past, count)

    rows = [Timed(f"first token, prompt of {length}", run(0, length)) for length in PROMPTS]
    return [
        *rows,
        Timed(f"each token after {PAST}", run(PAST, 1)),
        Timed(f"+8 tokens, {PAST} cached", run(PAST, 8)),
    ]


def run_last(graph: BoundGraph, ids: Sequence[int], past: int, count: int) -> None:
    """Run `count` ids after `past` in one forward, for the candidates of the last."""
    graph.forward(ids[past : past + count], past, [count - 1])


def report_product(
    shape: Shape,
    folder: Path,
    reference: Path,
    device: str,
    ids: Sequence[int],
    floor: float,
    repeats: int,
    cuda_graphs: bool,
) -> bool:
    """Compare and time what every completion runs: the language server's session and its loop."""
    architecture = read_architecture(random_file(shape))
    facts = ConvertedModel("fp16", architecture, "float16", min(CANDIDATES, shape.vocab_size), [])
    write_manifest(folder, CardFacts("random", None, [], ""), facts)
    session = open_aide_session(folder, read_model_folder(folder), device, 0, 0, cuda_graphs=cuda_graphs)
    name = "Aide's own session"
    if device == "cuda":
        name += ", with CUDA graphs" if cuda_graphs else ", without CUDA graphs"
    good = report_agreement(name, SessionGraph(session), reference, ids)
    same = keeps_bits(session)
    bits = "same bits" if same else "OTHER BITS"
    print(f"{name}: {bits} from a cold and a warm cache and in larger buffers")
    bench = SpeedBench(session, ids)
    rows = [Timed(f"first token, prompt of {n}", partial(bench.prefill, n)) for n in PROMPTS]
    rows.append(Timed(f"each token after {PAST}", partial(bench.decode, PAST, 32), 32))
    rows.append(Timed(f"+8 tokens, {PAST} cached", partial(bench.extend, PAST, 8, 8), 8))
    note = f" ({session.provider_note})" if session.provider_note else ""
    report_times(f"{name} on {session.provider.upper()}{note}", rows, floor, repeats)
    return good and same
