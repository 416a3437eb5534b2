"""The sections of the environment file, a module for each that belong together: keys and their limits."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A part of the environment file: frozen, and no key that is not named here."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)
