"""Arguments and options that several subcommands share: a place in a file, and one option for each setting.

In: words of the command line. Out: values to set, and what the shell may complete a word to. It does not know
what a subcommand does with them.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from aide_lsp.settings.fields import FIELDS, allowed
from aide_lsp.settings.limits import SettingField

if TYPE_CHECKING:
    Word = click.ParamType[Any]
else:
    Word = click.ParamType

Decorator = Callable[[Callable[..., None]], Callable[..., None]]
STDIN = "\0"
"""Begins a place such as `-:2:12` for click, which takes what begins with `-` for an option."""


class NoValue:
    """Says that a setting is set to nothing, which is not the same as not being set."""


NO_VALUE = NoValue()
_KINDS: Mapping[type, Word] = {bool: click.BOOL, int: click.INT, float: click.FLOAT, str: click.STRING}


class PlaceCommand(click.Command):
    """A subcommand with an argument that may be `-:LINE:COL`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments, a place in stdin among them."""
        return super().parse_args(ctx, [STDIN + arg[1:] if arg.startswith("-:") else arg for arg in args])


class PlaceType(Word):
    """A place in a file, or in stdin."""

    name = "place"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Give `-` its own name back."""
        return "-" + value[1:] if value.startswith(STDIN) else value

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Let the shell complete the file's name."""
        return [CompletionItem(incomplete, type="file")]


class SettingType(Word):
    """The value of one setting; `none` where it can be without one."""

    def __init__(self, key: str, field: SettingField) -> None:
        self._key, self._field = key, field
        self.name = _KINDS[field.type].name

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read a word as a value."""
        if self._field.none and str(value).lower() in ("none", self._field.word):
            return NO_VALUE
        return _KINDS[self._field.type].convert(value, param, ctx)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Name what it may be."""
        return _starting(incomplete, _choices(self._key, self._field))


class RecipeType(Word):
    """The name of a recipe; checked before anything is read or fetched."""

    name = "recipe"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Refuse an unknown one."""
        if value not in _recipes():
            self.fail(f"{value!r} is none of {', '.join(_recipes())}.", param, ctx)
        return value

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Name all recipes."""
        return _starting(incomplete, _recipes())


class ModelType(Word):
    """The id of a model card."""

    name = "id"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Name all models."""
        return _starting(incomplete, _models())


def place_argument(required: bool = True, metavar: str = "FILE:LINE:COL") -> Decorator:
    """Add the argument `place`."""
    return click.argument("place", metavar=metavar, required=required, type=PlaceType())


def json_option(what: str) -> Decorator:
    """Add the flag `--json`."""
    return click.option("--json", "as_json", is_flag=True, help=f"Print {what} as JSON.")


def parameter_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add an option for each setting that fits one completion, from the settings table."""
    for key, field in reversed(list(FIELDS.items())):
        if field.type not in _KINDS:
            continue  # a list is for files
        option = click.option(
            "--" + key.replace("_", "-"),
            key,
            type=SettingType(key, field),
            help=f"{field.doc}  [{allowed(key).replace('or nothing:', 'or none:')}]",
        )
        command = option(command)
    return command


def given_values(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the command line sets; None where it sets a setting to nothing."""
    found = {key: value for key, value in options.items() if value is not None}
    return {key: None if value is NO_VALUE else value for key, value in found.items()}


def _choices(key: str, field: SettingField) -> Iterable[str]:
    if field.type is bool:
        return ("true", "false")
    nothing = ("none",) if field.none else ()
    if field.word:
        return (*nothing, field.word)
    if key == "model":
        return (*_models(), *nothing)
    return (*(_presets() if key == "preset" else field.choices), *nothing)


def _models() -> Iterable[str]:
    from aide_lsp.catalog.cards import load_catalog

    return load_catalog().cards


def _presets() -> Iterable[str]:
    from pathlib import Path

    from aide_lsp.settings.merge import SettingsReader

    return SettingsReader().resolve(Path("x").absolute()).presets


def _recipes() -> tuple[str, ...]:
    return tuple(recipe for recipe in FIELDS["recipe"].choices if recipe != "auto")


def _starting(incomplete: str, words: Iterable[str]) -> list[CompletionItem]:
    return [CompletionItem(word) for word in words if word.startswith(incomplete)]
