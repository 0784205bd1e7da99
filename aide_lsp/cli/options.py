"""Arguments and options that several subcommands share, and the settings that result from them."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from aide_lsp.cli.terminal import say
from aide_lsp.settings.fields import ENGINE_KEYS, FIELDS, LOADING_KEYS, allowed, check_value
from aide_lsp.settings.limits import SettingField

if TYPE_CHECKING:
    from aide_lsp.settings.fields import Settings
    from aide_lsp.settings.problems import Problem

    Word = click.ParamType[Any]
else:
    Word = click.ParamType

Decorator = Callable[[Callable[..., None]], Callable[..., None]]
STDIN = "\0"
"""Replaces the `-` of a place such as `-:2:12`, which click would take for an option.

No argument of a process can contain NUL.
"""


class NoValue:
    """A setting is explicitly set to no value, which differs from not being set."""


NO_VALUE = NoValue()
_KINDS: Mapping[type, Word] = {bool: click.BOOL, int: click.INT, float: click.FLOAT, str: click.STRING}


class PlaceCommand(click.Command):
    """A subcommand with an argument that can be `-:LINE:COL`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments, with `-:LINE:COL` as an argument instead of an option."""
        return super().parse_args(ctx, [STDIN + arg[1:] if arg.startswith("-:") else arg for arg in args])


class NumberType(Word):
    """A number in a range: a whole one if its least value is."""

    name = "number"

    def __init__(self, least: float, most: float | None = None) -> None:
        self._least, self._most = least, most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Parse the number; say what was expected, where click says only what is wrong."""
        kind, noun = (
            (click.INT, "a whole number") if isinstance(self._least, int) else (click.FLOAT, "a number")
        )
        with suppress(click.BadParameter):
            number: float = kind.convert(value, param, ctx)
            if self._least <= number <= (inf if self._most is None else self._most):
                return number
        end = "" if self._most is None else f" to {self._most:,}"
        return self.fail(f"expected {noun} from {self._least}{end}, found {value!r}.", param, ctx)


class FileType(Word):
    """A file's name, which the shell completes."""

    name = "file"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Let the shell complete file names."""
        return [CompletionItem(incomplete, type="file")]


class PlaceType(FileType):
    """A place in a file, or in stdin."""

    name = "place"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Restore the `-`."""
        return "-" + value[1:] if value.startswith(STDIN) else value


class WordType(Word):
    """One of several words, which the shell completes."""

    def __init__(self, name: str, words: Callable[[], Iterable[str]]) -> None:
        self.name, self._words = name, words

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Check the word before anything is read or fetched."""
        words = list(self._words())
        if value not in words:
            self.fail(f"{value!r} is not one of {', '.join(words)}.", param, ctx)
        return value

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """List the words that begin so."""
        return [CompletionItem(word) for word in self._words() if word.startswith(incomplete)]


class ModelType(WordType):
    """The id of a model card. Whoever reads the cards says that there is no such model."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Take any."""
        return value


class SettingType(WordType):
    """The value of one setting; `none` if the setting can have no value."""

    def __init__(self, key: str, field: SettingField) -> None:
        super().__init__(_KINDS[field.type].name, lambda: _choices(key, field))
        self._key, self._field = key, field

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Parse the value."""
        if self._field.none and str(value).lower() in {"none", self._field.word} - {""}:
            return NO_VALUE
        try:
            return _KINDS[self._field.type].convert(value, param, ctx)
        except click.BadParameter as error:
            # Click does not know which numbers and words the setting takes.
            self.fail(f"{_for_option(check_value(self._key, value) or error.message)}.", param, ctx)


def _models() -> Iterable[str]:
    from aide_lsp.catalog.cards import load_catalog

    return load_catalog().cards


def _recipes() -> Iterable[str]:
    return (recipe for recipe in FIELDS["recipe"].choices if recipe != "auto")


def _formats() -> Iterable[str]:
    from aide_lsp.completion.fim import FORMATS

    return FORMATS


MODEL, RECIPE, FORMAT = ModelType("id", _models), WordType("recipe", _recipes), WordType("format", _formats)


def place_argument(required: bool = True, metavar: str = "FILE:LINE:COL") -> Decorator:
    """Add the argument `place`."""
    return click.argument("place", metavar=metavar, required=required, type=PlaceType())


def path_option(command: Callable[..., None]) -> Callable[..., None]:
    """Add the option `--path`, passed as `name`."""
    text = "File name for the text on stdin; determines its language."
    return click.option("--path", "name", default="", help=text)(command)


def workspace_option(command: Callable[..., None]) -> Callable[..., None]:
    """Add the option `--workspace`, whose folder must exist."""
    text = (
        "Folder that is open in your editor. Its other files may be read, unless the text is in a repository."
        "  [default: the current folder, if it holds the file]"
    )
    kind = click.Path(exists=True, file_okay=False, path_type=Path)
    return click.option("--workspace", type=kind, metavar="FOLDER", help=text)(command)


def json_option(what: str) -> Decorator:
    """Add the flag `--json`."""
    return click.option("--json", "as_json", is_flag=True, help=f"Print {what} as JSON.")


def parameter_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add an option for each setting of one completion, from the settings table."""
    return _setting_options(command, FIELDS)


def engine_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that choose a server."""
    return _setting_options(command, ENGINE_KEYS)


def loading_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that choose the model and how it is loaded."""
    return _setting_options(command, LOADING_KEYS)


def _setting_options(command: Callable[..., None], keys: Iterable[str]) -> Callable[..., None]:
    # Reversed: click lists the option added last first, as with decorators.
    for key in reversed(list(keys)):
        field = FIELDS[key]
        if field.type not in _KINDS:
            continue  # lists are for settings files
        option = click.option(
            "--" + key.replace("_", "-"),
            key,
            type=SettingType(key, field),
            help=f"{field.text}  [{_for_option(allowed(key))}]",
        )
        command = option(command)
    return command


def given_values(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that the command line sets, by key; None: explicitly no value."""
    found = {key: value for key, value in options.items() if value is not None}
    return {key: None if value is NO_VALUE else value for key, value in found.items()}


def checked_values(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same, for a command whose other settings are not reported.

    Raises:
        click.UsageError: an option's value is invalid; the message lists all such options.
    """
    given = given_values(options)
    errors = {key: check_value(key, value) for key, value in given.items()}
    invalid = [f"--{key.replace('_', '-')}: {_for_option(error)}." for key, error in errors.items() if error]
    if invalid:
        raise click.UsageError("\n".join(invalid))
    return given


def effective_settings(
    path: Path | None, options: Mapping[str, Any], folder: Path | None = None
) -> "Settings":
    """Return the settings in effect for a file, with the options of the command line on top.

    `folder` is the workspace folder that holds it. Invalid values in settings files are reported on stderr;
    the other values apply.

    Raises:
        click.UsageError: an option's value is invalid; the message lists all such options.
        DeclinedError: completions are disabled in this file.
        ModelError: there is no such model.
    """
    from aide_lsp.language_ids.table import language_id_of
    from aide_lsp.loading import known_limits
    from aide_lsp.reasons import NoCompletionReason
    from aide_lsp.settings.reader import REQUEST, SettingsReader

    given, language = given_values(options), language_id_of("", str(path or ""))
    document = path.resolve() if path else None
    # Twice: which limits apply depends on the model, which is itself a setting.
    folder = folder.resolve() if folder else None
    model = SettingsReader().resolve(document, folder=folder, language=language, request=given).settings
    resolved = SettingsReader().resolve(
        document, folder=folder, limits=known_limits(model), language=language, request=given
    )
    if invalid := [problem for problem in resolved.errors if problem.source == REQUEST]:
        raise click.UsageError("\n".join(_on_terminal(problem) for problem in invalid))
    for problem in resolved.problems:
        say(f"{'Note' if problem.notice else 'Warning'}: {_on_terminal(problem)}", err=True)
    if resolved.off:
        raise NoCompletionReason.OFF.error(resolved.off.sentence())
    return resolved.settings


def lenient_settings(values: Mapping[str, Any] | None = None, path: Path | None = None) -> "Settings":
    """Return the settings in effect for a file, with these values on top; problems are not reported."""
    from aide_lsp.language_ids.table import language_id_of
    from aide_lsp.settings.reader import SettingsReader

    language = language_id_of("", str(path or ""))
    document = path.resolve() if path else None
    return SettingsReader().resolve(document, language=language, request=values or {}).settings


def _on_terminal(problem: "Problem") -> str:
    """Name the option instead of the setting and its source."""
    from aide_lsp.settings.reader import REQUEST

    option = f"--{problem.key.replace('_', '-')}"
    message = problem.message.replace(f"{problem.key} in {REQUEST}", option)
    return _for_option(message.replace(REQUEST, "the command line"))


def _for_option(text: str) -> str:
    """Name the word that an option takes where a settings file leaves the key out."""
    return text.replace("(unset:", "(none:")


def _choices(key: str, field: SettingField) -> Iterable[str]:
    if field.type is bool:
        return ("true", "false")
    nothing = ("none",) if field.none else ()
    if field.word:
        return (*nothing, field.word)
    if key == "model":
        return (*_models(), *nothing)
    return (*(_presets() if key == "preset" else field.choices), *nothing)


def _presets() -> Iterable[str]:
    from aide_lsp.settings.reader import SettingsReader

    return SettingsReader().resolve(Path("x").absolute()).presets
