"""Tests whether a completion depends on anything but texts, cursor, parameters, seed and candidate.

One completer goes through simulated editing histories (`histories.py`), as a server does, and its caches are
in the state that this leaves. Then every request is repeated by completers that have prefilled nothing, in
another folder whose files hold the same texts. All answers must be the same to the byte.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from attrs import define, frozen

from aide_lsp.application.excerpts import RequestPreparer
from aide_lsp.bench.histories import ProjectState, open_history
from aide_lsp.completion.completer import Completer
from aide_lsp.completion.request import Completion, CompletionRequest
from aide_lsp.context.excerpt import Excerpt
from aide_lsp.inference.cancel import CancelToken
from aide_lsp.progress import Progress

if TYPE_CHECKING:
    from aide_lsp.inference.onnx.model_folder import ModelFolder
    from aide_lsp.inference.session import Session
    from aide_lsp.inference.tokenizer import Tokenizer

CANDIDATES = 3
"""Completions requested when several are requested."""
EVERY_SEVERAL, EVERY_THREADS = 5, 40
"""One in this many requests is for several candidates, or is repeated with other numbers of threads."""
# With 3, kernels divide the candidates of a single row in another way (`session_aide`).
OTHER_THREADS = (1, 3, 4)
"""Numbers of threads with which some requests are repeated."""
Answer = tuple[str, str, int, tuple[Excerpt, ...]]
"""Text, finish reason, number of tokens, and what was read of other files: what must be the same."""


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
        from aide_lsp.engines.local import LoadedModel, LocalModel

        return Completer(LocalModel(LoadedModel(self.tokenizer, session, self.description)))


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
    "How many of them have another text, finish reason, number of tokens, or excerpt of another file."

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
    "Tokens of all prompts of the histories."
    cached_tokens: int
    "How many of them were in the KV cache."
    reused: int
    "Requests that the completion cache answered."
    with_files: int
    "Requests for which other files were read: excerpts, or the names of a module."
    with_names: int
    "Those of them at which only names of a module could come."


@frozen
class Answered:
    """A request of a history with its answers, one for each candidate."""

    request: CompletionRequest
    "Without excerpts of other files."
    state: ProjectState
    "Of all files at that moment."
    answers: tuple[Answer, ...]

    def repeat(self, completer: Completer, candidate: int = 0) -> Answer:
        """Ask once more, in a folder of its own."""
        with TemporaryDirectory() as name:
            folder = Path(name)
            self.state.write(folder)
            request = self.state.prepare(self.request, folder, RequestPreparer(), completer.info)
            return _answer(completer.complete(request.with_options(candidate=candidate), CancelToken()))


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
        cold.note(one.answers[0], one.repeat(model.completer(session)))
        if len(one.answers) > 1:
            alone.note(one.answers[-1], one.repeat(model.completer(session), len(one.answers) - 1))
    loaded = _freshly_loaded(model, asked[: plan.loadings], progress)
    compared = [cold, alone, loaded, *_other_threads(model, asked, progress)]
    languages = sorted({one.request.language_id for one in asked})
    with_files = sum(bool(one.answers[0][-1]) for one in asked)
    with_names = sum(any(read.first_line == 0 for read in one.answers[0][-1]) for one in asked)
    return Outcome(compared, languages, prompt_tokens, cached_tokens, reused, with_files, with_names)


def _live(completer: Completer, plan: Plan, asked: list[Answered]) -> Iterator[Completion]:
    """Go through the histories with one completer; yield its first candidates."""
    preparer = RequestPreparer(look_again_s=0.0)  # files change from one request to the next
    for number in range(plan.histories):
        with TemporaryDirectory() as folder:
            history = open_history(plan.first + number, Path(folder), plan.max_tokens, plan.num_context)
            for _ in range(plan.requests * (number + 1) // plan.histories - len(asked)):
                request, state = history.step(), history.state()
                prepared = state.prepare(request, history.folder, preparer, completer.info)
                count = CANDIDATES if len(asked) % EVERY_SEVERAL == 0 else 1
                generated = [
                    completer.complete(prepared.with_options(candidate=n), CancelToken())
                    for n in range(count)
                ]
                history.offered = generated[0].text
                asked.append(Answered(request, state, tuple(map(_answer, generated))))
                yield generated[0]


def _freshly_loaded(model: ModelLoader, asked: Sequence[Answered], progress: Progress) -> Compared:
    compared = Compared("a freshly loaded model for each")
    for one in asked:
        progress(None, f"Repeating requests: {compared.title}")
        compared.note(one.answers[0], one.repeat(model.completer(model.session(None))))
    return compared


def _other_threads(model: ModelLoader, asked: Sequence[Answered], progress: Progress) -> Iterator[Compared]:
    for threads in OTHER_THREADS:
        compared = Compared(f"{threads} thread{'s' * (threads > 1)}")
        progress(None, f"Repeating requests: {compared.title}")
        session = model.session(threads)
        for one in asked[threads::EVERY_THREADS]:
            compared.note(one.answers[0], one.repeat(model.completer(session)))
        yield compared


def _answer(completion: Completion) -> Answer:
    return completion.text, completion.finish_reason, completion.generated_tokens, completion.files_read
