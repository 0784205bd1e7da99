"""One completion from text to text: cache, prompt, generation, stop rules, clean-up, checks.

Random numbers depend on (seed, candidate, index of the generated token), so an answer is a function of the
request and its seed; where a deadline cuts it off there is none. Runs on one thread.
"""

from collections.abc import Sequence
from contextlib import closing
from time import monotonic
from uuid import uuid4

from attrs import evolve

from aide_lsp.completion.auto_closing import rest_over
from aide_lsp.completion.cache import CompletionCache, key_of
from aide_lsp.completion.counting import with_counts
from aide_lsp.completion.file_header import file_header, file_name
from aide_lsp.completion.fitting import Checked, Surroundings, check, check_first_lines, surroundings
from aide_lsp.completion.model import Model, ModelInfo, TextGeneration
from aide_lsp.completion.observer import UNOBSERVED, CompletionObserver, GeneratedText
from aide_lsp.completion.prompt import PartKind, Prompt, build_prompt
from aide_lsp.completion.request import (
    Completion,
    CompletionRequest,
    attempt_of,
    last_resort,
    together,
    tries,
)
from aide_lsp.completion.window import CountTokens
from aide_lsp.context.excerpt import Excerpt
from aide_lsp.errors import ServerError
from aide_lsp.inference.cancel import CancelToken
from aide_lsp.infill.hole import Hole, Shape
from aide_lsp.infill.indenting import stray_indentation
from aide_lsp.infill.stop_rules import Stop, StopRule
from aide_lsp.infill.stopping import break_off, find_stop, first_lines
from aide_lsp.line_ends import LINE_END
from aide_lsp.reasons import NoCompletionReason
from aide_lsp.syntax.languages import language_of
from aide_lsp.syntax.trees import SyntaxTrees


class Completer:
    """Completes texts with one model."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._cache: CompletionCache[Completion] = CompletionCache()
        self._trees = SyntaxTrees()

    @property
    def info(self) -> ModelInfo:
        """What is known of the model."""
        return self._model.info

    @property
    def failure(self) -> ServerError | None:
        """Why the server that runs the model gave its last request no answer; None: it did, or has none."""
        return self._model.failure

    def is_back(self) -> bool:
        """Whether that server answers again. Takes a moment, and is for a thread of its own."""
        return self._model.is_back()

    def complete(
        self, request: CompletionRequest, cancel: CancelToken, observer: CompletionObserver = UNOBSERVED
    ) -> Completion:
        """Complete a text at its cursor; if the model runs, the observer sees what happens.

        Raises:
            Cancelled: no one waits for the answer anymore.
            DeclinedError: `too-large`, `long-line` or `empty`.
            SessionError: the model failed.
        """
        cancel.check()
        request.check_size()
        key = key_of(request)
        found = self._cache.get(key)
        if found is not None:
            completion = evolve(
                found.answer,
                text=found.text,
                typed=found.typed,
                added=found.added,
                replaces=found.replaces,
                from_cache=True,
            )
        else:
            attempts = self._attempts(request, cancel, observer)
            completion = together(attempts)
            # A timeout depends on the machine's load at that moment; the next try may succeed.
            if completion.finish_reason != "timeout":
                self._cache.put(key, completion.text, completion, completion.replaces)
                self._cache_candidate(request, attempts)
                self._cache_unclosed(request, completion)
        # After the cache, whose keys and texts have \n line ends whatever the document uses.
        return _with_line_ends(completion, request)

    def observe(
        self, request: CompletionRequest, observer: CompletionObserver, cancel: CancelToken
    ) -> Completion:
        """Complete as `complete` does, but always run the model, so that the observer sees everything.

        The completion cache is only consulted for the seed of an answer that is currently shown, and not
        changed. There is no deadline: observing takes time.
        """
        cancel.check()
        request.check_size()
        parameters, found = request.options.parameters, self._cache.get(key_of(request))
        # The rest of an answer that was typed along is not what its seed gives at the new cursor.
        if parameters.seed is None and found is not None and found.text == found.answer.text:
            parameters = evolve(parameters, seed=found.answer.seed)
        request = request.with_options(parameters=parameters, deadline_ms=0)
        return _with_line_ends(together(self._attempts(request, cancel, observer)), request)

    def prefill(self, request: CompletionRequest, cancel: CancelToken) -> int:
        """Prefill the text around a cursor ahead of a request; return how many tokens were run.

        No completion depends on it: it only comes sooner. Raises as `complete` does.
        """
        cancel.check()
        request.check_size()
        # The prompt of the coming request, token for token: only what they share can be reused.
        request = self._in_effect(request)
        prompt = self._prompt(request, UNOBSERVED)
        return self._model.prefill(prompt, request.options, cancel)

    def prefill_next(
        self, request: CompletionRequest, excerpts: tuple[Excerpt, ...], cancel: CancelToken
    ) -> int:
        """Prefill a request with the excerpts that it may have next, if the model would read others then.

        What it reads now stays in the KV cache. Returns and raises as `prefill` does.
        """
        # A server decides itself what it keeps.
        if self.info.host:
            return 0
        request = self._in_effect(request)
        cancel.check()
        here = self._prompt(request, UNOBSERVED)
        there = self._prompt(evolve(request, excerpts=excerpts), UNOBSERVED)
        if here.excerpts == there.excerpts:
            return 0
        return self._model.prefill(evolve(there, is_next=True), request.options, cancel)

    def reads_all(self, request: CompletionRequest) -> bool:
        """Whether Num Context holds all that the model can read of a request's text."""
        if not request.text.strip():
            return True
        prompt = self._prompt(self._in_effect(request), UNOBSERVED)
        after = request.after if self.info.reads_suffix else ""
        read = prompt.text(PartKind.PREFIX) + prompt.healed + prompt.closers + prompt.text(PartKind.SUFFIX)
        return read == request.before + after

    def forget(self, request: CompletionRequest) -> None:
        """Drop what the completion cache would answer, so that the model runs again."""
        self._cache.forget(key_of(request))

    def clear_cache(self) -> None:
        """Empty the completion cache; what was prefilled stays."""
        self._cache.clear()

    def self_test(self) -> bool:
        """Whether results are independent of what was generated before, as a seed promises."""
        return self._model.self_test()

    def release_memory(self) -> None:
        """Drop what was prefilled and what was completed, and keep less of it from now on."""
        self._cache.clear()
        self._trees = SyntaxTrees()
        self._model.release_memory()

    def _attempts(
        self, request: CompletionRequest, cancel: CancelToken, observer: CompletionObserver
    ) -> list[Completion]:
        """Complete with the first candidate that fits, from the requested one on, or with none.

        The last one is the answer; those before it do not fit. If none fits, one that may be shown all the
        same comes again as the last one.
        """
        request, started = self._in_effect(request), monotonic()
        language = language_of(request.language_id, request.path)
        around = surroundings(request.before, request.after, language, self._trees, cancel.check)
        # In a comment, a dot ends a sentence.
        prompt = self._prompt(evolve(request, names=None) if around.hole.is_text else request, observer)
        attempts: list[Completion] = []
        for candidate in tries(request.options):
            attempt = attempt_of(request, candidate, (monotonic() - started) * 1000.0)
            attempts.append(self._run_model(attempt, around, prompt, cancel, observer))
            if not attempts[-1].is_rejected:
                break
        resort = last_resort(attempts)
        if resort is None:
            return attempts
        if observer.traces and resort is not attempts[-1]:
            # What is explained is the generation that was observed last.
            attempt = attempt_of(request, resort.candidate, (monotonic() - started) * 1000.0)
            resort = self._run_model(attempt, around, prompt, cancel, observer)
        # Under the number that was requested: its own may lead to one that fits.
        return [
            *attempts,
            evolve(resort, candidate=request.options.candidate, generated_tokens=0, total_ms=0.0),
        ]

    def _run_model(
        self,
        request: CompletionRequest,
        around: Surroundings,
        prompt: Prompt,
        cancel: CancelToken,
        observer: CompletionObserver,
    ) -> Completion:
        options, started = request.options, monotonic()
        observer.prompted(request, prompt)
        # A stop rule ends the text before the model does: the generation has to be closed, not exhausted.
        with closing(self._model.generate(prompt, options, cancel, observer)) as generation:
            read = _Read(generation, observer, request, around, prompt)
            hole, stop = around.hole, read.until_stop(around.hole)
            checked = check(around, read.text, stop, read.rated, options, observer.begins)
            # The model closes a bracket that the editor has closed. It may go on, as if the editor had not.
            is_short = around.is_unfinished or checked.needs_more or not checked.cleaned.text
            if around.unclosed and stop and stop.rule is StopRule.CLOSED_AFTER and is_short:
                open_line, end = around.unclosed(), stop.end
                stop = read.until_stop(open_line.hole)
                over = check(open_line, read.text, stop, read.rated, options, observer.begins)
                rest = rest_over(over.cleaned.text, around.closers) if over.fits else None
                # What fits stays if that says no more, and so does a comma: strings fit without it.
                is_kept = not checked.rejection and (checked.over is None or checked.over.text.endswith(","))
                if rest and (rest.replaces or not is_kept):
                    hole, checked = open_line.hole, evolve(over, over=rest)
                elif not read.text[end:].lstrip(" ").startswith(around.closers.lstrip(" ")):
                    checked = evolve(checked, over=None)
        reason, timings = generation.finish_reason or "stop", generation.timings
        generated = GeneratedText(hole, read.text, checked.stop, reason, timings, checked.confidence)
        observer.finished(generated, checked.cleaned, checked.rejection)
        passed_ms = (monotonic() - started) * 1000.0
        completion = _completion(read.id, request, prompt, generated, checked, passed_ms)
        if checked.over and completion.text:
            completion = evolve(completion, text=checked.over.text, replaces=checked.over.replaces)
        confidence = checked.confidence if self.info.is_rated(options) and checked.cleaned.text else None
        return evolve(completion, confidence=confidence)

    def _cache_candidate(self, request: CompletionRequest, attempts: Sequence[Completion]) -> None:
        """Keep a candidate that replaced others under its own number too: it may be requested next."""
        *others, last = attempts
        if others and not last.is_rejected:
            parameters = evolve(request.options.parameters, seed=last.seed)
            key = key_of(request.with_options(parameters=parameters, candidate=last.candidate))
            self._cache.put(key, last.text, last, last.replaces)

    def _cache_unclosed(self, request: CompletionRequest, completion: Completion) -> None:
        """Keep a completion that replaces brackets for the text without them: they may be typed over next."""
        if completion.replaces and request.options.parameters.seed is None:
            text = request.before + request.after[completion.replaces :]
            key = key_of(evolve(request, text=text, offset=len(request.before)))
            self._cache.put(key, completion.text, evolve(completion, replaces=0))

    def _in_effect(self, request: CompletionRequest) -> CompletionRequest:
        """Return the request with its seed filled in, and no more context than the model takes."""
        options = request.options
        num_context = min(options.parameters.num_context, self.info.limits.most_context)
        parameters = evolve(options.parameters, seed=options.seed, num_context=num_context)
        return request.with_options(parameters=parameters)

    def _prompt(self, request: CompletionRequest, observer: CompletionObserver) -> Prompt:
        observer.begins("window")
        before, after = request.before, request.after
        header = file_header(request.path, request.language_id)
        if not header and not request.text.strip():
            raise NoCompletionReason.EMPTY.error()
        stray = stray_indentation(before, after, language_of(request.language_id, request.path))

        def build(count: CountTokens) -> Prompt:
            return build_prompt(
                before,
                after,
                request.options.parameters.num_context,
                observer.measuring(count),
                reads_suffix=self.info.reads_suffix,
                header=header,
                stray=stray,
                excerpts=request.excerpts if self.info.reads_files else (),
                context_share=request.options.context_share,
                name=file_name(request.path, request.language_id),
                names=request.names,
            )

        return evolve(with_counts(self._model.count_tokens, build), document=request.path)


class _Read:
    """What has been read of a generation."""

    def __init__(
        self,
        generation: TextGeneration,
        observer: CompletionObserver,
        request: CompletionRequest,
        around: Surroundings,
        prompt: Prompt,
    ) -> None:
        self._generation, self._pieces, self._observer = generation, iter(generation), observer
        self._request, self._around, self._prompt = request, around, prompt
        self.id, self.text, self.rated = uuid4().hex, "", [(0, 0.0)]
        self._lines_end = 0  # of those that were looked at

    def until_stop(self, hole: Hole) -> Stop | None:
        """Read on until the model ends, or a stop rule of the hole ends the text."""
        if self.text and (stop := find_stop(hole, self.text)) is not None:
            return stop
        for piece in self._pieces:
            self.text += piece
            self.rated.append((len(self.text), self._generation.log_probability))
            # This may be the last piece already; what is below knows that no more follows.
            if self._generation.finish_reason is not None:
                break
            self._observer.wrote(self.text)
            if (stop := find_stop(hole, self.text)) is not None:
                return stop
            if hole is self._around.hole and self._observer.wants_lines():
                self._report_lines(hole)
        ended = self._generation.finish_reason == "stop"
        stop = find_stop(hole, self.text, ended=ended)
        return stop or (None if ended else break_off(hole, self.text))

    def _report_lines(self, hole: Hole) -> None:
        """Report the lines that are finished, if they fit without the rest."""
        stop, request = first_lines(hole, self.text), self._request
        if stop is None or stop.end <= self._lines_end:
            return
        self._lines_end = stop.end
        checked = check_first_lines(self._around, self.text, stop, self.rated, request.options)
        if checked:
            timings = self._generation.timings
            generated = GeneratedText(hole, self.text, checked.stop, "stop", timings, checked.confidence)
            completion = _completion(self.id, request, self._prompt, generated, checked, timings.total_ms)
            self._observer.wrote_lines(_with_line_ends(completion, request))


def _completion(
    completion_id: str,
    request: CompletionRequest,
    prompt: Prompt,
    generated: GeneratedText,
    checked: Checked,
    total_ms: float,
) -> Completion:
    options, timings = request.options, generated.timings
    text, reason, message, note = checked.cleaned.text, checked.cleaned.empty_reason, None, None
    if generated.finish_reason == "timeout":
        # A part would depend on the machine's speed, and the same seed would not give the same text.
        text, reason = "", NoCompletionReason.TIMEOUT
    elif checked.rejection and checked.rejection.note:
        note = checked.rejection.note
    elif checked.rejection:
        text, reason, message = "", checked.rejection.reason, checked.rejection.message
    return Completion(
        id=completion_id,
        text=text,
        finish_reason=generated.finish_reason,
        empty_reason=reason.code if reason else None,
        empty_message=(message or reason.message) if reason else None,
        seed=options.seed,
        parameters=options.parameters,
        prompt_tokens=timings.prompt_tokens,
        cached_tokens=timings.cached_tokens,
        generated_tokens=timings.generated_tokens,
        first_token_ms=timings.first_token_ms,
        total_ms=total_ms,
        from_cache=False,
        candidate=options.candidate,
        is_rejected=bool(message or note)
        or reason is NoCompletionReason.DOES_NOT_FIT
        or _skips_line(generated, reason),
        note=note,
        excerpts=prompt.excerpts,
        names=request.names if prompt.names else None,
    )


def _skips_line(generated: GeneratedText, reason: NoCompletionReason | None) -> bool:
    """Whether the model goes on with the line below an empty one, on which the user wants something."""
    hole, stop = generated.hole, generated.stop
    is_empty_line = hole.shape is Shape.LINES and not hole.is_before_line
    is_below = stop is not None and stop.rule is StopRule.LINE_BELOW
    return is_empty_line and is_below and reason is NoCompletionReason.REPEATS_SUFFIX


def _with_line_ends(completion: Completion, request: CompletionRequest) -> Completion:
    """Return the completion with the line end that the request's text uses first."""
    line_end = found.group() if (found := LINE_END.search(request.text)) else "\n"
    return evolve(completion, text=completion.text.replace("\n", line_end))
