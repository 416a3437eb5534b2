"""Locations of the tables that cfn-lint ships: provider schemas and RDS's offers. Never imports cfnlint."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path


@cache
def schemas() -> Path:
    """Return the folder of the schemas and of their extensions."""
    spec = find_spec("cfnlint")
    if spec is None or spec.origin is None:
        raise RuntimeError("cfn-lint is not installed; the sandbox reads the provider schemas that it ships")
    return Path(spec.origin).parent / "data" / "schemas"
