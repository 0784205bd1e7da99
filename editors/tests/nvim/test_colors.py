"""Ghost text looks like neither code nor comments, with all colors and with few, as a terminal shows it."""

import re
import subprocess

import pytest

TRUE_COLOR = "vim.o.termguicolors = true"
FEW_COLORS = "vim.o.termguicolors = false"
TERMINALS = {
    "true color": ("xterm-256color", TRUE_COLOR),
    "256": ("xterm-256color", FEW_COLORS),
    "xterm": ("xterm", FEW_COLORS),
    "linux": ("linux", FEW_COLORS),
    "16": ("aide-16", FEW_COLORS),
    "8": ("screen", FEW_COLORS),
    "none": ("aide-0", FEW_COLORS),
}
TERMINFO = """\
aide-0|a terminal without colors,
	colors@, pairs@, setaf@, setab@, op@, use=screen,
aide-16|a terminal with 16 colors,
	colors#16, pairs#256, op=\\E[39;49m,
	setaf=\\E[%?%p1%{8}%<%t3%p1%d%e9%p1%{8}%-%d%;m,
	setab=\\E[%?%p1%{8}%<%t4%p1%d%e10%p1%{8}%-%d%;m, use=screen,
"""
SCHEMES = ["default", "habamax", "desert", "quiet", "morning", "sorbet"]
STEPS = (0, 95, 135, 175, 215, 255)
OFF = {22: ("bold", "dim"), 23: ("italic",), 24: ("underline",), 27: ("reverse",)}
ON = {1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "reverse"}

START = """
vim.cmd.enew() vim.bo.buftype = 'nofile'
vim.api.nvim_buf_set_lines(0, 0, -1, false, { 'code_at_the_cursor', '# a comment', '', '' })
local space = vim.api.nvim_create_namespace('test')
vim.api.nvim_buf_set_extmark(0, space, 1, 0, { end_col = 11, hl_group = 'Comment' })
local edit = { row = 0, before = 'code_at_the_cursor', after = '', delete = 0, text = 'ghost_text' }
require('aide.ghost').draw(0, edit)
"""


def cell(captured, text):
    """Read the colors and attributes of the first character of a text: the last ones set until there."""
    style = {}
    for code in re.finditer(r"\x1b\[([\d;:]*)m", captured[: captured.index(text)]):
        follow(style, [int(number or 0) for number in re.split("[;:]", code[1])])
    return {name: value for name, value in style.items() if value}


def follow(style, codes):
    """Apply one escape code."""
    while codes:
        code = codes.pop(0)
        if code == 0:
            style.clear()
        elif code in ON:
            style[ON[code]] = True
        elif code in OFF:
            style.update(dict.fromkeys(OFF[code]))
        elif code in (38, 48):
            kind = codes.pop(0)
            taken, codes[:] = (codes[:1], codes[1:]) if kind == 5 else (codes[:3], codes[3:])
            style["ink" if code == 38 else "paper"] = tuple(taken)
        elif code in (39, 49):
            style["ink" if code == 39 else "paper"] = None
        elif code % 10 < 8:
            name = "ink" if code // 10 in (3, 9) else "paper"
            style[name] = (code % 10 + (8 if code >= 90 else 0),)


def value(color):
    """Red, green and blue; of the first 16 colors, which are the terminal's, those of xterm."""
    if len(color) == 3:
        return color
    index = color[0]
    if index >= 232:
        return (8 + 10 * (index - 232),) * 3
    if index >= 16:
        return tuple(STEPS[(index - 16) // size % 6] for size in (36, 6, 1))
    level = 255 if index > 8 else 205
    gray = {0: (0, 0, 0), 7: (229, 229, 229), 8: (127, 127, 127), 15: (255, 255, 255)}
    return gray.get(index, tuple(level * (index >> bit & 1) for bit in range(3)))


def luminance(color):
    """Compute what WCAG 2 means by it."""
    parts = [part / 255 for part in value(color)]
    parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True))


def contrast(one, other):
    """Compute the ratio of WCAG 2."""
    high, low = sorted((luminance(one) + 0.05, luminance(other) + 0.05), reverse=True)
    return high / low


def look(nvim, scheme, background):
    """Choose a scheme, and give the styles of code, comment, and ghost text on the screen."""
    name = f"{scheme} {background}"
    nvim.do(f"vim.o.background = '{background}' vim.cmd.colorscheme('{scheme}')")
    real = nvim.lua("vim.o.background")  # a few schemes have one only
    nvim.do(f"vim.api.nvim_buf_set_lines(0, 3, 4, false, {{ '{name} {real}' }}) vim.cmd('redraw!')")
    seen = []

    def is_still():
        seen.append(nvim.screen(colors=True))
        return f"{name} {real}" in nvim.screen() and seen[-1:] == seen[-2:-1]

    nvim.wait(is_still, f"{name} is not on the screen")
    return real, *(cell(seen[-1], text) for text in ("code_at", "# a comment", "ghost_text"))


@pytest.fixture(params=TERMINALS)
def terminal(request, start_nvim, tmp_path):
    """A Neovim without a server, in a terminal with so many colors; and how many."""
    name, init = TERMINALS[request.param]
    (tmp_path / "aide.ti").write_text(TERMINFO, encoding="utf-8")
    subprocess.run(["tic", "-x", "-o", tmp_path / "terminfo", tmp_path / "aide.ti"], check=True)
    init += "\nrequire('aide').setup({ enabled = false })"
    nvim = start_nvim({"TERMINFO_DIRS": f"{tmp_path / 'terminfo'}:"}, init=init, terminal=name)
    nvim.do(START)
    return request.param, nvim


def test_ghost_text_in_every_scheme_then_unlike_code_and_comments_and_readable(terminal):
    kind, nvim = terminal
    for background in ("dark", "light"):
        for scheme in SCHEMES:
            real, code, comment, ghost = look(nvim, scheme, background)
            what = f"{scheme} {background}: code {code}, comment {comment}, ghost text {ghost}"
            assert ghost != code, what
            assert ghost != comment, what
            if kind == "none":
                continue
            assert ghost["ink"] != code.get("ink"), what
            paper = ghost.get("paper") or ((0, 0, 0) if real == "dark" else (255, 255, 255))
            assert contrast(ghost["ink"], paper) > (3 if kind not in ("8", "16") else 2), what


def test_colors_of_the_user_then_kept(start_nvim):
    own = "vim.api.nvim_set_hl(0, 'AideGhost', { fg = '#123456', ctermfg = 100 })"
    init = (
        f"{own} vim.api.nvim_create_autocmd('ColorScheme', {{ callback = function() {own} end }})"
        " require('aide').setup({ enabled = false })"
    )
    nvim = start_nvim(init=init)
    nvim.do(START)
    for scheme in ("default", "habamax"):
        _, _, _, ghost = look(nvim, scheme, "dark")
        assert ghost["ink"] == (0x12, 0x34, 0x56)


def test_termguicolors_and_background_when_changed_then_the_ghost_text_follows(start_nvim):
    nvim = start_nvim(
        init=f"{FEW_COLORS} require('aide').setup({{ enabled = false }})", terminal="xterm-256color"
    )
    nvim.do(START)
    _, _, _, dark = look(nvim, "default", "dark")
    nvim.do("vim.o.background = 'light'")
    nvim.wait(lambda: cell(nvim.screen(colors=True), "ghost_text")["ink"] != dark["ink"], "As before")
    assert contrast(cell(nvim.screen(colors=True), "ghost_text")["ink"], (255, 255, 255)) > 3
    nvim.do("vim.o.termguicolors = true")
    nvim.wait(lambda: len(cell(nvim.screen(colors=True), "ghost_text")["ink"]) == 3, "No true color")
