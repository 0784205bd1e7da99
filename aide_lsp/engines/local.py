"""The engine that runs ONNX models in this process: tokenizer, session, KV cache, sampler.

Owns all that outlives one completion: the slots (texts whose keys and values are held), the drafter, and
the token ids of recently encoded texts. `engine.py` shares a loaded model among several clients.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache, lru_cache, partial
from pathlib import Path
from time import monotonic
from typing import TypeVar

from attrs import evolve, frozen

from aide_lsp.completion.fim_template import open_format
from aide_lsp.completion.model import ModelInfo
from aide_lsp.completion.observer import UNOBSERVED, CompletionObserver, RenderedPiece, RenderedPrompt
from aide_lsp.completion.prompt import PartKind, Prompt
from aide_lsp.engines.turns import SHARED_CHUNK_ROWS, Turns
from aide_lsp.inference.cancel import Cancelled, CancelToken
from aide_lsp.inference.drafting import Drafter
from aide_lsp.inference.generate import Generation, check_length, generate
from aide_lsp.inference.memory import return_freed_memory
from aide_lsp.inference.observer import Timings
from aide_lsp.inference.onnx.model_folder import ModelFolder, read_model_folder
from aide_lsp.inference.onnx.open import open_session
from aide_lsp.inference.onnx.processor import processor_kind
from aide_lsp.inference.onnx.runtime import import_runtime, installed_runtimes, thread_count
from aide_lsp.inference.options import GenerationOptions
from aide_lsp.inference.prefix_cache import CHUNK_ROWS, PrefixCache
from aide_lsp.inference.runtime_errors import session_errors
from aide_lsp.inference.self_test import keeps_bits
from aide_lsp.inference.session import Alone, Session
from aide_lsp.inference.slots import Slots
from aide_lsp.inference.token_healing import heal
from aide_lsp.inference.tokenizer import TextStream, Tokenizer
from aide_lsp.settings.fields import Settings

C = TypeVar("C", bound=PrefixCache | None)
ENCODED_TEXTS = 8192
"""Texts whose token ids are remembered: most lines of a window are those of the last one."""
LONGEST_ENCODED = 8_192
"""Characters of the longest of them: what fills a large context would otherwise fill the memory."""


class LoadedModel:
    """What all clients of a model share: its session, and how texts become tokens. Not the KV caches."""

    def __init__(
        self,
        tokenizer: Tokenizer,
        session: Session,
        description: ModelFolder,
        folder: Path | None = None,
        *,
        context_share: float = 0.0,
    ) -> None:
        """Take the parts of a model; `context_share`: that of its card.

        Raises:
            ModelFilesError: its FIM format is unknown or its vocabulary lacks a token of it.
        """
        self.tokenizer, self.session = tokenizer, session
        self.template = open_format(description.fim, tokenizer)
        self.start = () if description.bos is None else (description.bos,)
        # Control tokens have no text: another file, a message or a turn follows, whichever it is.
        self.end_tokens = description.end_tokens | tokenizer.control_tokens
        # As a tuple, since all callers share what a cache returns.
        self._encode = lru_cache(maxsize=ENCODED_TEXTS)(lambda text: tuple(tokenizer.encode(text)))
        # A cache of its own: a window counts each of its lines, and a hit calls no Python function.
        self.count_tokens = lru_cache(maxsize=ENCODED_TEXTS)(lambda text: len(self.encode(text)))
        self.info = ModelInfo(
            id=description.model,
            engine="onnx",
            device=session.provider,
            device_note=session.provider_note,
            recipe=description.recipe,
            vocabulary_size=session.vocab_size,
            context_length=session.context_length,
            source_sha256=description.source_sha256,
            runtime=_runtime_version(),
            processor=processor_kind(),
            folder=folder,
            fim=self.template.format.name,
            reads_suffix=self.template.format.reads_suffix,
            reads_files=self.template.reads_files,
            context_share=context_share if self.template.reads_files else 0.0,
            replays=True,
            explains=True,
        )

    def encode(self, text: str) -> tuple[int, ...]:
        """Return the token ids of a text."""
        return self._encode(text) if len(text) <= LONGEST_ENCODED else tuple(self.tokenizer.encode(text))

    def forget_texts(self) -> None:
        """Free what is remembered of texts."""
        self._encode.cache_clear()
        self.count_tokens.cache_clear()


@frozen
class Shared:
    """What a client of a shared session needs."""

    slots: Slots
    "Those of all clients."
    turns: Turns
    "Decides whose forward runs next."
    owner: str
    "Any name of this client."


class LocalModel:
    """A `completion.model.Model` on a session in this process."""

    def __init__(
        self, loaded: LoadedModel, *, cache_mb: int = Settings().cache_mb, shared: Shared | None = None
    ) -> None:
        """Take a loaded model. What it has prefilled takes `cache_mb` MB of memory at most.

        With `shared`, other clients use the same session, and this one runs one generation at a time.
        """
        self._loaded, self._shared = loaded, shared
        self._session, self._tokenizer, self._template = loaded.session, loaded.tokenizer, loaded.template
        self._slots = shared.slots if shared else Slots(loaded.session, cache_mb * 1_000_000)
        self._owner = shared.owner if shared else ""
        self._drafter = Drafter()
        self.info, self.count_tokens = loaded.info, loaded.count_tokens

    @property
    def failure(self) -> None:
        """See `Model`: there is no server."""
        return None

    def is_back(self) -> bool:
        """See `Model`."""
        return True

    def generate(
        self,
        prompt: Prompt,
        options: GenerationOptions,
        cancel: CancelToken,
        observer: CompletionObserver = UNOBSERVED,
    ) -> "LocalGeneration":
        """See `Model`."""
        ids = self._render(prompt)
        if observer.traces:
            observer.rendered(self._rendered(prompt))
        healed = heal(prompt.healed, self._tokenizer, prompt.names)
        # The healed text is generated again, and does not count toward the limit.
        options = evolve(options, max_tokens=options.max_tokens + self.count_tokens(prompt.healed))
        turn = self._turn()
        deadline = monotonic() + options.deadline_ms / 1000.0 if options.deadline_ms else None
        prefix_cache = self._take(self._slots.take, ids, prompt, turn, cancel, deadline)
        try:
            tokens = generate(
                self._session,
                prefix_cache,
                ids,
                options,
                cancel,
                end_tokens=self._loaded.end_tokens,
                healed=healed,
                observer=observer,
                drafter=self._drafter,
                turn=turn,
            )
        except BaseException:
            self._leave()
            raise
        return LocalGeneration(tokens, TextStream(self._tokenizer), healed.length, self._leave)

    def prefill(self, prompt: Prompt, options: GenerationOptions, cancel: CancelToken) -> int:
        """See `Model`."""
        # One token is the least that runs the prompt. No one waits, so there is no deadline.
        ids, options = self._render(prompt), evolve(options, max_tokens=1, deadline_ms=0)
        turn = self._turn(ahead=True)
        take: Callable[..., PrefixCache | None] = partial(self._slots.take, ahead=True)
        if prompt.is_next:
            take = self._slots.take_spare
        if prompt.is_next and not self._shared and not self._session.row_rule.block:
            # It runs between two keys, and what a key interrupts is lost.
            turn.chunk_rows = SHARED_CHUNK_ROWS
        prefix_cache = self._take(take, ids, prompt, turn, cancel, None)
        if prefix_cache is None:
            self._leave()
            return 0
        try:
            generation = generate(
                self._session,
                prefix_cache,
                ids,
                options,
                cancel,
                end_tokens=self._loaded.end_tokens,
                turn=turn,
            )
            with generation:
                next(generation, None)
        finally:
            self._leave()
        _tidy(generation.timings)
        if generation.finish_reason == "cancelled":
            raise Cancelled
        return generation.timings.prompt_tokens - generation.timings.cached_tokens

    def self_test(self) -> bool:
        """See `Model`."""
        self._session.use(self._session.new_kv())  # the slots keep what they hold
        return keeps_bits(self._session)

    def release_memory(self) -> None:
        """See `Model`."""
        self._slots.shrink()
        self._loaded.forget_texts()
        return_freed_memory()

    def _turn(self, *, ahead: bool = False) -> Alone:
        return self._shared.turns.turn(self._owner, ahead=ahead) if self._shared else Alone(ahead=ahead)

    def _take(
        self,
        take: Callable[..., C],
        ids: list[int],
        prompt: Prompt,
        turn: Alone,
        cancel: CancelToken,
        deadline: float | None,
    ) -> C:
        """Choose the KV cache of a generation, which `_leave` ends."""
        # First: a prompt that cannot be read would push others out.
        check_length(ids, self._session)
        with turn.held(cancel, deadline), session_errors():
            found = take(ids, prompt.document, owner=self._owner)
            turn.kv = self._session.kv
        return found

    def _leave(self) -> None:
        self._slots.leave(self._owner)
        if self._shared:
            self._shared.turns.leave(self._owner)

    def _render(self, prompt: Prompt) -> list[int]:
        # A model needs something to continue: an empty text is given to it as an empty line.
        encode = self._loaded.encode
        text = self._template.render(self._as_trained(prompt), encode) or encode("\n")
        return [*self._loaded.start, *text]

    def _as_trained(self, prompt: Prompt) -> Prompt:
        """Return the prompt with a blank before the text, for a model that was trained on such texts."""
        # Infilling models were trained to read one before the prefix, never before the suffix.
        kinds = (PartKind.HEADER, PartKind.PREFIX)
        first = next((part for part in prompt.parts if part.kind in kinds and part.text), None)
        if first is None or not self._tokenizer.space_prefix:
            return prompt
        return evolve(
            prompt,
            parts=tuple(evolve(p, text=f" {p.text}") if p is first else p for p in prompt.parts),
        )

    def _rendered(self, prompt: Prompt) -> RenderedPrompt:
        start = (
            RenderedPiece("control", self._tokenizer.control_name(token), 1) for token in self._loaded.start
        )
        pieces = (
            RenderedPiece("control", piece, 1)
            if isinstance(piece, str)
            else RenderedPiece(piece.kind.value, piece.text, self.count_tokens(piece.text), piece.excerpt)
            for piece in self._template.pieces(self._as_trained(prompt))
        )
        return RenderedPrompt(
            format=self._template.format.name,
            pieces=(*start, *pieces),
            healed_tokens=self.count_tokens(prompt.healed),
            tokenizer=self._tokenizer,
            control_names=self._template.names,
            end_tokens=self._loaded.end_tokens,
        )


class LocalGeneration:
    """A `completion.model.TextGeneration`: decodes tokens, and leaves out the healed text."""

    def __init__(
        self, tokens: Generation, stream: TextStream, healed_length: int, leave: Callable[[], object]
    ) -> None:
        self._leave = leave
        self._tokens, self._stream, self._healed_length = tokens, stream, healed_length
        self.finish_reason: str | None = None
        self._is_closed = False

    @property
    def timings(self) -> Timings:
        """See `TextGeneration`."""
        return self._tokens.timings

    @property
    def log_probability(self) -> float:
        """See `TextGeneration`."""
        return self._tokens.log_probability

    def __iter__(self) -> Iterator[str]:
        left = self._healed_length
        for token in self._tokens:
            text = self._stream.push(token)
            if piece := text[left:]:
                yield piece
            left = max(0, left - len(text))
        if self._tokens.finish_reason == "cancelled":
            raise Cancelled
        self.finish_reason = self._tokens.finish_reason
        if rest := self._stream.finish()[left:]:
            yield rest

    def close(self) -> None:
        """See `TextGeneration`."""
        if self._is_closed:
            return  # the slot may be in use for the next one by now
        self._is_closed = True
        self._tokens.close()
        # Closed by its reader, whose stop rule has ended the text.
        self.finish_reason = self.finish_reason or "stop"
        self._leave()
        _tidy(self._tokens.timings)


def open_local_model(
    folder: Path, provider: str, threads: int, cache_mb: int, *, fim: str | None, context_share: float = 0.0
) -> LocalModel:
    """Load the model in a folder; arguments as in the settings, and `fim` and `context_share` of its card.

    The format in the folder's manifest is that of the time of conversion: the card may have been edited.

    Raises:
        ModelFilesError: its files cannot be used.
        SessionError: the runtime cannot load them.
    """
    loaded = load_model(folder, provider, threads, fim=fim, context_share=context_share)
    return LocalModel(loaded, cache_mb=cache_mb)


def load_model(
    folder: Path, provider: str, threads: int, *, fim: str | None, context_share: float = 0.0
) -> LoadedModel:
    """Load the model in a folder; arguments as for `open_local_model`.

    Raises:
        ModelFilesError, SessionError: as `open_local_model`.
    """
    description = evolve(read_model_folder(folder), fim=fim)
    # Graph and tokenizer take half a second each. The runtime does not hold the GIL while it loads a
    # graph. It is imported first: two threads that import would share the GIL, and delay the graph.
    import_runtime()
    with ThreadPoolExecutor(1) as executor:
        session = executor.submit(open_session, folder, provider, thread_count(threads))
        tokenizer = Tokenizer.from_file(folder / "tokenizer.json")
        loaded = LoadedModel(tokenizer, session.result(), description, folder, context_share=context_share)
    return_freed_memory()
    return loaded


def _tidy(timings: Timings) -> None:
    """Return memory to the system if many rows were run; that takes a few milliseconds."""
    if timings.prompt_tokens - timings.cached_tokens > CHUNK_ROWS:
        return_freed_memory()


@cache
def _runtime_version() -> str:
    """Look the version up once: it takes a millisecond or two."""
    return next(reversed(installed_runtimes().values()), "")
