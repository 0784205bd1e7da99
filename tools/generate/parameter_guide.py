"""What the five parameters' values are good for: bands of each, and what to set for which task.

In: nothing. Out: the tables of `docs/parameters.md`; a test checks the presets against them. No completion
depends on a band.
"""

from collections.abc import Mapping
from textwrap import fill

from attrs import frozen

PAGE_WIDTH = 118


@frozen
class Band:
    """Values of one parameter that act alike."""

    name: str
    "`low`, `medium`, `high`; of the seed `fixed`, `changing`."
    values: str
    "The values as people write them."
    low: float | None
    "The least of them; None: they are no range."
    high: float | None
    "The greatest; None: no limit but the parameter's own."
    effect: str
    "What they do."
    good_for: str
    "What they suit."


@frozen
class Guide:
    """The bands of one parameter."""

    bands: tuple[Band, ...]
    "From low to high."
    between: str
    "What holds for values that are in none of them; empty: every value is in one."


GUIDES: Mapping[str, Guide] = {
    "temperature": Guide(
        (
            Band(
                "low",
                "0.1-0.3",
                0.1,
                0.3,
                "Nearly deterministic and focused. May repeat itself.",
                "facts, exact instructions, **code**",
            ),
            Band(
                "medium",
                "0.4-0.7",
                0.4,
                0.7,
                "Balanced: likely tokens, with some variety.",
                "conversation, creative text with a plan",
            ),
            Band(
                "high",
                "0.8-1.0",
                0.8,
                1.0,
                "Diverse and less coherent. More mistakes in code.",
                "brainstorming, poetry",
            ),
        ),
        "At 0 the most likely token is always taken (greedy), and just above 0 nearly always. Between two "
        "bands, as at 0.35 or 0.75, the effect is between theirs.",
    ),
    "top_k": Guide(
        (
            Band(
                "low",
                "1-10",
                1,
                10,
                "Very safe. May repeat itself; 1 is greedy.",
                "output that must be predictable",
            ),
            Band(
                "medium", "20-100", 20, 100, "Cuts off what is rarely drawn. Suits most uses.", "general use"
            ),
            Band(
                "high",
                ">100",
                101,
                None,
                "Lets unusual tokens through, some of them irrelevant.",
                "creative text, rare constructs",
            ),
        ),
        "From 11 to 19 the effect is between low and medium.",
    ),
    "top_p": Guide(
        (
            Band(
                "low",
                "0.1-0.5",
                0.1,
                0.5,
                "Focused and conservative.",
                "facts, one task with a definite answer",
            ),
            Band("medium", "0.6-0.9", 0.6, 0.9, "Balanced.", "conversation"),
            Band(
                "high",
                "0.91-1.0",
                0.91,
                1.0,
                "Diverse, with unexpected tokens; 1 cuts off nothing.",
                "brainstorming",
            ),
        ),
        "At 0 only the most likely token is left, and below 0.1 seldom another. Between two bands, as at "
        "0.55 or 0.905, the effect is between theirs.",
    ),
    "num_context": Guide(
        (
            Band(
                "low",
                "1-100",
                1,
                100,
                "Little background: the lines next to the cursor. Short prompts, quick answers.",
                "quick questions; a line that needs no more than its neighbors",
            ),
            Band(
                "medium",
                "101-1000",
                101,
                1000,
                "A balance of background and time.",
                "dialogue; most functions",
            ),
            Band(
                "high",
                ">1000",
                1001,
                None,
                "Takes far text into account, so long text stays coherent. Slower.",
                "long text, hard problems; imports, classes and names from elsewhere in the file",
            ),
        ),
        "",
    ),
    "seed": Guide(
        (
            Band(
                "fixed",
                "an integer",
                None,
                None,
                "The same completion each time.",
                "debugging, A/B tests, wherever consistency is critical",
            ),
            Band(
                "changing",
                "none, or `random`",
                None,
                None,
                "Another completion each time the model is asked.",
                "creative text, several options for one prompt",
            ),
        ),
        "",
    ),
}
"""The bands of each parameter by key."""


@frozen
class TaskAdvice:
    """What to set for one kind of task."""

    task: str
    "The kind of task."
    temperature: tuple[float, float]
    "Least and greatest Temperature."
    top_p: tuple[float, float]
    "Least and greatest Top P."
    top_k: tuple[int, int | None]
    "Least and greatest Top K; None: no limit."
    besides: str
    "What else helps."
    preset: str
    "What the preset of this name is for."


TASKS: Mapping[str, TaskAdvice] = {
    "factual": TaskAdvice(
        "factual questions",
        (0.1, 0.3),
        (0.1, 0.5),
        (20, 50),
        "more context, if the question needs it",
        "Text that must be right: docstrings, comments, configuration. Hardly any variety.",
    ),
    "creative": TaskAdvice(
        "creative writing",
        (0.7, 0.9),
        (0.9, 1.0),
        (100, None),
        "try several seeds",
        "Prose, names, other ways to write something. Much variety, more mistakes.",
    ),
    "conversational": TaskAdvice(
        "conversation",
        (0.5, 0.7),
        (0.7, 0.9),
        (50, 100),
        "as much context as the depth of the conversation needs",
        "Notes, documentation, messages. Between `factual` and `creative`.",
    ),
    "code": TaskAdvice(
        "code generation",
        (0.2, 0.5),
        (0.5, 0.7),
        (30, 70),
        "more context, so that the code keeps its structure",
        "Code that follows from the file. Little variety, twice the default context.",
    ),
}
"""What to set for each kind of task, by the preset that is made for it."""


def band_table(key: str) -> str:
    """Render the bands of a parameter as Markdown, with what holds between them."""
    guide = GUIDES[key]
    rows = ["| | Values | Effect | Good for |", "|---|---|---|---|"]
    rows += [f"| {band.name} | {band.values} | {band.effect} | {band.good_for} |" for band in guide.bands]
    return "\n".join([*rows, "", fill(guide.between, PAGE_WIDTH)] if guide.between else rows)


def task_table() -> str:
    """Render what to set for each task as Markdown."""
    rows = ["| Task | Preset | Temperature | Top P | Top K | Besides |", "|---|---|---|---|---|---|"]
    for preset, advice in TASKS.items():
        least, most = advice.top_k
        spans = [f"{low}-{high}" for low, high in (advice.temperature, advice.top_p)]
        spans.append(f"{least} and more" if most is None else f"{least}-{most}")
        rows.append(f"| {advice.task} | `{preset}` | {' | '.join(spans)} | {advice.besides} |")
    return "\n".join(rows)
