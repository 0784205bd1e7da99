"""Tests whether a completion depends on anything but text, cursor, parameters, seed and candidate.

One completer goes through simulated editing histories, as a server does: it types, deletes, jumps, switches
files and accepts completions, and its caches are in the state that this leaves. Then every request is
repeated by completers that have prefilled nothing. All answers must be the same to the byte.
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
"""How each text in another language begins in the one that comes with Aide; its language, and a file name."""
MODULES = (argparse, json.decoder, textwrap)
"""Modules whose source every Python has."""
CANDIDATES = 3
"""Completions requested when several are requested."""
EVERY_SEVERAL, EVERY_THREADS = 5, 40
"""One in this many requests is for several candidates, or is repeated with other numbers of threads."""
# With 3, kernels divide the candidates of a single row in another way (`session_aide`).
OTHER_THREADS = (1, 3, 4)
"""Numbers of threads with which some requests are repeated."""
# At 0 nothing is drawn: seeds and small differences between logits would rarely show.
TEMPERATURE = 0.7

Answer = tuple[str, str, int]
"""Text, finish reason and number of tokens: what must be the same."""


@frozen
class Plan:
    """How much is replayed."""

    histories: int = 50
    requests: int = 500
    "Requests of all histories together."
    first: int = 0
    "Number of the first history, to run a long replay in parts."
    max_tokens: int = 24
    "Longest completion."
    num_context: int = 512
    "Num Context; some histories use half or a quarter of it."
    loadings: int = 10
    "Requests that are repeated by a model freshly loaded for each."


@frozen
class ModelLoader:
    """A model that can be loaded again and again."""

    tokenizer: "Tokenizer"
    description: "ModelFolder"
    session: Callable[[int | None], "Session"]
    "Loads it with this many threads; None: as in the settings."

    def completer(self, session: "Session") -> Completer:
        """Return a completer that has prefilled nothing."""
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
    """One way to repeat requests."""

    title: str
    answers: int = 0
    "How many were compared."
    differ: int = 0
    "How many of them have another text, finish reason or number of tokens."

    def note(self, first: Answer, second: Answer) -> None:
        """Compare and count a pair."""
        self.answers += 1
        self.differ += first != second


@frozen
class Outcome:
    """What a replay found."""

    compared: list[Compared]
    languages: list[str]
    "Languages of the texts."
    prompt_tokens: int
    "Tokens of all prompts of the histories that were given to the model."
    cached_tokens: int
    "How many of them were in the KV cache."
    reused: int
    "Requests that the completion cache answered."


@frozen
class Answered:
    """A request of a history with its answers, one for each candidate."""

    request: CompletionRequest
    answers: tuple[Answer, ...]


@define
class EditedFile:
    """A text that is being edited."""

    language: str
    name: str
    text: str
    cursor: int = 0


@define
class EditingHistory:
    """A simulated person who edits some files at random; the same number gives the same edits."""

    chance: Random
    files: list[EditedFile]
    file: EditedFile
    parameters: Parameters
    max_tokens: int
    offered: str = field(default="")
    "The last completion."

    def step(self) -> CompletionRequest:
        """Edit, and return the next request."""
        edits = (self.write, self.write, self.write, self.delete, self.jump, self.switch, self.take)
        self.chance.choice(edits)()
        # Most draw a new seed each time, some keep theirs.
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
        """Type some characters that occur elsewhere in the file."""
        start = self.chance.randrange(len(self.file.text))
        self._insert(self.file.text[start : start + self.chance.randint(1, 12)])

    def delete(self) -> None:
        """Delete backwards."""
        file = self.file
        start = max(0, file.cursor - self.chance.randint(1, 20))
        # Never everything: `write` copies from the text.
        if file.cursor - start < len(file.text):
            file.text, file.cursor = file.text[:start] + file.text[file.cursor :], start

    def jump(self) -> None:
        """Move anywhere, mostly to the end of a line."""
        file = self.file
        file.cursor = self.chance.randrange(len(file.text) + 1)
        end = file.text.find("\n", file.cursor)
        if end >= 0 and self.chance.random() < 0.7:
            file.cursor = end

    def switch(self) -> None:
        """Switch to a file, with the cursor where it was."""
        self.file = self.chance.choice(self.files)

    def take(self) -> None:
        """Accept the last completion, or begin a new line."""
        self._insert(self.offered or "\n")

    def _insert(self, text: str) -> None:
        file, self.offered = self.file, ""
        file.text = file.text[: file.cursor] + text + file.text[file.cursor :]
        file.cursor += len(text)


def replay(model: ModelLoader, plan: Plan, progress: Progress) -> Outcome:
    """Go through the histories, then repeat every request."""
    session = model.session(None)
    asked: list[Answered] = []
    prompt_tokens = cached_tokens = reused = 0
    for completion in _live(model.completer(session), plan, asked):
        reused += completion.from_cache
        # No prompt was run for an answer of the completion cache.
        if not completion.from_cache:
            prompt_tokens += completion.prompt_tokens
            cached_tokens += completion.cached_tokens
        progress(len(asked) / plan.requests, "Editing")
    # Requests that are repeated only in part are then from all histories.
    Random(plan.first).shuffle(asked)
    cold = Compared("nothing was prefilled yet")
    alone = Compared("the last of several candidates alone, not after the others")
    for number, one in enumerate(asked):
        progress(number / len(asked), "Repeating requests")
        cold.note(one.answers[0], _ask(model.completer(session), one.request, 0))
        if len(one.answers) > 1:
            alone.note(one.answers[-1], _ask(model.completer(session), one.request, len(one.answers) - 1))
    loaded = _freshly_loaded(model, asked[: plan.loadings], progress)
    compared = [cold, alone, loaded, *_other_threads(model, asked, progress)]
    languages = sorted({one.request.language_id for one in asked})
    return Outcome(compared, languages, prompt_tokens, cached_tokens, reused)


def _live(completer: Completer, plan: Plan, asked: list[Answered]) -> Iterator[Completion]:
    """Go through the histories with one completer; yield its first candidates."""
    for number in range(plan.histories):
        history = open_history(plan, plan.first + number)
        for _ in range(plan.requests * (number + 1) // plan.histories - len(asked)):
            request = history.step()
            count = CANDIDATES if len(asked) % EVERY_SEVERAL == 0 else 1
            generated = [
                completer.complete(request.with_options(candidate=n), CancelToken()) for n in range(count)
            ]
            history.offered = generated[0].text
            asked.append(Answered(request, tuple(map(_answer, generated))))
            yield generated[0]


def _freshly_loaded(model: ModelLoader, asked: Sequence[Answered], progress: Progress) -> Compared:
    compared = Compared("a freshly loaded model for each")
    for one in asked:
        progress(None, f"Repeating requests: {compared.title}")
        compared.note(one.answers[0], _ask(model.completer(model.session(None)), one.request, 0))
    return compared


def _other_threads(model: ModelLoader, asked: Sequence[Answered], progress: Progress) -> Iterator[Compared]:
    for threads in OTHER_THREADS:
        compared = Compared(f"{threads} thread{'s' * (threads > 1)}")
        progress(None, f"Repeating requests: {compared.title}")
        session = model.session(threads)
        for one in asked[threads::EVERY_THREADS]:
            compared.note(one.answers[0], _ask(model.completer(session), one.request, 0))
        yield compared


def _ask(completer: Completer, request: CompletionRequest, candidate: int) -> Answer:
    return _answer(completer.complete(request.with_options(candidate=candidate), CancelToken()))


def _answer(completion: Completion) -> Answer:
    return completion.text, completion.finish_reason, completion.generated_tokens


def open_history(plan: Plan, number: int) -> EditingHistory:
    """Start a history: some files in one or more languages, with the cursor anywhere in one of them."""
    chance = Random(number)
    files = [EditedFile(*text) for text in chance.sample(_texts(), 3)]
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
