"""Completions as a completer would make them, for tests of the ledger."""

from types import SimpleNamespace

from aide_lsp.completion.completer import Completion, CompletionRequest
from aide_lsp.settings.fields import Parameters

SECRET = "marker_of_the_source"
TEXT = f"def {SECRET}(a):\n    return \n"
OFFSET = len(TEXT) - 1


def fake_completer(**changes):
    """What a ledger asks of a completer."""
    facts = {"model": "fake", "source_sha256": "ab" * 32, "recipe": "exact"} | changes
    return SimpleNamespace(model=SimpleNamespace(**facts), session=SimpleNamespace(provider="cpu"))


def request_for(text=TEXT, offset=OFFSET, **changes):
    """A request; the path holds the marker too."""
    facts = {
        "language_id": "",
        "path": f"/home/{SECRET}/x.py",
        "parameters": Parameters(),
        "max_tokens": 128,
        "deadline_ms": 0,
    }
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
