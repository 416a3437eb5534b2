"""Writes the Sceptre project of the same templates: one Python template a stack, in plain troposphere."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

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
