"""Runs the fp16 graph on CUDA with random weights in real shapes: is it right, and how near the floor?

In: names of shapes. Out: figures on stdout. Right: the logits are those of the float32 graph of the same
weights on the CPU, for a prompt, for single tokens, for some tokens on a warm cache and after going back; in
the language server's session they are also the same bits from a cold and a warm cache, in larger buffers and
as drafts. Near the floor: time for the first token and for each further one, beside the time that reading the
weights once takes. It does not know real models; random weights attend to everything alike.
"""

import argparse
import functools
import sys

EPILOG = """\
Needs Python 3.11 or newer with NumPy, onnx, attrs, psutil and onnxruntime-gpu, this repository as the
current folder, and about 6 bytes of disk for each weight (0.5b: 3 GB, 1.5b: 10 GB). No network, no model.
CUDA's libraries may be those of Python packages anywhere on the path, PyTorch's among them.
Exit status: 0 CUDA agrees with the CPU; 1 it does not, or could not be used although there is a device;
77 there is no CUDA device, and only this program was checked, on the CPU with a tiny model."""

NO_DEVICE = 77  # what many test drivers take for "skipped"


def main(arguments: list[str] | None = None) -> int:
    """Run the check and return the exit status."""
    options = parse(arguments)
    # Imported here: `--help` must work where something is missing yet.
    from aide_lsp.inference.onnx.runtime import cuda_problem
    from benchmarks.gpu import cuda_libraries
    from benchmarks.gpu.steps import check_shape

    check = functools.partial(
        check_shape,
        bandwidth=options.bandwidth,
        repeats=options.repeats,
    )
    problem = "the CPU was asked for" if options.cpu else cuda_problem()
    if problem:
        print(f"No CUDA device is used: {problem}. What follows checks this program itself on the CPU, with")
        print("a tiny model; it says nothing about CUDA.\n")
        good = check("tiny", "cpu")
        print(f"\nThis program {'works' if good else 'FAILS'} on the CPU; CUDA was not tried.")
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
    add("--bandwidth", type=float, metavar="GB/s", help="the device's, for the floor [measured]")
    add("--repeats", type=int, default=20, help="times each figure is taken [20]")
    add("--cpu", action="store_true", help="only the self check on the CPU, also where there is a device")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
