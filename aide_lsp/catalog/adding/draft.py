"""Writes model cards: their text, and the file in the user's folder of cards."""

import json
import os
import re
import secrets
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from aide_lsp.catalog.cards import Card, parse_card, user_folder
from aide_lsp.disk import refusal
from aide_lsp.errors import CardError

LONGEST_ID = 60
# Names that Windows gives to devices, with any ending.
_DEVICES = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)")
# What file names add to the name of a model: how its weights are stored, and in which format.
_STORAGE = re.compile(r"[-._](?:i?q\d[a-z0-9_]*|[bt]?f(?:p)?\d{1,2}|mxfp4|gguf)$")


def id_from(name: str, taken: Collection[str]) -> str:
    """Return an unused id for a model whose file or folder has this name."""
    words = re.sub(r"\.gguf$", "", name.lower())
    words = re.sub(r"[^a-z0-9._-]+", "-", words)
    while (shorter := _STORAGE.sub("", words)) != words:
        words = shorter
    base = words[:LONGEST_ID].strip("._-")
    if not base or _DEVICES.match(base):
        base = f"model-{base}".rstrip("-")
    numbers = iter(range(2, len(taken) + 3))
    found = base
    while found in taken:
        found = f"{base}-{next(numbers)}"
    return found


def card_text(head: str, keys: Mapping[str, Any]) -> str:
    """Return the text of a card.

    Args:
        head: a comment at its beginning, one line.
        keys: in this order, without those that are None; tables are last.
    """
    lines = [f"# {head}"]
    given = {key: value for key, value in keys.items() if value is not None}
    for key, value in given.items():
        if isinstance(value, Mapping):
            lines += ["", f"[{key}]", *(f"{name} = {_value(one)}" for name, one in value.items())]
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            for table in value:
                lines += ["", f"[[{key}]]", *(f"{name} = {_value(one)}" for name, one in table.items())]
        else:
            lines.append(f"{key} = {_value(value)}")
    return "\n".join(lines) + "\n"


def write_card(text: str, model_id: str) -> Card:
    """Write a new card into the user's folder of cards; only the user may read it.

    Raises:
        CardError: there is a file of that name, or it cannot be written.
    """
    # The folder may be a link, as it is the user's own.
    folder = Path(os.path.realpath(user_folder()))
    file = folder / f"{model_id}.toml"
    card = parse_card(text.encode("utf-8"), user_folder() / file.name)
    unfinished = folder / f".{model_id}.{secrets.token_hex(4)}.partial"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(unfinished, "xb", opener=lambda path, flags: os.open(path, flags, 0o600)) as stream:
            stream.write(text.encode("utf-8"))
            stream.flush()
            os.fsync(stream.fileno())
        _give_name(unfinished, file)
    except OSError as error:
        if isinstance(error, FileExistsError) and os.path.lexists(file):
            problem = f"{file} exists already. Choose another id with --id, or remove that card."
        else:
            problem = f"{file} cannot be written: {refusal(error)}. Fix that, then try again."
        raise CardError(problem) from error
    finally:
        with suppress(OSError):
            unfinished.unlink()
    return card


def _give_name(unfinished: Path, file: Path) -> None:
    """Rename a file, unless there is one of that name."""
    try:
        # Unlike a rename, a link never replaces what is there.
        os.link(unfinished, file)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if os.path.lexists(file):
            raise FileExistsError from None
        unfinished.replace(file)


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"{value:_}"
    # JSON's escapes of quotes and backslashes are TOML's. Control characters do not occur: `card_rules`.
    return json.dumps(value, ensure_ascii=False)
