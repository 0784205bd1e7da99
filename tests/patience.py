"""How long a test waits for what must come, and what notices a test that has less patience.

A limit only ends a test that hangs. Where nothing is wrong, nobody waits for it: it costs nothing if it is
far beyond what a busy machine may take.
"""

import ast
import time
from collections.abc import Callable, Iterable, Iterator

from tools.parsed_modules import Module

PATIENCE = 120.0
"""Seconds."""
_LIMITED = {"wait", "join", "result", "settimeout", "timeout", "communicate", "acquire", "flush"}
"""Calls whose only number is a limit."""


def wait_for(condition: Callable[[], object]) -> None:
    """Wait until something holds."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.005)


def short_limits(modules: Iterable[Module]) -> list[str]:
    """What must come may take `PATIENCE`; only what must not come is waited for for a second, or less."""
    return [
        f"{module.shown}:{limit.lineno}: a busy machine may take longer than {limit.value} s. Use PATIENCE."
        for module in modules
        for node in ast.walk(module.tree)
        for limit in _limits(node)
        if isinstance(limit, ast.Constant)
        and isinstance(limit.value, int | float)
        and 1 < limit.value < PATIENCE
    ]


def _limits(node: ast.AST) -> Iterator[ast.expr]:
    """Yield what may be the limit of a wait: an argument, or the default of a parameter."""
    if isinstance(node, ast.Call):
        name = getattr(node.func, "attr", None) or getattr(node.func, "id", None)
        yield from (one.value for one in node.keywords if one.arg == "timeout")
        yield from node.args if name in _LIMITED else node.args[1:] if name == "wait_for" else ()
    elif isinstance(node, ast.arguments):
        named = [*node.posonlyargs, *node.args]
        defaults = zip(named[len(named) - len(node.defaults) :], node.defaults, strict=True)
        for parameter, default in [*defaults, *zip(node.kwonlyargs, node.kw_defaults, strict=True)]:
            if default is not None and parameter.arg in ("seconds", "timeout"):
                yield default
