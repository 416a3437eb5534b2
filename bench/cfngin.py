"""Writes the CFNgin project of the same templates: blueprints in plain troposphere, and their dump script."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench import plain

DUMP = '''"""Renders every blueprint, as CFNgin does before it sends it; no command of its does that alone."""
import json
from importlib import import_module
from runway.context import CfnginContext

NAMES = {names!r}
context = CfnginContext(deploy_environment=None, parameters={{"namespace": "dev"}})
for name in NAMES:
    made = import_module(f"blueprints.{{name}}").Made(name, context)
    made.resolve_variables([])
    _, text = made.render_template()
    with open(f"{{name}}.json", "w") as file:
        file.write(text)
'''


def write(templates: Mapping[str, Mapping[str, Any]], folder: Path) -> None:
    """Write the project into *folder*."""
    (folder / "blueprints").mkdir(parents=True, exist_ok=True)
    (folder / "blueprints" / "__init__.py").write_text("", encoding="utf-8")
    for name, template in templates.items():
        (folder / "blueprints" / f"{name}.py").write_text(plain.blueprint(template), encoding="utf-8")
    (folder / "dump.py").write_text(DUMP.format(names=list(templates)), encoding="utf-8")
