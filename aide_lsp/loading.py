"""From settings to a completer: chooses device and recipe, fetches, converts and opens the model.

The one place where catalog, engines and completion meet.
"""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from attrs import evolve, frozen

from aide_lsp.errors import AideError, MemoryShortError, ModelFilesError, SessionError, SettingsError
from aide_lsp.progress import Progress
from aide_lsp.server_address import SHARED, server_address
from aide_lsp.settings.fields import Settings
from aide_lsp.settings.limits import UNKNOWN_SIZE, ModelLimits

# Many modules need only a path or a card of this one: what is heavy is imported where it is used.
if TYPE_CHECKING:
    from aide_lsp.catalog.cards import Card
    from aide_lsp.completion.completer import Completer
    from aide_lsp.engines.engine import Engine
    from aide_lsp.engines.local import LocalModel
    from aide_lsp.engines.remote.flavors.choice import ServerChoice
    from aide_lsp.engines.shared.open import SharedChoice
    from aide_lsp.inference.tokenizer import Tokenizer

T = TypeVar("T")
Open = Callable[[Path, Settings], T]
"""Opens a converted model."""
SMALL_BYTES = 32_000_000
"""Files of up to this size are verified before they are opened: graphs and tokenizer, in some milliseconds.
Damaged weights cannot make the runtime fail; a server verifies them once it is ready."""

GPU_INT4 = "int4_fp16"
"""The recipe that the setting `int4` means on a GPU."""
GPU_RECIPES = ("fp16", GPU_INT4)


@frozen
class MissingModel:
    """A model that would have to be downloaded."""

    name: str
    "As its card has it."
    size: int
    "Bytes of its file."


def runs_here(settings: Settings) -> bool:
    """Whether Aide itself runs the model; otherwise nothing is downloaded, converted or loaded."""
    return server_address(settings.engine) is None


def missing_model(settings: Settings) -> MissingModel | None:
    """Return what `load_completer` would download; None: nothing.

    Raises:
        ModelError: there is no such model.
    """
    from aide_lsp.catalog import store

    if not runs_here(settings):
        return None
    card = card_of(settings)
    if card.path is not None or store.model_file(card) is not None:
        return None
    recipes = store.state_of(card).recipes
    # The device is only looked at if there is a conversion without the file that it is made from.
    is_converted = bool(recipes) and choose_recipe(settings, card) in recipes
    return None if is_converted else MissingModel(card.name, card.size)


def load_completer(settings: Settings, progress: Progress) -> "Completer":
    """Fetch, convert and open the model that the settings name; convert it again if it is damaged.

    If they name a server, it need not run yet.

    Raises:
        ModelError: the model is not available.
        SessionError: the runtime cannot load it.
        SettingsError: the recipe is not meant for this device, or the server's settings are invalid.
    """
    if not runs_here(settings):
        return _open_remote(settings)
    if settings.engine == SHARED:
        return _open_shared(settings, progress)
    return _load_or_repair(settings, progress, open_completer)


def load_engine(settings: Settings, progress: Progress) -> "Engine":
    """Do the same for many clients, whatever `engine` is.

    Raises:
        ModelError, SessionError, SettingsError: see `load_completer`.
    """
    return _load_or_repair(settings, progress, _open_engine)


def _load_or_repair(settings: Settings, progress: Progress, open_folder: Open[T]) -> T:
    check_recipe(settings)
    try:
        return _load(settings, progress, open_folder)
    # The files are not to blame, and a second attempt would need as much memory.
    except MemoryShortError:
        raise
    except Exception as error:
        # Damaged files may fail in any way. If they are intact, another process has repaired them; or it has
        # removed them while this one opened them.
        is_removed = remove_damaged(settings, progress) or (
            isinstance(error, SessionError) and _is_gone(settings)
        )
        if not is_removed and not isinstance(error, ModelFilesError):
            raise
    return _load(settings, progress, open_folder)


def load_for_editor(settings: Settings, progress: Progress) -> "Completer":
    """Do the same, with one progress for all of it, which says what is left."""
    from aide_lsp.catalog.overall_progress import OverallProgress

    if not runs_here(settings):
        return _open_remote(settings)
    card = card_of(settings)
    return load_completer(settings, OverallProgress(progress, card.name, card.size))


def check_recipe(settings: Settings) -> None:
    """Check, before anything is fetched or converted, that the device can run the recipe fast enough.

    Raises:
        SettingsError: it cannot.
    """
    if settings.recipe != "fp16":
        return
    from aide_lsp.inference.onnx.runtime import cuda_problem

    # A folder of the user's own holds an exported graph, to which recipes do not apply.
    problem = 'provider is set to "cpu"' if settings.provider == "cpu" else cuda_problem()
    path = card_of(settings).path
    if problem is not None and not (path and path.is_dir()):
        raise SettingsError(
            f"The recipe fp16 needs a GPU ({problem}): on the CPU a completion would take minutes. Set "
            'recipe to "auto", which chooses for the device.'
        )


def check_memory(settings: Settings) -> None:
    """Check, before anything is fetched, converted or loaded, that the model fits into memory.

    Raises:
        MemoryShortError: it does not; the message says what it needs, what is available, and what to do.
    """
    from aide_lsp.inference.memory import shortage
    from aide_lsp.inference.onnx.runtime import thread_count

    card, threads = card_of(settings), thread_count(settings.threads)
    # First without the model: its device is only known once the runtime is imported, and the libraries that
    # come with the runtime end the process if they get no memory.
    if shortage(0, True, threads) is None and choose_recipe(settings, card) in GPU_RECIPES:
        return  # a GPU has its own memory
    files, packed = _files_of(card, settings.recipe)
    if (sentence := shortage(files, packed, threads)) is not None:
        raise MemoryShortError(sentence)


def _files_of(card: "Card", recipe: str) -> tuple[int, bool]:
    """Return the size of a model's files on the CPU, and whether they are packed for it."""
    from aide_lsp.catalog import store
    from aide_lsp.disk import bytes_in

    folder = store.converted_folder(card, _cpu_recipe(card) if recipe == "auto" else recipe)
    return bytes_in(folder) or card.converted_size, not folder.name.startswith(store.IMPORTED)


def remove_damaged(settings: Settings, progress: Progress) -> bool:
    """Remove the converted model if any byte of it has changed since; return whether it was removed.

    Raises:
        ModelError: it cannot be removed, or there is no such model.
    """
    from aide_lsp.catalog import store

    card = card_of(settings)
    if not store.remove_damaged(card, choose_recipe(settings, card), progress):
        return False
    progress(None, "The model's files are damaged; it is converted again.")
    return True


def _is_gone(settings: Settings) -> bool:
    from aide_lsp.catalog import store

    card = card_of(settings)
    return not store.is_converted(store.converted_folder(card, choose_recipe(settings, card)))


def _load(settings: Settings, progress: Progress, open_folder: Open[T]) -> T:
    from aide_lsp.inference.onnx.model_folder import verify_files

    check_memory(settings)
    folder = model_folder(settings, progress)
    progress(None, "Loading the model")
    if problems := verify_files(folder, SMALL_BYTES):
        raise ModelFilesError(" ".join(problems))
    return open_folder(folder, settings)


def model_folder(settings: Settings, progress: Progress) -> Path:
    """Return the folder of the converted model; fetch and convert it first if it is missing."""
    from aide_lsp.catalog import store

    card = card_of(settings)
    return store.ensure(card, choose_recipe(settings, card), progress)


def card_of(settings: Settings) -> "Card":
    """Return the card of the model that the settings name, or of the default one."""
    from aide_lsp.catalog.cards import load_catalog

    catalog = load_catalog()
    return catalog.default() if settings.model is None else catalog.find(settings.model)


def open_completer(folder: Path, settings: Settings) -> "Completer":
    """Open a converted model of the settings' card."""
    from aide_lsp.completion.completer import Completer

    return Completer(_open_local(folder, settings))


def _open_engine(folder: Path, settings: Settings) -> "Engine":
    from aide_lsp.engines.engine import open_engine

    card, device = card_of(settings), (settings.provider, settings.threads, settings.cache_mb)
    return open_engine(folder, *device, fim=card.fim, context_share=card.context_share)


def _open_remote(settings: Settings) -> "Completer":
    from aide_lsp.completion.completer import Completer
    from aide_lsp.engines.remote.open import open_remote_model

    return Completer(open_remote_model(server_choice(settings)))


def _open_shared(settings: Settings, progress: Progress) -> "Completer":
    """Join the engine that the user's editors share, or start it; else run the model here."""
    from aide_lsp.catalog import store
    from aide_lsp.completion.completer import Completer
    from aide_lsp.engines.shared.open import open_shared
    from aide_lsp.engines.shared.place import SharingError

    card = card_of(settings)
    if not _possible_recipes(settings, card) & {*store.state_of(card).recipes}:
        model_folder(settings, progress)
    try:
        return Completer(open_shared(shared_choice(settings), progress))
    except SharingError as error:
        reason = str(error)
    return _load_or_repair(settings, progress, partial(_open_alone, reason=reason))


def _possible_recipes(settings: Settings, card: "Card") -> set[str]:
    """Return what `choose_recipe` may return. The device is not looked at, which takes memory."""
    from aide_lsp.catalog import store

    if card.path is not None:
        return {store.IMPORTED, *card.recipes.values(), settings.recipe, GPU_INT4}
    if settings.recipe == "auto":
        return {_cpu_recipe(card), card.recipes["cuda"]}
    return {"int4", GPU_INT4} if settings.recipe == "int4" else {settings.recipe}


def shared_choice(settings: Settings) -> "SharedChoice":
    """Return which engine the settings share with the user's other editors."""
    from aide_lsp.catalog.store import data_folder
    from aide_lsp.engines.shared.open import SharedChoice

    card = card_of(settings)
    facts = f"{card.sha256} {card.path} {card.fim} {card.context_share}"
    return SharedChoice(card.id, facts, settings, data_folder())


def _open_alone(folder: Path, settings: Settings, *, reason: str) -> "Completer":
    from aide_lsp.completion.completer import Completer

    model = _open_local(folder, settings)
    model.info = evolve(model.info, sharing="alone", sharing_note=reason)
    return Completer(model)


def _open_local(folder: Path, settings: Settings) -> "LocalModel":
    from aide_lsp.engines.local import open_local_model

    card, device = card_of(settings), (settings.provider, settings.threads, settings.cache_mb)
    return open_local_model(folder, *device, fim=card.fim, context_share=card.context_share)


def server_choice(settings: Settings) -> "ServerChoice":
    """Return the server that the settings name, with its API key.

    If they also name a model whose files are here, it decides how prompts are written, and counts tokens.
    """
    from aide_lsp.engines.api_key import read_key
    from aide_lsp.engines.remote.flavors.choice import ServerChoice

    address = server_address(settings.engine)
    assert address is not None
    fim, tokenizer = None, None
    if settings.model is not None:
        # A card that is gone is no reason to be without completions.
        with suppress(AideError):
            fim, tokenizer = card_of(settings).fim, _tokenizer_of(card_of(settings))
    return ServerChoice(
        address=address,
        kind=settings.engine_kind,
        model=settings.engine_model,
        format=settings.engine_format,
        card_format=fim,
        key=read_key(address.host),
        tokenizer=tokenizer,
    )


def _tokenizer_of(card: "Card") -> "Tokenizer | None":
    """Return the tokenizer of a model whose files are here; None: it has not been converted."""
    from aide_lsp.catalog import store
    from aide_lsp.inference.tokenizer import Tokenizer

    folders = (store.converted_folder(card, recipe) for recipe in store.state_of(card).recipes)
    return next((Tokenizer.from_file(folder / "tokenizer.json") for folder in folders), None)


def threads_of(settings: Settings) -> int:
    """Return the number of CPU threads that the model runs on."""
    from aide_lsp.inference.onnx.runtime import thread_count

    return thread_count(settings.threads)


def choose_recipe(settings: Settings, card: "Card") -> str:
    """Return the recipe to convert by, for the device that will actually be used.

    `auto` is the one in the model's card; `int4` has another element type on a GPU.
    """
    if settings.recipe not in ("auto", "int4"):
        return settings.recipe
    device = "cpu"
    if settings.provider != "cpu":
        from aide_lsp.inference.onnx.runtime import cuda_problem

        device = "cuda" if cuda_problem() is None else "cpu"
    by_card = card.recipes["cuda"] if device == "cuda" else _cpu_recipe(card)
    recipe = by_card if settings.recipe == "auto" else settings.recipe
    return GPU_INT4 if (recipe, device) == ("int4", "cuda") else recipe


def _cpu_recipe(card: "Card") -> str:
    """Return the recipe that the card has for this machine's CPU."""
    from aide_lsp.inference.onnx.processor import has_amx

    return card.recipes["amx" if "amx" in card.recipes and has_amx() else "cpu"]


def known_limits(settings: Settings) -> ModelLimits | None:
    """Return what the settings' model allows, from its conversion or its card; nothing is loaded.

    None: it is a server's, which only the server knows.

    Raises:
        ModelError: there is no such model.
    """
    from aide_lsp.catalog import store
    from aide_lsp.inference.onnx.model_folder import read_model_folder

    if not runs_here(settings):
        return None
    card = card_of(settings)
    for recipe in store.state_of(card).recipes:
        model = read_model_folder(store.converted_folder(card, recipe))
        # An export may leave it to its graph, which is not read here.
        if model.vocab_size:
            return ModelLimits(model.vocab_size, model.context_length)
    # The vocabulary is only known after conversion.
    return ModelLimits(UNKNOWN_SIZE, card.context_length)


def ledger_file() -> Path:
    """Return the path of the ledger."""
    from aide_lsp.catalog.store import data_folder

    return data_folder() / "ledger.sqlite"
