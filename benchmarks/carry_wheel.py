"""Carries a large wheel where only small files pass: splits it into pieces, and joins them again.

In: a wheel, or a folder with its pieces. Out: pieces with a list of their sums, or the wheel, the same
byte for byte or an error. Standard library only, one file: it can travel alone. It does not know what is
in the wheel, and does not fetch or install it.

    python carry_wheel.py split onnxruntime_gpu-1.31.1-cp312-....whl pieces/
    python carry_wheel.py join pieces/ --into wheels/
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PIECE_MIB = 60
MIB = 1 << 20
LIST = "pieces.json"


class CarryFault(Exception):  # noqa: N818 - a message for people
    """A piece is missing or is not what was split."""


def split(wheel: Path, folder: Path, piece_bytes: int = PIECE_MIB * MIB) -> list[Path]:
    """Write `wheel` into `folder` as pieces of at most `piece_bytes`, and the list of them."""
    folder.mkdir(parents=True, exist_ok=True)
    whole = hashlib.sha256()
    records, paths = [], []
    for number, content in enumerate(_read(wheel, piece_bytes)):
        path = folder / f"{wheel.name}.{number:03}"
        path.write_bytes(content)
        whole.update(content)
        records.append({"name": path.name, **_describe(content)})
        paths.append(path)
    size = sum(record["size"] for record in records)
    table = {"name": wheel.name, "size": size, "sha256": whole.hexdigest(), "pieces": records}
    (folder / LIST).write_text(json.dumps(table, indent=1), encoding="utf-8")
    return paths


def join(folder: Path, destination: Path) -> Path:
    """Write the wheel that the pieces in `folder` make up into `destination`.

    Raises:
        CarryFault: the list or a piece is missing, or has other bytes than were split.
    """
    table = _read_list(folder)
    missing = [piece["name"] for piece in table["pieces"] if not (folder / piece["name"]).is_file()]
    if missing:
        raise CarryFault(f"{folder} lacks of {len(table['pieces'])} pieces: {', '.join(missing)}")
    destination.mkdir(parents=True, exist_ok=True)
    wheel = destination / Path(table["name"]).name
    partial = wheel.with_name(wheel.name + ".partial")
    whole = hashlib.sha256()
    with partial.open("wb") as file:
        for piece in table["pieces"]:
            content = (folder / piece["name"]).read_bytes()
            if _describe(content) != {"size": piece["size"], "sha256": piece["sha256"]}:
                raise CarryFault(f"{folder / piece['name']} is not the piece that was split; carry it again")
            whole.update(content)
            file.write(content)
    if whole.hexdigest() != table["sha256"]:
        raise CarryFault(f"the pieces in {folder} do not make up {wheel.name}; split it again")
    partial.replace(wheel)
    return wheel


def main(arguments: list[str] | None = None) -> int:
    """Split or join as the command line says."""
    options = parse(arguments)
    try:
        if options.task == "split":
            for path in split(options.wheel, options.folder, options.piece_mib * MIB):
                print(f"{path}  {path.stat().st_size / MIB:.1f} MiB")
            print(options.folder / LIST)
            return 0
        print(join(options.folder, options.into))
    except (CarryFault, OSError) as fault:
        print(fault, file=sys.stderr)
        return 1
    return 0


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n")[0])
    tasks = parser.add_subparsers(dest="task", required=True)
    task = tasks.add_parser("split", help="write a wheel as pieces")
    task.add_argument("wheel", type=Path)
    task.add_argument("folder", type=Path, help="where the pieces go")
    task.add_argument("--piece-mib", type=int, default=PIECE_MIB, help=f"largest piece [{PIECE_MIB}]")
    task = tasks.add_parser("join", help="make the wheel of the pieces")
    task.add_argument("folder", type=Path, help="where the pieces are")
    task.add_argument("--into", type=Path, default=Path(), help="where the wheel goes [current folder]")
    return parser.parse_args(arguments)


def _read(path: Path, piece_bytes: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        while content := file.read(piece_bytes):
            yield content


def _read_list(folder: Path) -> dict[str, Any]:
    try:
        table: dict[str, Any] = json.loads((folder / LIST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CarryFault(f"{folder / LIST} cannot be read: {error}") from error
    return table


def _describe(content: bytes) -> dict[str, Any]:
    return {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}


if __name__ == "__main__":
    sys.exit(main())
