"""Builds llama.cpp's own server from the sources in llama-cpp-python, for this machine's processor.

The version is the one in requirements.txt, so that both benchmarks compare with the same llama.cpp. Needs
cmake and a C++ compiler; takes about 15 minutes on two cores. Prints the path of the program.

    python -m benchmarks.llama_cpp.build_server ../llama-server
"""

import argparse
import os
import subprocess
import sys
import tarfile
from pathlib import Path

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
# Built for speed. Nothing is downloaded: neither a web page to serve nor models.
OPTIONS = {
    "CMAKE_BUILD_TYPE": "Release",
    "GGML_NATIVE": "ON",
    "BUILD_SHARED_LIBS": "OFF",
    "LLAMA_OPENSSL": "OFF",
    "LLAMA_CURL": "OFF",
    "LLAMA_BUILD_UI": "OFF",
    "LLAMA_USE_PREBUILT_UI": "OFF",
    "LLAMA_BUILD_TESTS": "OFF",
    "LLAMA_BUILD_EXAMPLES": "OFF",
    "LLAMA_BUILD_APP": "OFF",
}


def main(arguments: list[str] | None = None) -> int:
    """Build, and print the path of the program."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.llama_cpp.build_server", description=__doc__.split("\n")[0]
    )
    parser.add_argument("folder", type=Path, help="folder to build in (500 MB)")
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, help="parallel compilers [one per core]"
    )
    options = parser.parse_args(arguments)
    folder = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    source = sources(folder)
    defined = [f"-D{name}={value}" for name, value in OPTIONS.items()]
    run("cmake", "-S", str(source), "-B", str(folder / "build"), *defined)
    run("cmake", "--build", str(folder / "build"), "--target", "llama-server", "-j", str(options.jobs))
    print(folder / "build" / "bin" / "llama-server")
    return 0


def sources(folder: Path) -> Path:
    """Return the folder of llama.cpp's sources; download and unpack them if needed."""
    found = sorted(folder.glob("llama_cpp_python-*/vendor/llama.cpp"))
    if found:
        return found[0]
    # pip also downloads the build tool of the source distribution, to ask it for metadata.
    only = ("--no-binary", "llama-cpp-python", "--no-deps", "-r", str(REQUIREMENTS), "-d", str(folder))
    run(sys.executable, "-m", "pip", "download", "-q", *only)
    archive = sorted(folder.glob("llama_cpp_python-*.tar.gz"))[0]
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    return next(folder.glob("llama_cpp_python-*/vendor/llama.cpp"))


def run(*command: str) -> None:
    """Run a command with its output on stderr, so that stdout holds the path alone."""
    subprocess.run(command, check=True, stdout=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
