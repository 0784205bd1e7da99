"""The settings table as a JSON schema, for editors that check TOML."""

import json
from typing import Any

from aide_lsp.settings.fields import FIELDS, PARAMETERS, defaults
from aide_lsp.settings.globs import SCHEMA_PATTERN
from aide_lsp.settings.limits import SettingField


def json_schema() -> dict[str, Any]:
    """Render the schema of `.aide.toml` and the user's own file."""
    inside = {key: schema_of(key, field) for key, field in FIELDS.items() if not field.all_files}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Aide settings",
        "type": "object",
        "additionalProperties": False,
        "properties": {key: schema_of(key, field) for key, field in FIELDS.items()}
        | {
            "languages": _tables("Settings by language, under the editor's name of it.", "part"),
            "globs": _tables("Settings by glob, the same as tables named by globs.", "part"),
            "presets": _tables("Presets of your own. Not in a project file.", "preset"),
        },
        "patternProperties": {SCHEMA_PATTERN: {"$ref": "#/definitions/part"}},
        "definitions": {
            "part": _object(inside, "Settings for some files."),
            "preset": _object({key: inside[key] for key in PARAMETERS}, "A named set of parameters."),
        },
    }


def schema_of(key: str, field: SettingField) -> dict[str, Any]:
    """Render one setting."""
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array"}
    where = "" if field.project else " Not in a project file."
    schema: dict[str, Any] = {"type": kinds[field.type], "description": field.text + where}
    if field.type is list:
        schema["items"] = {"type": "string"}
    if (default := defaults()[key]) is not None:
        schema["default"] = [*default] if isinstance(default, tuple) else default
    for name, value in (("minimum", field.minimum), ("maximum", field.maximum)):
        if value is not None:
            schema[name] = value
    if field.word:
        schema |= {"type": [schema["type"], "string"], "pattern": f"^{field.word}$"}
    return schema | ({"enum": list(field.choices)} if field.choices else {})


def default_text(key: str) -> str:
    """Describe a setting's default."""
    value = defaults()[key]
    return f"none ({FIELDS[key].none})" if value is None else f"`{json.dumps(value)}`"


def _tables(text: str, definition: str) -> dict[str, Any]:
    reference = {"$ref": f"#/definitions/{definition}"}
    return {"type": "object", "description": text, "additionalProperties": reference}


def _object(properties: dict[str, Any], text: str) -> dict[str, Any]:
    return {
        "type": "object",
        "description": text,
        "additionalProperties": False,
        "properties": {
            # A key that is missing here has the value of the tables outside, not the default.
            key: {k: v for k, v in value.items() if k != "default"}
            for key, value in properties.items()
        },
    }
