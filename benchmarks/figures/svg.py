"""Draws plain charts as SVG text: bars, lines, labels, on a card that follows light and dark mode.

Standard library only; the same input gives the same bytes.
"""

from collections.abc import Sequence
from html import escape

WIDTH = 860
STYLE = """
.card{fill:#fcfcfb;stroke:#d9d8d4}.title{fill:#1c1c1a;font-weight:600;font-size:17px}
.note{fill:#5f5e5a;font-size:13px}.label{fill:#33322f;font-size:13px}.code{font-family:ui-monospace,
"DejaVu Sans Mono",Menlo,Consolas,monospace}.axis{stroke:#8b8a85}.grid{stroke:#e8e7e3}
.bar{fill:#2a6fbb}.faint{fill:#c9d7e8}.line{stroke:#c2571a;fill:none;stroke-width:2.5}.dot{fill:#c2571a}
.cut{stroke:#c2571a;stroke-dasharray:5 4;stroke-width:1.5}.warm{fill:#a3440f;font-size:13px;font-weight:600}
.halo{paint-order:stroke;stroke:#fcfcfb;stroke-width:5px;stroke-linejoin:round}
@media (prefers-color-scheme:dark){.card{fill:#1b1c1f;stroke:#3a3b40}.title{fill:#f1f0ec}.note{fill:#a9a8a2}
.label{fill:#dddcd6}.axis{stroke:#77767c}.grid{stroke:#2d2e33}.bar{fill:#6aa5e8}.faint{fill:#34465c}
.line{stroke:#f0955a}.dot{fill:#f0955a}.cut{stroke:#f0955a}.warm{fill:#f3a673}.halo{stroke:#1b1c1f}}
"""


class Drawing:
    """Collects shapes; `text()` returns the document."""

    def __init__(self, height: int, title: str, note: str) -> None:
        self._height, self._title, self._shapes = height, title, list[str]()
        self._shapes.append(
            f'<rect class="card" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="8"/>'
        )
        self.write(24, 34, title, "title")
        self.write(24, 56, note, "note")

    def write(self, x: float, y: float, words: str, kind: str = "label", anchor: str = "start") -> None:
        """Write one line; `anchor` is start, middle or end."""
        self._shapes.append(
            f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" xml:space="preserve">'
            f"{escape(words)}</text>"
        )

    def write_down(self, x: float, y: float, words: str) -> None:
        """Write code that rises from lower left to upper right, where it ends."""
        self._shapes.append(
            f'<text class="label code" text-anchor="end" transform="translate({x:.1f} {y:.1f}) rotate(-50)">'
            f"{escape(words)}</text>"
        )

    def bar(self, x: float, y: float, width: float, height: float, kind: str = "bar") -> None:
        """Draw a bar."""
        self._shapes.append(
            f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="2"/>'
        )

    def rule(self, x1: float, y1: float, x2: float, y2: float, kind: str = "grid") -> None:
        """Draw a straight line."""
        self._shapes.append(f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>')

    def path(self, points: Sequence[tuple[float, float]], dots: bool = True) -> None:
        """Draw a line through points."""
        joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self._shapes.append(f'<polyline class="line" points="{joined}"/>')
        if dots:
            self._shapes += [f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="4.5"/>' for x, y in points]

    def text(self) -> str:
        """Return the document."""
        shapes = "\n".join(self._shapes)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {self._height}" width="{WIDTH}" '
            f'height="{self._height}" role="img" font-family="system-ui, Segoe UI, Arial, sans-serif">'
            f"\n<title>{escape(self._title)}</title>\n<style>{STYLE}</style>\n{shapes}\n</svg>\n"
        )
