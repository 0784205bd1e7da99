"""What of the completions is shown, how much of that is good, and what good ones that costs.

A completion that is not shown annoys nobody, so pass@1 of all requests does not say how often a shown one is
right; and offering less always raises that share, so it means little without the share of good ones kept.
"""

from collections.abc import Sequence

from attrs import frozen


@frozen
class Shown:
    """One request."""

    id: str
    "Also names the run, where seeds matter."
    shown: bool
    "Whether anything was offered."
    good: bool
    "Whether what was offered is good."


def good_share(requests: Sequence[Shown]) -> float | None:
    """Return the share of all requests that got a good completion."""
    return _share(requests, [one.shown and one.good for one in requests])


def shown_share(requests: Sequence[Shown]) -> float | None:
    """Return the share of requests that got any completion."""
    return _share(requests, [one.shown for one in requests])


def precision(requests: Sequence[Shown]) -> float | None:
    """Return the share of good ones among those shown; None: none is shown."""
    shown = [one for one in requests if one.shown]
    return _share(shown, [one.good for one in shown])


def kept_share(requests: Sequence[Shown], earlier: Sequence[Shown]) -> float | None:
    """Return the share of an earlier run's good completions whose request still gets one; None: no pairs."""
    now = {one.id: one.shown and one.good for one in requests}
    pairs = [one for one in earlier if one.id in now and one.shown and one.good]
    return _share(pairs, [now[one.id] for one in pairs])


def percent(share: float | None) -> str:
    """Write a share."""
    return "-" if share is None else f"{share:.0%}".replace("%", " %")


def _share(requests: Sequence[Shown], hits: Sequence[bool]) -> float | None:
    return sum(hits) / len(requests) if requests else None
