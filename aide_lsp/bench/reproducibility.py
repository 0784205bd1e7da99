"""Asks whether a completion depends on anything but text, cursor, parameters, seed and candidate.

In: a model folder, how many editing histories and requests. Out: how many answers were compared, in which
ways, and how many differ by a byte. One completer lives through all histories, as a server does: it types,
deletes, jumps, changes files and takes completions, and its caches are as that leaves them. Every request
is then asked again by completers that have read nothing. It does not know terminals or LSP.
"""

import argparse
import json.decoder
import textwrap
from collections.abc import Callable, Iterator, Sequence
from importlib import resources
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from attrs import define, evolve, field, frozen

from aide_lsp.completion.completer import Completer
from aide_lsp.completion.request import Completion, CompletionRequest
from aide_lsp.inference.cancel import CancelToken
from aide_lsp.inference.options import GenerationOptions
from aide_lsp.progress import Progress
from aide_lsp.settings.fields import Parameters

if TYPE_CHECKING:
    from aide_lsp.inference.onnx.model_folder import ModelFolder
    from aide_lsp.inference.session import Session
    from aide_lsp.inference.tokenizer import Tokenizer

SECTIONS = (
    ("import express, { Request", "typescript", "orders.ts"),
    ("use std::", "rust", "ring.rs"),
    ("package main", "go", "main.go"),
    ("#include <stdio.h>", "c", "tree.c"),
    ("package org.", "java", "Inventory.java"),
    ("<!DOCTYPE html>", "html", "index.html"),
)
"""How each text in other languages begins in the text that comes with Aide, its language and a name."""
MODULES = (argparse, json.decoder, textwrap)
"""Python source that every Python has."""
CANDIDATES = 3
"""Completions asked for where several are."""
EVERY_SEVERAL, EVERY_THREADS = 5, 40
"""Of so many requests one is asked for several candidates, or asked again with other threads."""
OTHER_THREADS = (1, 3, 4)
"""Numbers of threads that some requests are asked again with."""
TEMPERATURE = 0.7

Answer = tuple[str, str, int]
"""Text, finish reason, number of tokens: what must be the same."""


@frozen
class Plan:
    """How much is replayed."""

    histories: int = 50
    "Editing histories."
    requests: int = 500
    "Requests in all of them together."
    first: int = 0
    "Number of the first history: a long replay can be made in parts."
    max_tokens: int = 24
    "Longest completion."
    num_context: int = 512
    "Num Context; some histories use a half or a quarter of it."
    loadings: int = 10
    "Requests that are asked again by a model loaded anew for each."


@frozen
class ModelLoader:
    """A model that can be loaded again and again."""

    tokenizer: "Tokenizer"
    "Has no state."
    description: "ModelFolder"
    "Its description."
    session: Callable[[int | None], "Session"]
    "Loads it, with so many threads; None: as the settings say."

    def completer(self, session: "Session") -> Completer:
        """Return a completer that has read nothing."""
        from aide_lsp.engines.local import LocalModel

        return Completer(LocalModel(self.tokenizer, session, self.description))


def open_model(folder: Path, provider: str = "auto", threads: int = 0) -> ModelLoader:
    """Return the model in a folder; `provider` and `threads` as in the settings."""
    from aide_lsp.inference.onnx.model_folder import read_model_folder
    from aide_lsp.inference.onnx.open import open_session
    from aide_lsp.inference.tokenizer import Tokenizer

    return ModelLoader(
        Tokenizer.from_file(folder / "tokenizer.json"),
        read_model_folder(folder),
        lambda count: open_session(folder, provider, threads if count is None else count),
    )


@define
class Compared:
    """One way to ask again."""

    title: str
    "In words."
    answers: int = 0
    "Compared so far."
    differ: int = 0
    "Those of them with another text, finish reason or number of tokens."

    def note(self, first: Answer, second: Answer) -> None:
        """Count a pair."""
        self.answers += 1
        self.differ += first != second


@frozen
class Outcome:
    """What a replay found."""

    compared: list[Compared]
    "By way."
    languages: list[str]
    "Languages of the texts."
    prompt_tokens: int
    "Tokens of all prompts of the histories."
    cached_tokens: int
    "Those of them that were read before."
    reused: int
    "Requests that the completion cache answered."


@frozen
class Asked:
    """A request of a history with its answers, one for each candidate."""

    request: CompletionRequest
    answers: tuple[Answer, ...]


@define
class File:
    """A text that is being edited."""

    language: str
    name: str
    text: str
    cursor: int = 0


@define
class EditingHistory:
    """Somebody who edits some files; all by chance, and the same for the same number."""

    chance: Random
    files: list[File]
    file: File
    parameters: Parameters
    max_tokens: int
    offered: str = field(default="")
    "The last completion."

    def step(self) -> CompletionRequest:
        """Edit, and ask."""
        edits = (self.write, self.write, self.write, self.delete, self.jump, self.switch, self.take)
        self.chance.choice(edits)()
        # Some keep a seed, most draw a new one each time.
        if self.chance.random() < 0.7:
            self.parameters = evolve(self.parameters, seed=self.chance.getrandbits(31))
        return CompletionRequest(
            text=self.file.text,
            offset=self.file.cursor,
            language_id=self.file.language,
            path=self.file.name,
            options=GenerationOptions(self.parameters, self.max_tokens),
        )

    def write(self) -> None:
        """Type some characters that stand elsewhere in the file."""
        start = self.chance.randrange(len(self.file.text))
        self._insert(self.file.text[start : start + self.chance.randint(1, 12)])

    def delete(self) -> None:
        """Delete backwards."""
        file = self.file
        start = max(0, file.cursor - self.chance.randint(1, 20))
        if file.cursor - start < len(file.text):
            file.text, file.cursor = file.text[:start] + file.text[file.cursor :], start

    def jump(self) -> None:
        """Go anywhere, mostly to the end of a line."""
        file = self.file
        file.cursor = self.chance.randrange(len(file.text) + 1)
        end = file.text.find("\n", file.cursor)
        if end >= 0 and self.chance.random() < 0.7:
            file.cursor = end

    def switch(self) -> None:
        """Go to another file, where the cursor is as it was."""
        self.file = self.chance.choice(self.files)

    def take(self) -> None:
        """Take what was offered last, or begin a new line."""
        self._insert(self.offered or "\n")

    def _insert(self, text: str) -> None:
        file, self.offered = self.file, ""
        file.text = file.text[: file.cursor] + text + file.text[file.cursor :]
        file.cursor += len(text)


def replay(model: ModelLoader, plan: Plan, progress: Progress) -> Outcome:
    """Live through the histories, then ask everything again."""
    session = model.session(None)
    asked: list[Asked] = []
    prompt_tokens = cached_tokens = reused = 0
    for completion in _live(model.completer(session), plan, asked):
        prompt_tokens += completion.prompt_tokens
        cached_tokens += 0 if completion.from_cache else completion.cached_tokens
        reused += completion.from_cache
        progress(len(asked) / plan.requests, "Editing")
    Random(plan.first).shuffle(asked)
    cold = Compared("the model has read nothing yet")
    alone = Compared("the last of several candidates alone, not after the others")
    for number, one in enumerate(asked):
        progress(number / len(asked), "Asking again")
        cold.note(one.answers[0], _ask(model.completer(session), one.request, 0))
        if len(one.answers) > 1:
            alone.note(one.answers[-1], _ask(model.completer(session), one.request, len(one.answers) - 1))
    loaded = _loaded_anew(model, asked[: plan.loadings], progress)
    compared = [cold, alone, loaded, *_other_threads(model, asked, progress)]
    languages = sorted({one.request.language_id for one in asked})
    return Outcome(compared, languages, prompt_tokens, cached_tokens, reused)


def _live(completer: Completer, plan: Plan, asked: list[Asked]) -> Iterator[Completion]:
    """Live through the histories with one completer; yield its first candidates."""
    for number in range(plan.histories):
        history = open_history(plan, plan.first + number)
        for _ in range(plan.requests * (number + 1) // plan.histories - len(asked)):
            request = history.step()
            count = CANDIDATES if len(asked) % EVERY_SEVERAL == 0 else 1
            made = [
                completer.complete(request.with_options(candidate=n), CancelToken()) for n in range(count)
            ]
            history.offered = made[0].text
            asked.append(Asked(request, tuple(map(_answer, made))))
            yield made[0]


def _loaded_anew(model: ModelLoader, asked: Sequence[Asked], progress: Progress) -> Compared:
    compared = Compared("a model loaded anew for each")
    for one in asked:
        progress(None, f"Asking again: {compared.title}")
        compared.note(one.answers[0], _ask(model.completer(model.session(None)), one.request, 0))
    return compared


def _other_threads(model: ModelLoader, asked: Sequence[Asked], progress: Progress) -> Iterator[Compared]:
    for threads in OTHER_THREADS:
        compared = Compared(f"{threads} thread{'s' * (threads > 1)}")
        progress(None, f"Asking again: {compared.title}")
        session = model.session(threads)
        for one in asked[threads::EVERY_THREADS]:
            compared.note(one.answers[0], _ask(model.completer(session), one.request, 0))
        yield compared


def _ask(completer: Completer, request: CompletionRequest, candidate: int) -> Answer:
    return _answer(completer.complete(request.with_options(candidate=candidate), CancelToken()))


def _answer(completion: Completion) -> Answer:
    return completion.text, completion.finish_reason, completion.generated_tokens


def open_history(plan: Plan, number: int) -> EditingHistory:
    """Begin a history: some files of one or more languages, one of them open at a line in it."""
    chance = Random(number)
    files = [File(*text) for text in chance.sample(_texts(), 3)]
    for file in files:
        file.cursor = chance.randrange(len(file.text))
    parameters = Parameters(
        temperature=TEMPERATURE,
        num_context=max(1, plan.num_context // chance.choice((1, 2, 4))),
        seed=chance.getrandbits(31),
    )
    return EditingHistory(chance, files, files[0], parameters, plan.max_tokens)


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
