"""Builds llama.cpp's own server from the sources that come with llama-cpp-python, for the processor at hand.

In: a folder to build in. Out: the path of the program, on stdout. The version is the one in requirements.txt,
so that both benchmarks compare with the same llama.cpp. Needs cmake and a C++ compiler; some 15 minutes on
two cores. It does not know what the server is for.

    python benchmarks/llama_cpp/build_server.py ../llama-server
"""

import argparse
import os
import subprocess
import sys
import tarfile
from pathlib import Path

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
# As whoever cares for speed would build it. Nothing is fetched: neither a web page to serve nor models.
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
    """Build; print where the program is."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, help="folder to build in; some 500 MB")
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, help="compilers at a time [one a core]"
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
    """Return llama.cpp's sources; fetch and unpack them first where needed."""
    found = sorted(folder.glob("llama_cpp_python-*/vendor/llama.cpp"))
    if found:
        return found[0]
    # Metadata of a source distribution is asked of its build tool, which pip fetches too.
    only = ("--no-binary", "llama-cpp-python", "--no-deps", "-r", str(REQUIREMENTS), "-d", str(folder))
    run(sys.executable, "-m", "pip", "download", "-q", *only)
    archive = sorted(folder.glob("llama_cpp_python-*.tar.gz"))[0]
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    return next(folder.glob("llama_cpp_python-*/vendor/llama.cpp"))


def run(*command: str) -> None:
    """Run a command; what it says goes to stderr, so that stdout holds the path alone."""
    subprocess.run(command, check=True, stdout=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
