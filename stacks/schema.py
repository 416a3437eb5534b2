"""
The JSON Schema of the environment file, for editors: ``python -m stacks.schema`` writes it.

It is generated from `Settings`; checks across several keys are beyond it and stay in
`stacks.checking.together`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from stacks.environment import defaults
from stacks.sections import described
from stacks.settings import EnvironmentFile

FILE = Path(__file__).with_name("environment.schema.json")
DRAFT = "http://json-schema.org/draft-07/schema#"
"""The draft that yaml-language-server knows best."""

REQUIRED = ("system", "extends")
"""One of them beside `environment`; a file that names none is a base, and may say as little as it likes."""


def environment_schema() -> dict[str, Any]:
    """Return the schema: the keys that a file may have, none of them needed that has a default."""
    generated: dict[str, Any] = _plain(described(EnvironmentFile).model_json_schema())
    values = defaults("litellm", "dev")
    _with_defaults(generated, values, generated["$defs"])
    generated["dependencies"] = {"environment": {"anyOf": [{"required": [key]} for key in REQUIRED]}}
    return {"$schema": DRAFT, "title": "Environment of gatestack"} | generated


def text() -> str:
    """Return the schema as the file has it."""
    return json.dumps(environment_schema(), indent=2, ensure_ascii=False) + "\n"


def _plain(schema: Any) -> Any:
    """Return *schema* in draft 7's words and without the titles that only repeat the keys."""
    if isinstance(schema, list):
        return [_plain(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {
        key: _plain(value) for key, value in schema.items() if not (key == "title" and isinstance(value, str))
    }
    if "prefixItems" in plain:
        plain["items"] = plain.pop("prefixItems")[0]
    return plain


def _with_defaults(schema: dict[str, Any], values: dict[str, Any], sections: dict[str, Any]) -> None:
    schema.pop("required", None)
    for key, value in values.items():
        entry = schema["properties"][key]
        section = sections.get(entry.get("$ref", "").rpartition("/")[2])
        if section and isinstance(value, dict):
            _with_defaults(section, value, sections)
        elif not isinstance(value, dict):
            entry["default"] = value


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8", newline="\n")
