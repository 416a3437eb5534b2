"""Writes Sceptre projects of the same templates: to be made (plain troposphere), or to be launched (JSON)."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from bench import plain


def write(templates: Mapping[str, Mapping[str, Any]], folder: Path, environment: str) -> None:
    """Write the project into *folder*; its stacks are in the group *environment*."""
    (folder / "templates").mkdir(parents=True, exist_ok=True)
    (folder / "config" / environment).mkdir(parents=True, exist_ok=True)
    (folder / "config" / "config.yaml").write_text(
        "project_code: bench\nregion: us-east-1\n", encoding="utf-8"
    )
    for name, template in templates.items():
        (folder / "templates" / f"{name}.py").write_text(plain.handler(template), encoding="utf-8")
        config = f"template:\n  path: {name}.py\n  type: file\n"
        (folder / "config" / environment / f"{name}.yaml").write_text(config, encoding="utf-8")


def write_templates(
    built: Path,
    needs: Mapping[str, tuple[str, ...]],
    parameters: Mapping[str, Mapping[str, str]],
    folder: Path,
    environment: str,
) -> None:
    """Write the project of *built* into *folder*, with the dependencies *needs* as Sceptre wants them."""
    (folder / "templates").mkdir(parents=True, exist_ok=True)
    (folder / "config" / environment).mkdir(parents=True, exist_ok=True)
    common = {"project_code": "bench", "region": "us-east-1"}
    (folder / "config" / "config.yaml").write_text(yaml.safe_dump(common), encoding="utf-8")
    for name, each in needs.items():
        shutil.copy(built / f"{name}.json", folder / "templates")
        config = {
            "template": {"path": f"{name}.json", "type": "file"},
            "dependencies": [f"{environment}/{need}.yaml" for need in each],
            "parameters": dict(parameters.get(name, {})),
        }
        text = yaml.safe_dump({key: value for key, value in config.items() if value})
        (folder / "config" / environment / f"{name}.yaml").write_text(text, encoding="utf-8")
