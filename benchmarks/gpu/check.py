"""Runs the fp16 graph on CUDA with random weights in real shapes: is it correct, and how close to the floor?

Correct: the logits are those of the float32 graph of the same weights on the CPU, for a prompt, for single
tokens, for several tokens on a warm cache and after going back; in the language server's session they also
have the same bits from a cold and a warm cache, in larger buffers and with drafts. Close to the floor: the
time to the first token and for each further one, compared with the time that reading the weights once takes.
Random weights attend to everything alike, so attention is tested less than matrix products.
"""

import argparse
import functools
import sys

EPILOG = """\
Needs Python 3.11 or newer with NumPy, onnx, attrs, psutil and onnxruntime-gpu, this repository as the
current folder, and about 6 bytes of disk for each weight (0.5b: 3 GB, 1.5b: 10 GB). No network, no model.
CUDA's libraries may come from Python packages anywhere on the path, such as PyTorch's.
Exit status: 0: CUDA agrees with the CPU. 1: it does not, or a device exists but cannot be used.
77: there is no CUDA device, and this program only checked itself, on the CPU with a tiny model."""

NO_DEVICE = 77  # what many test drivers take for "skipped"


def main(arguments: list[str] | None = None) -> int:
    """Run the check and return the exit status."""
    options = parse(arguments)
    # Imported here: `--help` must work where something is still missing.
    from aide_lsp.inference.onnx.runtime import cuda_problem
    from benchmarks.gpu import cuda_libraries
    from benchmarks.gpu.steps import check_shape

    check = functools.partial(
        check_shape,
        bandwidth=options.bandwidth,
        repeats=options.repeats,
    )
    problem = "the CPU was requested" if options.cpu else cuda_problem()
    if problem:
        print(f"No CUDA device is used: {problem}. This program checks itself on the CPU, with a tiny")
        print("model; that says nothing about CUDA.\n")
        good = check("tiny", "cpu")
        print(f"\nThis program {'works' if good else 'FAILS'} on the CPU; CUDA was not tested.")
        return NO_DEVICE if good else 1
    for file in cuda_libraries.preload():
        print(f"loaded {file}")
    results = [check(name, "cuda") for name in options.shape or ["0.5b"]]
    print("\nCUDA agrees with the CPU." if all(results) else "\nCUDA does NOT agree with the CPU.")
    return 0 if all(results) else 1


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gpu.check",
        description=str(__doc__).split("\n\n")[0],
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--shape", action="append", choices=["tiny", "0.5b", "1.5b"], help="may be repeated [0.5b]")
    add("--bandwidth", type=float, metavar="GB/s", help="the device's bandwidth, for the floor [measured]")
    add("--repeats", type=int, default=20, help="repetitions of each timing [20]")
    add("--cpu", action="store_true", help="only check this program on the CPU, even if there is a device")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
