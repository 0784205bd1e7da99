"""Looks at a server for the user: what it is, what it honors, how fast it is, and what is the matter."""

from time import monotonic

from attrs import evolve, field, frozen

from aide_lsp.completion.model import ALL_PARAMETERS
from aide_lsp.completion.prompt import PartKind, Prompt, PromptPart
from aide_lsp.engines.remote.flavors.choice import ServerChoice
from aide_lsp.engines.remote.flavors.flavor import ServerFacts
from aide_lsp.engines.remote.model import RemoteModel, info_of
from aide_lsp.errors import ServerError, SettingsError
from aide_lsp.inference.cancel import CancelToken
from aide_lsp.inference.options import GenerationOptions
from aide_lsp.settings.fields import PARAMETERS, Parameters

TRIAL = "def add(a, b):\n    return"
"""What the server completes for the report; none of the user's text."""
TRIAL_TOKENS = 16
TRIAL_SECONDS = 60


@frozen
class ServerReport:
    """What is known of a server after it was asked."""

    host: str
    problem: str = ""
    "What is the matter, and what to do; empty: it completes."
    problem_kind: str = ""
    "A short code for it."
    name: str = ""
    "What it is: `llama.cpp`, `vLLM`, ...; empty: it has not answered."
    version: str = ""
    models: tuple[str, ...] = ()
    "All that it lists."
    model: str = ""
    "The one that is used."
    context_length: int = 0
    "Tokens that it takes; 0: unknown."
    format: str = ""
    "Name of the FIM format that prompts are written in; empty: the server writes them itself."
    format_from: str = ""
    "How that was found out."
    reads_suffix: bool = False
    reads_files: bool = False
    honored: frozenset[str] = ALL_PARAMETERS
    replays: bool = False
    "Whether one seed always gives the same bytes."
    notes: tuple[str, ...] = ()
    "What was assumed, and what is not available."
    round_trip_ms: float = 0.0
    "For a question that needs no model, on an open connection."
    first_token_ms: float = 0.0
    "For a prompt of a few tokens."
    tokens_per_second: float = 0.0
    "After the first token; 0: too few came."
    text: str = field(default="", repr=False)
    "What it generated for a line of Python."

    @property
    def ignored(self) -> tuple[str, ...]:
        """Names of the generation parameters without effect."""
        return tuple(name for name in PARAMETERS if name not in self.honored)


def look_at_server(choice: ServerChoice) -> ServerReport:
    """Ask a server what it is, and have it complete a line of Python. None of the user's text is sent."""
    cancel, report = CancelToken(), ServerReport(choice.address.host)
    model = None
    try:
        model = RemoteModel(choice)
        report = _described(choice, model.connect(cancel))
        return _timed(model, report, cancel)
    except ServerError as error:
        return evolve(report, problem=str(error), problem_kind=error.kind)
    except SettingsError as error:
        return evolve(report, problem=str(error), problem_kind="settings")
    finally:
        if model is not None:
            model.close()


def _described(choice: ServerChoice, facts: ServerFacts) -> ServerReport:
    info = info_of(choice, facts)
    return ServerReport(
        host=info.host,
        name=facts.name,
        version=facts.version,
        models=facts.models,
        model=facts.model,
        context_length=facts.context_length,
        format=facts.template.format.name if facts.template else "",
        format_from=facts.format_from,
        reads_suffix=info.reads_suffix,
        reads_files=facts.reads_files,
        honored=info.honored,
        replays=info.replays,
        notes=facts.notes,
    )


def _timed(model: RemoteModel, report: ServerReport, cancel: CancelToken) -> ServerReport:
    prompt = Prompt((PromptPart(PartKind.PREFIX, TRIAL), PromptPart(PartKind.SUFFIX, "\n")))
    options = GenerationOptions(
        Parameters(temperature=0.0, seed=0), max_tokens=TRIAL_TOKENS, deadline_ms=TRIAL_SECONDS * 1000
    )
    started = monotonic()
    model.ping(cancel)
    round_trip_ms = (monotonic() - started) * 1000.0
    generation = model.generate(prompt, options, cancel)
    text = "".join(generation)
    timings = generation.timings
    generation.close()
    if generation.finish_reason == "timeout":
        problem = f"{report.host} has not completed one line within {TRIAL_SECONDS} s. See the server's log."
        return evolve(report, problem=problem, problem_kind="timeout", round_trip_ms=round_trip_ms)
    seconds = (timings.total_ms - timings.first_token_ms) / 1000.0
    tokens = timings.generated_tokens - 1
    return evolve(
        report,
        round_trip_ms=round_trip_ms,
        first_token_ms=timings.first_token_ms,
        tokens_per_second=tokens / seconds if tokens >= 3 and seconds > 0 else 0.0,
        text=text,
    )
