"""Completions as a completer would generate them, for tests of the ledger."""

import attrs

from aide_lsp.completion.model import ModelInfo
from aide_lsp.completion.request import Completion, CompletionRequest
from aide_lsp.context.excerpt import Excerpt
from aide_lsp.inference.options import GenerationOptions
from aide_lsp.settings.fields import Parameters

SECRET = "marker_of_the_source"
TEXT = f"def {SECRET}(a):\n    return \n"
OFFSET = len(TEXT) - 1
EXCERPTS = (
    Excerpt(f"{SECRET}/db.py", 13, "".join(f"{SECRET}_{n} = {n}\n" for n in range(12)), 1.5),
    Excerpt(f"{SECRET}/db.py", 25, f"def {SECRET}():\n    pass\n", 3.0),
    Excerpt("models.py", 1, f"# {SECRET}\n", 2),
)
"""Of other files; paths and texts hold the marker too."""


def model_info(**changes):
    """What a ledger knows of a model."""
    facts = {
        "id": "fake",
        "engine": "fake",
        "device": "cpu",
        "recipe": "exact",
        "vocabulary_size": 1_000,
        "context_length": 2_048,
        "source_sha256": "ab" * 32,
        "runtime": "1.30.0",
        "processor": "x86_64+fma",
        "replays": True,
    }
    return ModelInfo(**(facts | changes))


def request_for(text=TEXT, offset=OFFSET, **changes):
    """A request; the path holds the marker too."""
    options = GenerationOptions(Parameters(), max_tokens=128)
    names = {field.name for field in attrs.fields(GenerationOptions)}
    options = attrs.evolve(options, **{name: changes.pop(name) for name in names & changes.keys()})
    facts = {"language_id": "", "path": f"/home/{SECRET}/x.py", "options": options}
    return CompletionRequest(text=text, offset=offset, **(facts | changes))


def completion_of(number=0, **changes):
    """A completion; its text holds the marker too."""
    facts = {
        "id": f"{number:08x}ffff",
        "text": f"{SECRET} + a",
        "finish_reason": "stop",
        "empty_reason": None,
        "empty_message": None,
        "seed": number,
        "prompt_tokens": 20,
        "cached_tokens": 4,
        "generated_tokens": 5,
        "first_token_ms": 10.04,
        "total_ms": 50.0,
        "from_cache": False,
    } | changes
    return Completion(**facts, parameters=Parameters(seed=facts["seed"]))


def changed(instance, **changes):
    """An entry with other attributes, also of what it consists of."""
    own = {field.name: getattr(instance, field.name) for field in attrs.fields(type(instance))}
    parts = {name: changed(value, **changes) for name, value in own.items() if attrs.has(type(value))}
    return attrs.evolve(instance, **parts | {name: value for name, value in changes.items() if name in own})
