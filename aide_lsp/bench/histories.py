"""Simulated people who edit the files of a small project; the same number gives the same edits."""

import argparse
import json.decoder
import textwrap
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from random import Random

from attrs import define, evolve, field, frozen

from aide_lsp.application.excerpts import Readable, RequestPreparer
from aide_lsp.completion.model import ModelInfo
from aide_lsp.completion.request import CompletionRequest
from aide_lsp.inference.options import GenerationOptions
from aide_lsp.settings.fields import Parameters

SECTIONS = (
    ("import express, { Request", "typescript", "orders.ts"),
    ("use std::", "rust", "ring.rs"),
    ("package main", "go", "main.go"),
    ("#include <stdio.h>", "c", "tree.c"),
    ("package org.", "java", "Inventory.java"),
    ("<!DOCTYPE html>", "html", "index.html"),
)
"""How each text in another language begins in the one that comes with Aide; its language, and a file name."""
MODULES = (argparse, json.decoder, textwrap)
"""Modules whose source every Python has."""
NAMES = ("ampere", "candela", "kelvin", "kilogram", "kilometer", "meter", "mole", "second")
UNITS = {
    "python": ("units.py", "import units\n", "".join(f"{name} = 1\n" for name in NAMES)),
    "typescript": (
        "units.ts",
        "import * as units from './units';\n",
        "".join(f"export const {name} = 1;\n" for name in NAMES),
    ),
}
"""By language: one more file, a module whose names are known; how it is imported, and its text."""
TEXTS, FILES, FILE_LINES = 3, 4, 60
"""Texts of a project, files that are made of each at most, and lines of such a file at most."""
# At 0 nothing is drawn: seeds and small differences between logits would rarely show.
TEMPERATURE = 0.7
SHARES = (0.0, 0.25, 0.5, 0.5)
"""Values of context_share."""


@frozen
class ProjectState:
    """All that the files of a project hold at one moment."""

    saved: Mapping[str, str] = field(repr=False)
    "The texts on the disk, by file name."
    opened: Mapping[str, str] = field(repr=False)
    "The texts of open documents."

    def write(self, folder: Path) -> None:
        """Write the files into an empty folder."""
        for name, text in self.saved.items():
            _write(folder / name, text)

    def prepare(
        self, request: CompletionRequest, folder: Path, preparer: RequestPreparer, model: ModelInfo
    ) -> CompletionRequest:
        """Return a request in one of the files, which are in `folder`, with excerpts of the others."""
        document = folder / request.path
        opened = {folder / name: text for name, text in self.opened.items()}
        readable = Readable(document, workspace=folder, open_texts=opened)
        return preparer.prepare(evolve(request, path=str(document)), readable, model).request


@define
class EditedFile:
    """A file that is being edited."""

    language: str
    name: str
    text: str = field(repr=False)
    "In the editor, if it is open there."
    saved: str | None = field(default=None, repr=False)
    "On the disk; None: it is not there."
    is_open: bool = False
    cursor: int = 0


@define
class EditingHistory:
    """A simulated person who edits the files of a project at random."""

    chance: Random
    folder: Path
    "Of the project."
    files: list[EditedFile]
    file: EditedFile
    "The one in which the cursor is."
    options: GenerationOptions
    offered: str = ""
    "The last completion."

    def step(self) -> CompletionRequest:
        """Edit something, and return the next request, without excerpts."""
        edits = (
            *(self.type, self.type, self.type, self.delete, self.jump, self.take),
            *(self.open, self.save, self.close, self.refer, self.refer),
            *(self.change_elsewhere, self.remove_elsewhere),
        )
        self.chance.choice(edits)()
        # Most draw a new seed each time, some keep theirs.
        if self.chance.random() < 0.7:
            parameters = evolve(self.options.parameters, seed=self.chance.getrandbits(31))
            self.options = evolve(self.options, parameters=parameters)
        return CompletionRequest(
            text=self.file.text,
            offset=self.file.cursor,
            language_id=self.file.language,
            path=self.file.name,
            options=self.options,
        )

    def state(self) -> ProjectState:
        """Return the state of the project."""
        return ProjectState(
            saved={file.name: file.saved for file in self.files if file.saved is not None},
            opened={file.name: file.text for file in self.files if file.is_open},
        )

    def type(self) -> None:
        """Type some characters that occur elsewhere in the file."""
        start = self.chance.randrange(len(self.file.text))
        self._insert(self.file.text[start : start + self.chance.randint(1, 12)])

    def delete(self) -> None:
        """Delete backwards."""
        file = self.file
        start = max(0, file.cursor - self.chance.randint(1, 20))
        # Never everything: `type` copies from the text.
        if file.cursor - start < len(file.text):
            file.text, file.cursor = file.text[:start] + file.text[file.cursor :], start

    def jump(self) -> None:
        """Move anywhere, mostly to the end of a line."""
        file = self.file
        file.cursor = self.chance.randrange(len(file.text) + 1)
        end = file.text.find("\n", file.cursor)
        if end >= 0 and self.chance.random() < 0.7:
            file.cursor = end

    def take(self) -> None:
        """Accept the last completion, or begin a new line."""
        self._insert(self.offered or "\n")

    def refer(self) -> None:
        """Begin a line with a name of a module, in a language that has one here."""
        file = self.file
        if file.language in UNITS and file.name != UNITS[file.language][0]:
            statement = UNITS[file.language][1]
            if statement not in file.text:
                file.text, file.cursor = statement + file.text, file.cursor + len(statement)
            end = file.text.find("\n", file.cursor)
            file.cursor = len(file.text) if end < 0 else end
            self._insert("\nunits." + self.chance.choice(("", "", "k", "kilo")))

    def open(self) -> None:
        """Go to another file, where the cursor is as it was."""
        self.file = self.chance.choice([file for file in self.files if file.is_open or file.saved])
        self.file.is_open = True

    def save(self) -> None:
        """Save the file."""
        self._put(self.file, self.file.text)

    def close(self) -> None:
        """Close another file, and lose what was not saved."""
        file = self._other()
        if file.saved:
            file.is_open, file.text = False, file.saved
            file.cursor = min(file.cursor, len(file.text))

    def change_elsewhere(self) -> None:
        """Have another program mix the lines of a file and drop one, or write a removed one."""
        file = self._other()
        lines = (file.saved or file.text).splitlines(keepends=True)
        self.chance.shuffle(lines)
        self._put(file, "".join(lines[1:] or lines))

    def remove_elsewhere(self) -> None:
        """Have another program remove a file."""
        file = self._other()
        (self.folder / file.name).unlink(missing_ok=True)
        file.saved = None

    def _insert(self, text: str) -> None:
        file, self.offered = self.file, ""
        file.text = file.text[: file.cursor] + text + file.text[file.cursor :]
        file.cursor += len(text)

    def _other(self) -> EditedFile:
        return self.chance.choice([file for file in self.files if file is not self.file])

    def _put(self, file: EditedFile, text: str) -> None:
        _write(self.folder / file.name, text)
        file.saved = text
        if not file.is_open:
            file.text, file.cursor = text, min(file.cursor, len(text))


def open_history(number: int, folder: Path, max_tokens: int, num_context: int) -> EditingHistory:
    """Start a history: a project in one or more languages, with the cursor anywhere in one of its files."""
    chance = Random(number)
    files = [file for text in chance.sample(_texts(), TEXTS) for file in _split(chance, *text)]
    for language in sorted({file.language for file in files} & UNITS.keys()):
        name, _, text = UNITS[language]
        files.append(EditedFile(language, name, text))
    for file in files:
        file.cursor, file.saved = chance.randrange(len(file.text)), file.text
        _write(folder / file.name, file.text)
    files[0].is_open = True
    parameters = Parameters(
        temperature=TEMPERATURE,
        num_context=max(1, num_context // chance.choice((1, 2, 4))),
        seed=chance.getrandbits(31),
    )
    options = GenerationOptions(parameters, max_tokens, context_share=chance.choice(SHARES))
    return EditingHistory(chance, folder, files, files[0], options)


def _split(chance: Random, language: str, name: str, text: str) -> list[EditedFile]:
    """Return some neighboring pieces of a text as files."""
    lines = text.splitlines(keepends=True)
    length = min(FILE_LINES, len(lines) // 2)
    pieces = ["".join(lines[at : at + length]) for at in range(0, len(lines) - length + 1, length)]
    first = chance.randrange(max(1, len(pieces) - FILES + 1))
    path = Path(name)
    return [
        EditedFile(language, f"{path.stem}_{number}{path.suffix}", piece)
        for number, piece in enumerate(pieces[first : first + FILES], first)
    ]


def _write(path: Path, text: str) -> None:
    path.write_bytes(text.encode("utf-8", "surrogatepass"))


def _texts() -> list[tuple[str, str, str]]:
    """Return language, name and text of all files."""
    texts = [
        ("python", Path(module.__file__).name, Path(module.__file__).read_text(encoding="utf-8"))
        for module in MODULES
        if module.__file__
    ]
    source = (resources.files("aide_lsp.convert") / "calibration.txt").read_text(encoding="utf-8")
    starts = [source.index(first) for first, *_ in SECTIONS]
    for (_, language, name), start, end in zip(SECTIONS, starts, [*starts[1:], None], strict=True):
        texts.append((language, name, source[start:end]))
    return texts
