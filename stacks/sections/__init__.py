"""
The sections of the environment file, one module per group of related keys, with their limits.

Their modules have no ``from __future__ import annotations``: pydantic would compile the text of each
annotation again whenever a command starts.
"""

import ast
import inspect
from textwrap import dedent
from typing import TypeVar

from pydantic import BaseModel, ConfigDict

Model = TypeVar("Model", bound=BaseModel)


class Section(BaseModel):
    """A part of the environment file: frozen, and no key that is not named here."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)
    """What checks values is built once, for the whole file: each section's own is hardly ever asked for."""


def described(model: type[Model]) -> type[Model]:
    """
    Return *model* with what stands below its keys as their descriptions, its sections included.

    Not pydantic's ``use_attribute_docstrings``: that reads the sources again whenever a command starts.
    """
    above = (one for one in reversed(model.__mro__) if issubclass(one, Section) and one is not Section)
    texts = {name: text for one in above for name, text in _texts(one).items()}
    for name, info in model.model_fields.items():
        for part in (info.annotation, *getattr(info.annotation, "__args__", ())):
            if isinstance(part, type) and issubclass(part, Section):
                described(part)
        info.description = info.description or texts.get(name)
    model.model_rebuild(force=True)
    return model


def _texts(model: type[BaseModel]) -> dict[str, str]:
    """Return the texts below the annotations of *model*'s source, by name."""
    (definition,) = ast.parse(dedent(inspect.getsource(model))).body
    assert isinstance(definition, ast.ClassDef)  # noqa: S101 - the source of a class
    found: dict[str, str] = {}
    for key, text in zip(definition.body, definition.body[1:], strict=False):
        if isinstance(key, ast.AnnAssign) and isinstance(key.target, ast.Name) and isinstance(text, ast.Expr):
            found[key.target.id] = inspect.cleandoc(str(ast.literal_eval(text.value)))
    return found
