"""The commands of `workspace/executeCommand`: one record each, and the only list of them.

`initialize` is answered from this table before the protocol's library is imported, so handlers are named, not
imported. The command tables of the pages are generated from it, and a test compares it with what the editors'
extensions contribute.
"""

from attrs import frozen

PACKAGE = "aide_lsp.lsp.commands"
ACCEPTED = "aide.accepted"
PLACE = "`uri`, `position`"


@frozen
class Command:
    """One command."""

    name: str
    "As clients send it."
    handler: str
    "`module:function` in this package. The function takes the server and an `Arguments`."
    summary: str
    "For the pages: one sentence without its period."
    arguments: str = ""
    "For the pages: the keys of its object; optional ones end in `?`."
    vscode: str = ""
    "Its title in VS Code's palette, where its id is `aide.editor.*`; empty: not there."
    neovim: str = ""
    "Its subcommand of `:Aide` in Neovim; empty: there is none."


COMMANDS = (
    Command(
        "aide.regenerate",
        "seeds:regenerate",
        "Show another completion: with the `seed` given, or with new ones until the text is another one",
        f"{PLACE}, `seed?`, `parameters?`",
        vscode="Regenerate with New Seed",
        neovim="regenerate",
    ),
    Command(
        "aide.candidate",
        "seeds:candidate",
        "Show the next (`step` 1) or the previous (-1) candidate of the visible seed; the answer has its "
        "`index`, from 0, and their `count`",
        f"{PLACE}, `step`",
    ),
    Command(
        "aide.previousSeed",
        "seeds:previous_seed",
        "Return to the completion that was shown here before",
        PLACE,
        vscode="Previous Seed",
        neovim="previous",
    ),
    Command(
        "aide.pinSeed",
        "seeds:pin_seed",
        "Write the seed of the most recent completion, in the document or at `position`, to the project file",
        "`uri`, `position?`",
        vscode="Pin This Seed",
        neovim="pin",
    ),
    Command(
        "aide.unpinSeed",
        "seeds:unpin_seed",
        "Remove the seed from the project file",
        "`uri`",
        vscode="Unpin Seed",
        neovim="unpin",
    ),
    Command(
        "aide.troubleshoot",
        "troubleshoot:troubleshoot",
        "Propose parameters that address a complaint, and complete with the current and the proposed ones; "
        "`apply` writes them to the project file",
        f"{PLACE}, `complaint`, `seed?`, `apply?`, `create?`",
        vscode="Troubleshoot Completions…",
        neovim="troubleshoot",
    ),
    Command(
        "aide.complete",
        "comparing:complete",
        "Complete with other parameters and leave what is shown as it is, to compare completions",
        f"{PLACE}, `parameters?`, `seed?`, `candidate?`",
    ),
    Command(
        "aide.writeParameters",
        "comparing:write_parameters",
        "Write parameters to the project file; null removes one",
        "`uri`, `parameters`, `create?`",
    ),
    Command(
        "aide.explain",
        "explain:explain",
        "Explain the completion that is visible at this position, as an HTML page and as [JSON](explain.md)",
        f"{PLACE}, `seed?`, `parameters?`, `candidate?`",
        vscode="Explain This Completion",
        neovim="explain",
    ),
    Command(
        "aide.settings",
        "state:settings",
        "Report every effective setting for a document, where it comes from, and what it overrides: as JSON, "
        "`text`, and `html`",
        "`uri?`, `parameters?`",
        vscode="Show Effective Settings",
        neovim="settings",
    ),
    Command(
        "aide.status",
        "state:status",
        "Report the version, model, device and state, the last request's outcome, and problems with settings",
        "`uri?`",
        neovim="status",
    ),
    Command(
        ACCEPTED,
        "state:accepted",
        "Record that a completion was accepted; clients send it automatically",
        "`id`",
    ),
    Command(
        "aide.pause",
        "state:pause",
        "Stop offering completions",
        vscode="Pause / Resume",
        neovim="pause",
    ),
    Command("aide.resume", "state:resume", "Offer completions again", neovim="resume"),
    Command(
        "aide.snooze",
        "switching:snooze",
        "Stop offering completions for some minutes, then resume automatically; `aide.resume` ends it",
        "`minutes`",
        vscode="Snooze for 5 Minutes",
        neovim="snooze",
    ),
    Command(
        "aide.setOff",
        "switching:set_off",
        "Turn completions off or on for a document or for its language, in your own settings file; `off` in "
        "the answer says whether they are off there now",
        '`uri`, `scope` ("file" or "language"; may be left out to turn them on), `off`',
        neovim="off",
    ),
    Command(
        "aide.choices",
        "choices:choices",
        "List the presets, complaints and models to choose from, with the current ones marked",
        "`uri?`",
    ),
    Command(
        "aide.choosePreset",
        "choices:choose_preset",
        "Write a preset to the project file; null removes it",
        "`uri`, `preset`",
        vscode="Choose Preset",
        neovim="preset",
    ),
    Command(
        "aide.selectModel",
        "choices:select_model",
        "Write a model's id to your own settings file and load the model; null selects the default one",
        "`model`",
        vscode="Select Model",
        neovim="model",
    ),
    Command(
        "aide.fetchModel",
        "choices:fetch_model",
        "Download the model if it is missing, or try again if that failed: the user agrees to it",
        vscode="Download the Model",
    ),
)
