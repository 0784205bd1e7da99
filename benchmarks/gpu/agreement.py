"""Compares two graphs of the same weights, and one graph with itself when a text is cut in other places.

A verdict allows for what float16 arithmetic may change.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from aide_lsp.inference.cancel import CancelToken
from aide_lsp.inference.session import Candidates, Session
from benchmarks.gpu.bound_graph import Rows

TOLERANCE = 0.1
"""Largest difference that float16 may make to a logit, where logits spread by about 3."""

Call = tuple[int, int]
"""(first position, position after the last) of one forward."""
# A prompt; tokens one by one; several at once; back to an earlier place; in two parts from the beginning.
CALLS: tuple[Call, ...] = ((0, 256), (256, 257), (257, 258), (258, 266), (200, 240), (0, 300), (300, 512))


Found = Rows | Candidates
"""The output of a graph: candidates of P rows, best first."""


class Graph(Protocol):
    """Something that returns candidates for the next token."""

    def forward(self, ids: Sequence[int], past: int, rows: Sequence[int]) -> Found:
        """Run `ids` at positions `past`, `past + 1`, ...; return the candidates of `rows`."""
        ...


@frozen
class SessionGraph:
    """The language server's session as a graph."""

    session: Session

    def forward(self, ids: Sequence[int], past: int, rows: Sequence[int]) -> Candidates:
        """See `Graph.forward`."""
        return self.session.forward(ids, past, rows, CancelToken())


@frozen
class Agreement:
    """Result of a comparison."""

    rows: int
    "Positions compared."
    same: int
    "Positions at which both choose the same token."
    excused: int
    "Positions at which they differ and the reference's best two are within the tolerance."
    largest: float
    "Largest difference of the logits of a token that is among the candidates of both."

    @property
    def holds(self) -> bool:
        """Whether the graphs agree within what float16 allows."""
        return self.same + self.excused == self.rows and self.largest <= TOLERANCE


def compare(graph: Graph, reference: Graph, ids: Sequence[int]) -> Agreement:
    """Run the same calls on both; the KV buffers of each carry over from call to call."""
    parts = [compare_rows(run_call(graph, ids, call), run_call(reference, ids, call)) for call in CALLS]
    return Agreement(
        sum(part.rows for part in parts),
        sum(part.same for part in parts),
        sum(part.excused for part in parts),
        max(part.largest for part in parts),
    )


def run_call(graph: Graph, ids: Sequence[int], call: Call) -> Found:
    """Run one forward and return all its rows."""
    first, end = call
    return graph.forward(ids[first:end], first, range(end - first))


def compare_rows(rows: Found, reference: Found) -> Agreement:
    """Compare the outputs of two graphs."""
    same = rows.ids[:, 0] == reference.ids[:, 0]
    close = reference.logits[:, 0] - reference.logits[:, 1] <= TOLERANCE
    largest = max(map(_largest_difference, rows.ids, rows.logits, reference.ids, reference.logits))
    return Agreement(len(same), int(same.sum()), int((~same & close).sum()), largest)


def _largest_difference(
    ids: NDArray[np.int64],  # (C,)
    logits: NDArray[np.float32],  # (C,)
    other_ids: NDArray[np.int64],  # (C,)
    other_logits: NDArray[np.float32],  # (C,)
) -> float:
    _, here, there = np.intersect1d(ids, other_ids, return_indices=True)
    if not here.size:
        return float("inf")
    # NaN is a disagreement, and `max` would lose it.
    difference = float(np.abs(logits[here] - other_logits[there]).max())
    return difference if np.isfinite(difference) else float("inf")


def cutting_changes(graph: Graph, ids: Sequence[int], cuts: Iterable[int]) -> dict[int, float]:
    """Return, by length of forward, how far the last row's logits are from those of a single forward.

    0.0 means the same bits. Only the candidates of the last position are compared, which depend on the keys
    and values of all others.
    """
    whole = graph.forward(ids, 0, [len(ids) - 1])
    return {length: _difference(_in_pieces(graph, ids, length), whole) for length in cuts}


def _in_pieces(graph: Graph, ids: Sequence[int], length: int) -> Found:
    starts = range(0, len(ids), length)
    pieces = [(start, ids[start : start + length]) for start in starts]
    return [graph.forward(piece, start, [len(piece) - 1]) for start, piece in pieces][-1]


def _difference(rows: Found, whole: Found) -> float:
    if (rows.ids == whole.ids).all():
        return float(np.abs(rows.logits - whole.logits).max())
    return compare_rows(rows, whole).largest
