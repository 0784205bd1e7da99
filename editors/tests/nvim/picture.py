"""Draws the screen of a real Neovim with a completion of the real model: docs/images/nvim-completion.svg.

    python -m editors.tests.nvim.picture

It reads the few escape codes that tmux writes.
"""

import os
import re
import sys
import tempfile
from html import escape
from pathlib import Path

from aide_lsp.catalog.store import data_folder
from editors.tests.nvim.session import Neovim

ROOT = Path(__file__).resolve().parents[3]
PICTURE = ROOT / "docs" / "images" / "nvim-completion.svg"
WIDTH, HEIGHT = 9.0, 20
"""Of a character, in pixels."""
TEXT, GROUND = "#e0e2ea", "#14161b"
"""Neovim's own colors for a dark background."""
SAMPLE = '''\
"""Prices of an order."""


def total(prices):
    return sum(prices)


'''
TYPED = "def average(prices):\n"


def draw(captured):
    """Make the SVG."""
    rows = captured.rstrip("\n").split("\n")
    width = max(len(re.sub(r"\x1b\[[\d;:]*m", "", row)) for row in rows)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width * WIDTH + 24:.0f}" '
        f'height="{len(rows) * HEIGHT + 24}" font-family="monospace" font-size="15">',
        f'<rect width="100%" height="100%" rx="6" fill="{GROUND}"/>',
    ]
    style = {}
    for number, row in enumerate(rows):
        column, y = 0, 12 + number * HEIGHT
        for piece in re.split(r"(\x1b\[[\d;:]*m)", row):
            if piece.startswith("\x1b["):
                apply(style, [int(code or 0) for code in re.split("[;:]", piece[2:-1])])
            elif piece:
                x = 12 + column * WIDTH
                column += len(piece)
                parts += shapes(piece, x, y, style)
    return "\n".join([*parts, "</svg>", ""])


def shapes(piece, x, y, style):
    """Give the background and the text of a piece in one style."""
    ink, ground = style.get("ink", TEXT), style.get("ground")
    if style.get("reversed"):
        ink, ground = ground or GROUND, ink
    length = len(piece) * WIDTH
    if ground:
        yield f'<rect x="{x:.1f}" y="{y}" width="{length:.1f}" height="{HEIGHT}" fill="{ground}"/>'
    if piece.strip():
        weight = ' font-weight="bold"' if style.get("bold") else ""
        weight += ' font-style="italic"' if style.get("italic") else ""
        yield (
            f'<text x="{x:.1f}" y="{y + 15}" textLength="{length:.1f}" fill="{ink}"{weight} '
            f'xml:space="preserve">{escape(piece)}</text>'
        )


def apply(style, codes):
    """Follow one escape code."""
    while codes:
        code = codes.pop(0)
        if code == 0:
            style.clear()
        elif code in (1, 3, 7):
            style[{1: "bold", 3: "italic", 7: "reversed"}[code]] = True
        elif code == 23:
            style.pop("italic", None)
        elif code in (39, 49):
            style.pop("ink" if code == 39 else "ground", None)
        elif code in (38, 48) and codes[:1] == [2]:
            style["ink" if code == 38 else "ground"] = "#{:02x}{:02x}{:02x}".format(*codes[1:4])
            del codes[:4]


def main():
    """Start Neovim, type, and draw what it shows."""
    program = sys.argv[1] if len(sys.argv) > 1 else ROOT / ".editors" / "nvim011" / "bin" / "nvim"
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "shop"
        (project / ".git").mkdir(parents=True)
        (project / ".aide.toml").write_text("seed = 7\n", encoding="utf-8")
        (project / "prices.py").write_text(SAMPLE, encoding="utf-8")
        env = os.environ | {
            "PATH": f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}",
            # Neovim gets a data folder of its own, which has no model.
            "AIDE_DATA_DIR": str(data_folder()),
        }
        init = f"vim.cmd.cd('{project}') vim.o.ruler = false vim.o.fillchars = 'eob: '"
        nvim = Neovim(program, env, Path(folder) / "nvim", init, project / "prices.py", columns=64, lines=14)
        try:
            nvim.wait(nvim.is_ready, "Aide is not ready")
            nvim.keys("G", "A")
            nvim.type(TYPED)
            nvim.wait_ghost()
            PICTURE.parent.mkdir(exist_ok=True)
            PICTURE.write_text(draw(nvim.screen(colors=True)), encoding="utf-8")
        finally:
            nvim.close()


if __name__ == "__main__":
    main()
