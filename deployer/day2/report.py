"""Secrets and parameters as text or JSON. Pure; a secret's value is never part of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from deployer.day2.parameters import Parameter
from deployer.day2.secrets import Rotation, SecretInfo, State
from deployer.report import columns

ONE_TEXT = "one text"


@dataclass(frozen=True)
class SecretView:
    """A secret as it is shown."""

    name: str
    """Short: ``api-keys``."""
    info: SecretInfo | None
    """None: there is no such secret."""
    keys: Mapping[str, State]
    changed: datetime | None
    problem: str = ""
    """Why nothing is known of its values."""

    @property
    def label(self) -> str:
        """
        Return what a line about it begins with: ``api-keys: ``, or a variable that is all of it.

        No colon is behind the variable: what follows SECRET_KEY: is taken for its value, and hidden.
        """
        _, below, variable = self.name.rpartition("/")
        return f"{variable}  " if below else f"{self.name}: "

    def record(self) -> dict[str, Any]:
        """Return it for machines."""
        return {
            "name": self.name,
            "arn": self.info.arn if self.info else None,
            "keys": dict(self.keys),
            "last_changed": _moment(self.changed) or None,
            "rotation": _rotation(self.info.rotation if self.info else Rotation()),
        }

    @property
    def rotation(self) -> str:
        """Return in words how it is rotated."""
        rotation = self.info.rotation if self.info else Rotation()
        if not rotation.enabled:
            return "not rotated"
        every = f"every {rotation.days} days" if rotation.days else "by schedule"
        return f"rotated {every}" + (f", next {_moment(rotation.next)}" if rotation.next else "")


def secret_text(view: SecretView) -> str:
    """Return one secret for a terminal: what is in it, and when it changed."""
    arn = view.info.arn if view.info else ""
    head = [("arn", arn), ("changed", _moment(view.changed)), ("rotation", view.rotation)]
    keys = _keys(view)
    name = view.info.name if view.info else view.name
    return "\n".join([name, *(f"  {line}" for line in columns([*head, *keys]))])


def secrets_text(views: Sequence[SecretView]) -> str:
    """Return all secrets for a terminal: a block each."""
    lines = []
    for view in views:
        if view.info is None or view.problem:
            lines.append(f"{view.label}{view.problem or 'not there'}")
            continue
        changed = f"changed {_moment(view.changed)}, {view.rotation}"
        if "/" in view.name:
            lines.append(f"{view.label}{', '.join(view.keys.values()) or ONE_TEXT}, {changed}")
            continue
        lines.append(f"{view.label}{changed}")
        lines += [f"  {line}" for line in columns(_keys(view))]
    return "\n".join(lines)


def _keys(view: SecretView) -> list[tuple[str, str]]:
    return [(key, str(state)) for key, state in view.keys.items()] or [("value", ONE_TEXT)]


def secrets_json(environment: str, views: Iterable[SecretView]) -> str:
    """Return all secrets for machines; ``problem`` says why nothing is known of one."""
    found = [view.record() | {"problem": view.problem or None} for view in views]
    return json.dumps({"environment": environment, "secrets": found}, indent=2)


def parameters_text(parameters: Iterable[tuple[Parameter, str]]) -> str:
    """Return parameters, each with its owner, for a terminal."""
    rows = [(one.name, one.value, owner, _moment(one.modified)) for one, owner in parameters]
    return "\n".join(columns(rows))


def parameter_record(parameter: Parameter, owner: str) -> dict[str, Any]:
    """Return one parameter for machines."""
    return {
        "name": parameter.name,
        "value": parameter.value,
        "type": parameter.type,
        "owner": owner,
        "last_modified": _moment(parameter.modified),
        "arn": parameter.arn,
    }


def _rotation(rotation: Rotation) -> dict[str, Any]:
    return {
        "enabled": rotation.enabled,
        "days": rotation.days,
        "last": _moment(rotation.last) or None,
        "next": _moment(rotation.next) or None,
    }


def _moment(moment: datetime | None) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds") if moment else ""
