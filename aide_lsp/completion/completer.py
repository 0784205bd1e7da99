"""One completion from text to text: cache, window, prompt, generation, stop rules, clean-up.

In: a text, a cursor offset, parameters, a cancel token. Out: a `Completion`: what to insert and what
made it. Random numbers are keyed by (seed, candidate, index of the generated token), so an answer is a
function of the request and its seed; where a deadline cuts it off there is none. Runs on one thread. It
does not know LSP, ONNX or where models lie.
"""

import re
from pathlib import Path
from time import monotonic
from uuid import uuid4

from attrs import evolve, field, frozen

from aide_lsp.completion.cache import CompletionCache, Question
from aide_lsp.completion.hole import read_hole
from aide_lsp.completion.limits import LONGEST_LINE, LONGEST_TEXT
from aide_lsp.completion.observer import UNOBSERVED, CompletionObserver
from aide_lsp.completion.postprocess import clean
from aide_lsp.completion.reasons import NoCompletionReason
from aide_lsp.completion.syntax import language_of
from aide_lsp.completion.window import holds_all
from aide_lsp.completion.writer import ModelFacts, Task, Writer
from aide_lsp.errors import DeclinedError
from aide_lsp.inference.cancel import CancelToken
from aide_lsp.inference.sampler import SamplingParams
from aide_lsp.inference.session import Session
from aide_lsp.inference.tokenizer import Tokenizer
from aide_lsp.settings.fields import Parameters, Settings, new_seed
from aide_lsp.settings.limits import most_context

LINE_END = re.compile(r"\r\n|\n|\r")


@frozen
class CompletionRequest:
    """What a completion is asked for."""

    text: str = field(repr=False)
    "The whole document."
    offset: int
    "The cursor, in code points."
    language_id: str
    "LSP language id; empty: judge by the path."
    path: str
    "The document's path; may be empty."
    parameters: Parameters
    "The five generation parameters; the seed may be unset."
    max_tokens: int
    "Longest completion."
    deadline_ms: int
    "Milliseconds until generating is given up, with nothing to show; 0: never."
    candidate: int = 0
    "Which of several completions for one seed."
    drawn_seed: int = field(factory=lambda: new_seed(), eq=False)
    "The seed where the parameters set none: a request that is tried again draws no other."


@frozen
class Completion:
    """A completion, and what made it."""

    id: str
    "Unique; the same for all uses of one answer."
    text: str = field(repr=False)
    "What to insert at the offset; empty: nothing, for `empty_reason`."
    finish_reason: str
    "`stop` (end token or stop rule), `length` or `timeout`."
    empty_reason: str | None
    "Reason code of an empty completion."
    empty_message: str | None
    "The same in words."
    seed: int
    "The seed that was used, drawn if none was set."
    parameters: Parameters
    "The parameters in effect: seed resolved, Num Context as far as the model's context allows."
    prompt_tokens: int
    "Tokens of the prompt."
    cached_tokens: int
    "Those of them that did not have to be run."
    generated_tokens: int
    "Tokens the model wrote, also those that were cut off again."
    first_token_ms: float
    "Milliseconds until the model's first token; 0 if there was none."
    total_ms: float
    "Milliseconds for the whole answer."
    from_cache: bool
    "Whether no model call was made. Figures are those of the call that made the answer."
    candidate: int = 0
    "Which of several completions for one seed."

    @property
    def tokens_per_second(self) -> float:
        """Speed after the first token; 0 if nothing can be said."""
        seconds = (self.total_ms - self.first_token_ms) / 1000.0
        return (self.generated_tokens - 1) / seconds if seconds > 0 and self.generated_tokens > 1 else 0.0


class Completer:
    """Completes texts with one model."""

    def __init__(
        self, tokenizer: Tokenizer, session: Session, model: ModelFacts, cache_mb: int = Settings().cache_mb
    ) -> None:
        """Take a loaded model; `cache_mb` as in the settings.

        Raises:
            ModelFilesError: its FIM format is unknown or its vocabulary lacks a token of it.
        """
        self.tokenizer, self.session, self.model = tokenizer, session, model
        self._writer = Writer(tokenizer, session, model, cache_mb)
        self.folder: Path | None = None
        """Where its files are; None: it was not read from files."""
        self._cache: CompletionCache[Completion] = CompletionCache()

    def complete(
        self, request: CompletionRequest, cancel: CancelToken, observer: CompletionObserver = UNOBSERVED
    ) -> Completion:
        """Complete a text at its cursor; an observer is told about it where the model is asked.

        Raises:
            Cancelled: nobody waits for the answer any more.
            DeclinedError: `too-large` or `long-line`.
            SessionError: the runtime failed.
        """
        cancel.check()
        _check(request)
        line_end = _line_end(request.text)
        question = _question(request)
        found = self._cache.get(question)
        if found is not None:
            completion = evolve(found.answer, text=found.text, from_cache=True)
        else:
            task, parameters = self._task(question, request)
            completion = self._generate(task, parameters, cancel, observer)
            if completion.finish_reason != "timeout":
                self._cache.put(question, completion.text, completion)
        return evolve(completion, text=completion.text.replace("\n", line_end))

    def observe(
        self, request: CompletionRequest, observer: CompletionObserver, cancel: CancelToken
    ) -> Completion:
        """Complete as `complete` does, but tell an observer all about it.

        The completion cache is only asked for the seed of an answer that is being shown; the model is
        asked in any case, and nothing is put into the cache. No deadline holds: looking on takes time.
        """
        cancel.check()
        _check(request)
        question = _question(request)
        found = self._cache.get(question)
        if question.parameters.seed is None and found is not None and found.text == found.answer.text:
            question = evolve(question, parameters=evolve(question.parameters, seed=found.answer.seed))
        task, parameters = self._task(question, evolve(request, deadline_ms=0))
        completion = self._generate(task, parameters, cancel, observer)
        return evolve(completion, text=completion.text.replace("\n", _line_end(request.text)))

    def read(self, request: CompletionRequest, cancel: CancelToken) -> int:
        """Read the text around a cursor ahead of a request; return how many tokens were run.

        No completion depends on it: it only is there sooner. Raises as `complete` does.
        """
        cancel.check()
        _check(request)
        task, _ = self._task(_question(request), evolve(request, deadline_ms=0))
        return self._writer.read(task, cancel)

    def reads_all(self, request: CompletionRequest) -> bool:
        """Whether Num Context holds the whole text of a request."""
        budget = request.parameters.num_context
        return holds_all(request.text, request.offset, budget, self.tokenizer.encode)

    def forget(self, request: CompletionRequest) -> None:
        """Drop what the completion cache would answer, so that the model is asked again."""
        self._cache.forget(_question(request))

    def clear_cache(self) -> None:
        """Empty the completion cache; what the model has read stays read."""
        self._cache.clear()

    def free_memory(self) -> None:
        """Drop what was read and what was completed, and keep less of it from now on."""
        self._cache.clear()
        self._writer.free_memory()

    def _generate(
        self, task: Task, parameters: Parameters, cancel: CancelToken, observer: CompletionObserver
    ) -> Completion:
        started = monotonic()
        written = self._writer.write(task, cancel, observer)
        observer.begins("clean-up")
        cleaned = clean(task.hole, written.text, written.stop)
        observer.finished(written, cleaned)
        # A part would depend on the machine's speed, and the same seed would not give the same text.
        late = written.finish_reason == "timeout"
        reason = NoCompletionReason.TIMEOUT if late else cleaned.empty_reason
        return Completion(
            id=uuid4().hex,
            text="" if late else cleaned.text,
            finish_reason=written.finish_reason,
            empty_reason=reason.code if reason else None,
            empty_message=reason.message if reason else None,
            seed=task.sampling.seed,
            parameters=parameters,
            prompt_tokens=written.timings.prompt_tokens,
            cached_tokens=written.timings.cached_tokens,
            generated_tokens=written.timings.generated_tokens,
            first_token_ms=written.timings.first_token_ms,
            total_ms=(monotonic() - started) * 1000.0,
            from_cache=False,
            candidate=task.sampling.candidate,
        )

    def _task(self, question: Question, request: CompletionRequest) -> tuple[Task, Parameters]:
        """Say what is to be written, and with which parameters: the seed filled in, the text made to fit."""
        parameters = question.parameters
        deadline = monotonic() + request.deadline_ms / 1000.0 if request.deadline_ms else None
        seed = request.drawn_seed if parameters.seed is None else parameters.seed
        num_context = min(parameters.num_context, most_context(self.session.context_length))
        parameters = evolve(parameters, seed=seed, num_context=num_context)
        task = Task(
            prefix=question.prefix,
            suffix=question.suffix,
            hole=read_hole(question.prefix, question.suffix, language_of(*question.language)),
            num_context=num_context,
            sampling=SamplingParams(
                temperature=parameters.temperature,
                top_k=parameters.top_k,
                top_p=parameters.top_p,
                seed=seed,
                candidate=question.candidate,
            ),
            max_tokens=question.max_tokens,
            deadline=deadline,
        )
        return task, parameters


def _check(request: CompletionRequest) -> None:
    if len(request.text) > LONGEST_TEXT:
        raise DeclinedError(
            NoCompletionReason.TOO_LARGE.code,
            f"The text has {len(request.text):,} characters; Aide completes texts of up to {LONGEST_TEXT:,}.",
        )
    start = max(request.text.rfind("\n", 0, request.offset), request.text.rfind("\r", 0, request.offset)) + 1
    end = LINE_END.search(request.text, request.offset)
    length = (end.start() if end else len(request.text)) - start
    if length > LONGEST_LINE:
        raise DeclinedError(
            NoCompletionReason.LONG_LINE.code,
            f"The line has {length:,} characters; Aide completes lines of up to {LONGEST_LINE:,}.",
        )


def _line_end(text: str) -> str:
    """Return the line end that a text uses first."""
    match = LINE_END.search(text)
    return match.group() if match else "\n"


def _question(request: CompletionRequest) -> Question:
    """Take a request apart at the cursor; all line ends become \\n, as the model knows them."""
    return Question(
        prefix=_with_line_feeds(request.text[: request.offset]),
        suffix=_with_line_feeds(request.text[request.offset :]),
        language=(request.language_id, request.path),
        parameters=request.parameters,
        max_tokens=request.max_tokens,
        candidate=request.candidate,
    )


def _with_line_feeds(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
