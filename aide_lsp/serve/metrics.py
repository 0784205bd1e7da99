"""Figures of a running server, in the text format of Prometheus.

No text is among them, and no name of a session or a document.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from threading import Lock

from attrs import field, frozen

from aide_lsp.engines.engine import EngineLoad
from aide_lsp.inference.observer import Timings

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
FIRST_TOKEN_BOUNDS = (0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8)
PER_TOKEN_BOUNDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1.0)
Labels = tuple[tuple[str, str], ...]


@frozen
class Counter:
    """A number that only grows, for each combination of labels."""

    name: str
    help: str
    values: dict[Labels, float] = field(factory=dict)

    def add(self, amount: float = 1, **labels: str) -> None:
        """Add to it."""
        key = tuple(sorted(labels.items()))
        self.values[key] = self.values.get(key, 0) + amount


class Histogram:
    """How often values were at most as large as each bound."""

    def __init__(self, name: str, help_text: str, bounds: tuple[float, ...]) -> None:
        self.name, self.help, self._bounds = name, help_text, bounds
        self._counts, self._sum = [0] * (len(bounds) + 1), 0.0

    def observe(self, value: float) -> None:
        """Add a value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def samples(self) -> Iterable[tuple[str, Labels, float]]:
        """Yield name, labels and value of each sample."""
        total = 0
        for bound, count in zip([*map(str, self._bounds), "+Inf"], self._counts, strict=True):
            total += count
            yield f"{self.name}_bucket", (("le", bound),), total
        yield f"{self.name}_sum", (), self._sum
        yield f"{self.name}_count", (), total


class Metrics:
    """All figures. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._requests = Counter("aide_requests_total", "Requests that ended, by kind and end.")
        self._refused = Counter("aide_refused_total", "Requests that were refused, by reason.")
        self._cancelled = Counter("aide_cancelled_total", "Generations that nobody waited for anymore.")
        self._prompt = Counter("aide_prompt_tokens_total", "Prompt tokens, by whether they were cached.")
        self._generated = Counter("aide_generated_tokens_total", "Tokens generated.")
        self._first = Histogram(
            "aide_first_token_seconds",
            "Seconds from a request to its first text.",
            FIRST_TOKEN_BOUNDS,
        )
        self._per_token = Histogram(
            "aide_token_seconds", "Seconds per token after the first one.", PER_TOKEN_BOUNDS
        )

    def refused(self, reason: str) -> None:
        """Note a refused request; `reason` is one of our codes."""
        with self._lock:
            self._refused.add(reason=reason)

    def ended(self, kind: str, end: str, timings: Timings | None = None, first: float = 0.0) -> None:
        """Note the end of a request.

        Args:
            kind: `generate`, `prefill`, ...
            end: finish reason or error code.
            timings: what it cost; None: no model ran.
            first: seconds until its first text; 0: there was none.
        """
        with self._lock:
            self._requests.add(kind=kind, end=end)
            if end == "cancelled":
                self._cancelled.add()
            if timings is None:
                return
            self._prompt.add(timings.cached_tokens, source="cached")
            self._prompt.add(timings.prompt_tokens - timings.cached_tokens, source="run")
            self._generated.add(timings.generated_tokens)
            if first:
                self._first.observe(first)
            if timings.generated_tokens > 1:
                rest = (timings.total_ms - timings.first_token_ms) / 1000
                self._per_token.observe(rest / (timings.generated_tokens - 1))

    def text(self, load: EngineLoad | None, connections: int) -> str:
        """Return all figures as Prometheus reads them."""
        with self._lock:
            blocks = [_block(one.name, one.help, "counter", _samples(one)) for one in self._counters]
            blocks += [_block(one.name, one.help, "histogram", one.samples()) for one in self._histograms]
        gauges = {"aide_connections": ("Open connections.", float(connections))}
        gauges["aide_ready"] = ("Whether the engine is loaded.", float(load is not None))
        if load is not None:
            gauges |= {
                "aide_running": ("Generations that have begun.", load.running),
                "aide_waiting": ("Generations that wait for a turn.", load.waiting),
                "aide_sessions": ("Client sessions.", load.sessions),
                "aide_kv_bytes": ("Memory of the KV slots of all sessions.", load.cached_bytes),
            }
        blocks += [_block(name, text, "gauge", [(name, (), value)]) for name, (text, value) in gauges.items()]
        return "".join(blocks)

    @property
    def _histograms(self) -> tuple[Histogram, ...]:
        return self._first, self._per_token

    @property
    def _counters(self) -> tuple[Counter, ...]:
        return self._requests, self._refused, self._cancelled, self._prompt, self._generated


def _samples(counter: Counter) -> Iterable[tuple[str, Labels, float]]:
    return [(counter.name, labels, value) for labels, value in sorted(counter.values.items())]


def _block(name: str, help_text: str, kind: str, samples: Iterable[tuple[str, Labels, float]]) -> str:
    lines = [f"# HELP {name} {help_text}", f"# TYPE {name} {kind}"]
    lines += [f"{sample}{_labels(dict(labels))} {_number(value)}" for sample, labels, value in samples]
    return "\n".join(lines) + "\n"


def _labels(labels: Mapping[str, str]) -> str:
    pairs = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return f"{{{pairs}}}" if pairs else ""


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(float(value))
