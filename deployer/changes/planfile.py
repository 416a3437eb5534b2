"""
A plan as a file: what was reviewed, and the state it applies to. Reads and writes it; decides nothing.

It contains no property values, only the names of changed properties. Parameter values are scrubbed.

A plan file that is read is untrusted. Its seal, a SHA-256 of its content, detects a change. A seal is no
signature: anyone who can write the file can compute it again, but can then only refer to change sets that
were created from the same folder (`deployer.changes.comparison`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from deployer.errors import Protected, Refused
from deployer.plan import Plan, PlanVerb, StackPlan
from deployer.scrub import scrubbed_json
from deployer.states import Change, PropertyChange, StackState
from generator.foreign import Foreign, decode, parse, read_bytes, write_private
from generator.manifest import Manifest, contents

FORMAT = 2
LIMIT = 16_000_000
"""Bytes of the largest plan file that is read: a plan of 500 stacks has about two million."""
SEAL = "sha256"


@dataclass(frozen=True)
class PlannedStack:
    """What was reviewed of one stack."""

    name: str
    stack_name: str
    action: PlanVerb
    exact: bool
    """Whether it comes from a change set; else it is a prediction, checked when it is executed."""
    stack_id: str = ""
    """Empty for a stack that does not exist and has no change set yet."""
    status: str = ""
    """What the plan was made for: status, last update, change set executed last; empty for a new stack."""
    last_updated: str = ""
    executed: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    change_set_id: str = ""
    change_set_name: str = ""
    changes: tuple[Change, ...] = ()
    """Without values."""

    @property
    def version(self) -> tuple[str, ...]:
        """What the plan was made for, to be compared with `version`."""
        return (self.stack_id, self.status, self.last_updated, self.executed)


@dataclass(frozen=True)
class PlanFile:
    """A plan that can be executed as it was reviewed."""

    environment: str
    region: str
    account: str
    """Empty if unknown."""
    created: str
    whole: bool
    """Whether all stacks of the environment were planned, not just some."""
    stacks: tuple[PlannedStack, ...]
    files: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 of every file of the built folder, `manifest.json` included, by its name."""
    by: str = ""
    """ARN of who planned; empty where the endpoint does not tell, and for a plan that is in no file."""
    allow_replace: tuple[str, ...] = ()
    """Logical ids of stateful resources whose loss was agreed to."""
    migrate_exports: bool = False
    revert_drift: bool = False


def version(state: StackState) -> tuple[str, ...]:
    """Return a value that differs after any change of the stack."""
    updated = state.last_updated.isoformat() if state.last_updated else ""
    return (state.id, state.status, updated, state.change_set_id or "")


def digest(content: bytes) -> str:
    """Return the SHA-256 by which a plan knows a file."""
    return hashlib.sha256(content).hexdigest()


def digests(manifest: Manifest) -> dict[str, str]:
    """Return the SHA-256 of every file that *manifest* is in its built folder, by name."""
    return {name: digest(content) for name, content in contents(manifest).items()}


def made_from(
    plan: Plan,
    manifest: Manifest,
    *,
    created: datetime,
    whole: bool,
    by: str = "",
    allow_replace: Collection[str] = (),
    migrate_exports: bool = False,
    revert_drift: bool = False,
) -> PlanFile:
    """Return the file for *plan*, whose change sets still exist."""
    stacks = tuple(_planned(stack) for stack in plan.stacks)
    arns = [by, *(one.stack_id for one in stacks)]
    accounts = [arn.split(":")[4] for arn in arns if arn.count(":") >= 5]
    return PlanFile(
        plan.environment,
        manifest.region,
        manifest.account or next(iter(accounts), ""),
        created.isoformat(timespec="seconds"),
        whole,
        stacks,
        digests(manifest),
        by,
        tuple(sorted(allow_replace)),
        migrate_exports,
        revert_drift,
    )


def write(plan: PlanFile, path: Path) -> None:
    """Write *plan* to *path*, readable by its owner only; may raise OSError."""
    whole = json.loads(scrubbed_json(json.dumps({"format": FORMAT, **_lean(plan)})))
    text = json.dumps({SEAL: _seal(whole), **whole}, indent=1) + "\n"
    write_private(path, text.encode())


def read(path: Path) -> PlanFile:
    """
    Read what `write` wrote.

    Raises:
        Refused: there is no such file, it is broken, or it is of another format.
        Protected: something in it was changed after it was written.

    """
    try:
        whole = decode(read_bytes(path, LIMIT), str(path))
        _check_seal(whole, path)
        return parse(PlanFile, _canonical(whole), str(path))
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}") from error
    except Foreign as error:
        raise Refused(f"{error}: plan again") from error


def _check_seal(whole: Any, path: Path) -> None:
    """Refuse a file that is no plan, or was changed; takes seal and format out of *whole*."""
    if not isinstance(whole, dict) or not {SEAL, "format"} & whole.keys():
        raise Refused(f"{path} is not a plan that `gatestack plan --save` wrote: plan again")
    sealed, seal = SEAL in whole, whole.pop(SEAL, None)
    same = seal == _seal(whole)
    found = whole.pop("format", None)
    if (sealed or found == FORMAT) and not same:
        raise Protected(f"{path} was changed after `gatestack plan --save` wrote it: plan again")
    if found != FORMAT:
        raise Refused(f"{path}: format {found}, this gatestack reads {FORMAT}: plan again")


def check_folder(plan: PlanFile, folder: Path) -> None:
    """
    Compare the bytes of a built folder with those that were planned, before any of it is parsed.

    Raises:
        Protected: a file of the plan is missing, or is another one.

    """
    for name, planned in sorted(plan.files.items()):
        try:
            same = Path(name).name == name and digest(read_bytes(folder / name, LIMIT)) == planned
        except (OSError, Foreign):
            same = False
        if not same:
            raise Protected(f"{folder / name} is not the file that was planned: plan again")


def _seal(whole: Mapping[str, Any]) -> str:
    return digest(_canonical(whole))


def _canonical(whole: Mapping[str, Any]) -> bytes:
    return json.dumps(whole, sort_keys=True, separators=(",", ":")).encode()


def _lean(value: Any) -> Any:
    """Return *value* as JSON, without default values."""
    if isinstance(value, tuple):
        return [_lean(one) for one in value]
    if isinstance(value, Mapping):
        return dict(value)
    if not is_dataclass(value):
        return value
    said = {each.name: getattr(value, each.name) for each in fields(value) if not _is_default(value, each)}
    return {name: _lean(one) for name, one in said.items()}


def _is_default(value: Any, each: Any) -> bool:
    made = each.default_factory() if each.default_factory is not MISSING else each.default
    return bool(getattr(value, each.name) == made)


def _planned(stack: StackPlan) -> PlannedStack:
    state, made = stack.stack, stack.change_set
    new = state is None or state.status == "REVIEW_IN_PROGRESS"
    stack_id, status, updated, executed = ("", "", "", "") if state is None or new else version(state)
    return PlannedStack(
        stack.name,
        stack.stack_name,
        stack.action,
        stack.exact,
        stack_id or (made.stack_id if made else ""),
        status,
        updated,
        executed,
        dict(stack.parameters),
        made.id if made else "",
        made.name if made else "",
        tuple(_without_values(change) for change in stack.changes),
    )


def _without_values(change: Change) -> Change:
    names = sorted({detail.name or detail.attribute for detail in change.details})
    details = tuple(PropertyChange("", name) for name in names)
    action = change.policy_action
    return Change(
        change.action, change.logical_id, change.type, "", change.replacement, action, details=details
    )
