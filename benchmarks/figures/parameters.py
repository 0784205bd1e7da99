"""Measures the figures of docs/parameters.md on the default model, and draws them.

Writes docs/figures/parameters.json and the SVG files next to it. With `--draw` it only draws what was
measured before; with `--times` it only measures the times again: everything else depends on the model alone.
"""

import argparse
import inspect
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aide_lsp.settings.fields import Parameters, Settings
from benchmarks.figures.svg import WIDTH, Drawing
from benchmarks.load_meter import core_count, read_clocks, usage
from benchmarks.machine import describe

if TYPE_CHECKING:
    from aide_lsp.completion.completer import Completer
    from aide_lsp.completion.request import Completion

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "figures"
SETTINGS = Settings(provider="cpu", recipe="exact")
"""The recipe is the same on all processors, so that the figures are."""
CURSOR = "█"
TEXT = '''import statistics


def summary(numbers):
    """Describe a list of numbers in one line."""
    return █


print(summary([1, 2, 3]))
'''
TEMPERATURES = (0.2, 0.7, 1.0)
TOP_PS = (0.5, 0.8, 0.95)
TOP_KS = (5, 10)
SHOWN = 20
VARIETY_TEMPERATURES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
SEEDS = 20
CONTEXTS = (128, 256, 512, 768, 1024, 2048)
ROUNDS = 5


def main() -> None:
    """Measure, unless only drawing is requested; write the figures."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.figures.parameters",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--draw", action="store_true", help="only draw what was measured before")
    parser.add_argument("--times", action="store_true", help="only measure the times again")
    options, path = parser.parse_args(), FOLDER / "parameters.json"
    data = json.loads(path.read_text(encoding="utf-8")) if options.draw or options.times else {}
    if not options.draw:
        FOLDER.mkdir(exist_ok=True)
        data |= measure_times() if options.times else {**measure(), **measure_times()}
        path.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    for name, text in figures(data).items():
        (FOLDER / name).write_text(text, encoding="utf-8")
        print(FOLDER / name)


def measure() -> dict[str, Any]:
    """Measure everything but the times."""
    completer = default_completer()
    return {
        "model": completer.info.id,
        "recipe": completer.info.recipe,
        "cursor": TEXT,
        "next_token": next_token(),
        "distinct": distinct_completions(completer),
    }


def measure_times() -> dict[str, Any]:
    """Time the first token; note the machine and how busy it was with other programs."""
    completer = default_completer()
    before = read_clocks()
    times = first_token_times(completer)
    others = usage(before, read_clocks(), core_count()).others
    return {"first_token": times, "machine": describe(), "others": round(others, 2)}


def default_completer() -> "Completer":
    """Open the default model on the CPU."""
    from aide_lsp.loading import load_completer

    return load_completer(SETTINGS, lambda share, sentence: None)


def next_token() -> dict[str, Any]:
    """Return the most likely tokens at the cursor, and their probabilities at several temperatures."""
    import numpy as np

    from aide_lsp.inference.sampler import probabilities

    tokenizer, logits = cursor_logits()
    # Stable, so that ties have the same order in every run.
    best = np.argsort(-logits, kind="stable")[:SHOWN]
    return {
        "tokens": [tokenizer.decode([int(token)]) for token in best],
        "probabilities": {
            str(temperature): [
                round(float(p), 4) for p in probabilities(logits, temperature, None, None)[best]
            ]
            for temperature in TEMPERATURES
        },
    }


def cursor_logits() -> tuple[Any, Any]:
    """Run the prompt of the cursor; return the tokenizer and the logits (V,) of the next token.

    The space before the cursor is left out, as Aide does: the next token contains it.
    """
    from aide_lsp.completion.fim_template import open_format
    from aide_lsp.completion.prompt import build_prompt
    from aide_lsp.inference.cancel import CancelToken
    from aide_lsp.inference.onnx.model_folder import read_model_folder
    from aide_lsp.inference.onnx.open import open_session
    from aide_lsp.inference.prefix_cache import plan
    from aide_lsp.inference.tokenizer import Tokenizer
    from aide_lsp.loading import model_folder

    folder = model_folder(SETTINGS, lambda share, sentence: None)
    tokenizer, session = Tokenizer.from_file(folder / "tokenizer.json"), open_session(folder, "cpu")
    before, after = TEXT.split(CURSOR)
    prompt = build_prompt(before, after, 1024, lambda text: len(tokenizer.encode(text)), reads_suffix=True)
    ids = open_format(read_model_folder(folder).fim, tokenizer).render(prompt, tokenizer.encode)
    for chunk in plan(ids, 0, session.row_rule):
        session.forward(chunk.ids, chunk.past, [chunk.row], CancelToken())
    return tokenizer, session.full_logits()[-1]


def distinct_completions(completer: "Completer") -> dict[str, int]:
    """Count the different completions of all seeds, by temperature."""
    prefix, suffix = TEXT.split(CURSOR)
    return {
        str(temperature): len(
            {
                complete(
                    completer, prefix + suffix, len(prefix), temperature=temperature, top_p=1.0, seed=seed
                ).text
                for seed in range(SEEDS)
            }
        )
        for temperature in VARIETY_TEMPERATURES
    }


def first_token_times(completer: "Completer") -> dict[str, Any]:
    """Return milliseconds to the first token with nothing in the prefix cache, by Num Context.

    The shortest of several, because other programs only ever make it longer. Each request is at another place
    of a long file, so that it shares nothing with the previous one.
    """
    text = inspect.getsource(argparse)
    lines = [end for end in range(len(text) // 3, len(text)) if text[end] == "\n"]
    times: dict[int, list[float]] = {size: [] for size in CONTEXTS}
    read: dict[int, list[int]] = {size: [] for size in CONTEXTS}
    for turn in range(ROUNDS):
        for index, size in enumerate(CONTEXTS):
            at = lines[(turn * len(CONTEXTS) + index) * 37 % len(lines)]
            made = complete(completer, text, at, num_context=size, temperature=0.0, max_tokens=1)
            # A request that shares more of its prompt with an earlier one would be too fast.
            if made.generated_tokens and made.cached_tokens < 8:
                times[size].append(made.first_token_ms)
                read[size].append(made.prompt_tokens)
    return {str(size): {"ms": round(min(times[size])), "tokens": max(read[size])} for size in CONTEXTS}


def complete(
    completer: "Completer", text: str, offset: int, max_tokens: int = 48, **parameters: Any
) -> "Completion":
    """Complete a Python text with the default parameters except for those given."""
    from aide_lsp.completion.request import CompletionRequest
    from aide_lsp.inference.cancel import CancelToken
    from aide_lsp.inference.options import GenerationOptions

    request = CompletionRequest(
        text=text,
        offset=offset,
        language_id="python",
        path="example.py",
        options=GenerationOptions(Parameters(**parameters), max_tokens),
    )
    return completer.complete(request, CancelToken())


def figures(data: Mapping[str, Any]) -> dict[str, str]:
    """Draw all figures: file name -> SVG."""
    drawn: dict[str, Callable[[Mapping[str, Any]], str]] = {
        "temperature.svg": temperature_figure,
        "cuts.svg": cuts_figure,
        "variety.svg": variety_figure,
        "first_token.svg": first_token_figure,
    }
    return {name: draw(data) for name, draw in drawn.items()}


def temperature_figure(data: Mapping[str, Any]) -> str:
    """Draw the most likely tokens side by side for each temperature."""
    rows, left, panel, step = 8, 150, 225, 27
    drawing = Drawing(
        104 + rows * step + 26,
        "Temperature: the same eight tokens at one cursor",
        "Probability of the next token after “return”, with Top K and Top P off",
    )
    for row, token in enumerate(data["next_token"]["tokens"][:rows]):
        drawing.write(left - 14, 122 + row * step, visible(token), "label code", "end")
    for index, (temperature, probabilities) in enumerate(data["next_token"]["probabilities"].items()):
        x = left + index * (panel + 8)
        drawing.write(x, 92, f"Temperature {float(temperature):g}", "label")
        drawing.rule(x, 102, x, 104 + rows * step, "axis")
        for row, share in enumerate(probabilities[:rows]):
            width = share * (panel - 62)
            drawing.bar(x, 107 + row * step, max(width, 1.0), step - 7)
            drawing.write(x + width + 7, 122 + row * step, percent(share), "note")
    return drawing.text()


def cuts_figure(data: Mapping[str, Any]) -> str:
    """Draw the probabilities of the most likely tokens, their running sum, and the cuts."""
    tokens, shares = data["next_token"]["tokens"], data["next_token"]["probabilities"]["1.0"]
    left, top, bottom, right = 64, 84, 372, WIDTH - 176
    step = (right - left) / len(tokens)
    drawing = Drawing(
        476,
        "Top K and Top P: where the tail is cut off",
        "Bars: probability of each token at Temperature 1, most likely first. Line: running sum.",
    )
    height = lambda share: bottom - share * (bottom - top)  # noqa: E731 - a scale, not a function of its own
    for tenth in (0, 25, 50, 75, 100):
        drawing.rule(left, height(tenth / 100), right, height(tenth / 100), "grid" if tenth else "axis")
        drawing.write(left - 10, height(tenth / 100) + 4, f"{tenth} %", "note", "end")
    sums = [sum(shares[: index + 1]) for index in range(len(shares))]
    for index, (token, share) in enumerate(zip(tokens, shares, strict=True)):
        x = left + index * step
        drawing.bar(x + 3, height(share), step - 6, bottom - height(share))
        drawing.write_down(x + step / 2 + 4, bottom + 12, visible(token))
    drawing.path([(left + (index + 0.5) * step, height(total)) for index, total in enumerate(sums)])
    for share in TOP_PS:
        kept = next((index for index, total in enumerate(sums) if total > share), len(sums)) + 1
        drawing.rule(left, height(share), right, height(share), "cut")
        drawing.write(right + 8, height(share) + 4, f"Top P {share:g}: {kept} tokens", "warm")
    for count in TOP_KS:
        x = left + count * step
        drawing.rule(x, top - 4, x, bottom, "cut")
        drawing.write(x + 6, bottom - 96, f"Top K {count}", "warm halo")
    return drawing.text()


def variety_figure(data: Mapping[str, Any]) -> str:
    """Draw how many different completions the seeds gave at each temperature."""
    left, top, bottom, right = 64, 84, 290, WIDTH - 40
    drawing = Drawing(
        356,
        f"How many different completions {SEEDS} seeds give",
        "The cursor of the other figures; Top K 50, Top P 1",
    )
    height = lambda count: bottom - count / SEEDS * (bottom - top)  # noqa: E731
    for count in range(0, SEEDS + 1, 5):
        drawing.rule(left, height(count), right, height(count), "grid" if count else "axis")
        drawing.write(left - 10, height(count) + 4, str(count), "note", "end")
    step = (right - left) / len(data["distinct"])
    for index, (temperature, count) in enumerate(data["distinct"].items()):
        x = left + index * step
        drawing.bar(x + step * 0.22, height(count), step * 0.56, bottom - height(count))
        drawing.write(x + step / 2, height(count) - 7, str(count), "label", "middle")
        drawing.write(x + step / 2, bottom + 21, f"{float(temperature):g}", "label", "middle")
    drawing.write((left + right) / 2, bottom + 46, "Temperature", "note", "middle")
    return drawing.text()


def first_token_figure(data: Mapping[str, Any]) -> str:
    """Draw the time to the first token against Num Context, as multiples of the default's."""
    left, top, bottom, right = 64, 92, 330, WIDTH - 60
    sizes = [int(size) for size in data["first_token"]]
    default = Parameters().num_context
    base = data["first_token"][str(default)]["ms"]
    ratios = [entry["ms"] / base for entry in data["first_token"].values()]
    drawing = Drawing(
        400,
        "What Num Context costs: time to the first token, nothing in the cache",
        f"1 = the time at the default of {default}. Shortest of {ROUNDS}; other programs used "
        f"{data['others']:.0%} of the machine.",
    )
    most = max(2.5, max(ratios) * 1.1)
    place = lambda size, ratio: (  # noqa: E731
        left + size / max(sizes) * (right - left),
        bottom - ratio / most * (bottom - top),
    )
    for half in range(int(most * 2) + 1):
        y = place(0, half / 2)[1]
        drawing.rule(left, y, right, y, "grid" if half else "axis")
        drawing.write(left - 10, y + 4, f"{half / 2:g}", "note", "end")
    points = [place(size, ratio) for size, ratio in zip(sizes, ratios, strict=True)]
    drawing.path(points)
    for (x, y), size, ratio in zip(points, sizes, ratios, strict=True):
        drawing.write(x, y - 13, f"{ratio:.2f}", "label halo", "middle")
        drawing.write(x, bottom + 21, str(size), "label", "middle")
    drawing.write((left + right) / 2, bottom + 48, "Num Context, tokens", "note", "middle")
    return drawing.text()


def visible(token: str) -> str:
    """Make spaces and line ends of a token visible."""
    return token.replace(" ", "␣").replace("\n", "↵")


def percent(share: float) -> str:
    """Return a share as people write it."""
    return f"{share:.0%}" if share >= 0.0995 else f"{share:.1%}" if share >= 0.001 else "< 0.1%"


if __name__ == "__main__":
    main()
