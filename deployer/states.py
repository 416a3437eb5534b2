"""
Stacks, change sets, resources and events as CloudFormation reports them. Frozen data; decides nothing.

What a run reports about them (progress, results) is in `deployer.progress`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from deployer.kept import Kept
from deployer.stateful import STATEFUL

Replacement = Literal["True", "False", "Conditional"]
UNKNOWN = "{{changeSet:KNOWN_AFTER_APPLY}}"
"""CloudFormation's text for a value that is not known yet (User Guide, Change sets)."""
Kind = Literal["CREATE", "UPDATE", "IMPORT"]
"""IMPORT: a new stack imports existing resources."""


@dataclass(frozen=True)
class Output:
    """One output of a live stack."""

    key: str
    value: str
    export: str | None = None
    description: str = ""


@dataclass(frozen=True)
class StackState:
    """A stack as DescribeStacks tells it."""

    name: str
    id: str
    """The ARN: a name can later mean another stack, an id cannot."""
    status: str
    reason: str = ""
    created: datetime | None = None
    last_updated: datetime | None = None
    change_set_id: str | None = None
    """The change set that was executed last (or that made the stack)."""
    outputs: tuple[Output, ...] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    protected: bool = False
    """Termination protection."""

    @property
    def mark(self) -> tuple[str, ...]:
        """What differs as soon as anything happened to the stack."""
        updated = self.last_updated.isoformat() if self.last_updated else ""
        return (self.id, self.status, updated, self.change_set_id or "", self.reason)


def structure(text: str | None) -> Any:
    """Return the object or list that a value's *text* is as JSON; None for any other, as for a reference."""
    if text is None or not text.lstrip().startswith(("{", "[")) or text.startswith("{{"):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


@dataclass(frozen=True)
class PropertyChange:
    """One cause inside a changed resource."""

    attribute: str
    """``Properties``, ``Tags``, ``Metadata``, …"""
    name: str
    """The property, or a path inside it (``/Properties/Engine``) where CloudFormation gives one."""
    recreation: str = ""
    """``Never``, ``Conditionally`` or ``Always``."""
    before: str | None = None
    after: str | None = None
    """Values where the endpoint gives them; ``{{changeSet:KNOWN_AFTER_APPLY}}`` if not known yet."""
    cause: str = ""
    """What the change comes from (``ParameterReference DesiredCount``) where it is not the text."""

    @property
    def top(self) -> str:
        """The property of the resource that it is about, or in."""
        return self.name.removeprefix("/Properties/").partition("/")[0] or self.attribute


@dataclass(frozen=True)
class Change:
    """What a change set does to one resource."""

    action: str
    """``Add``, ``Modify``, ``Remove``, ``Import``, ``Dynamic`` or ``SyncWithActual``."""
    logical_id: str
    type: str
    physical_id: str = ""
    replacement: Replacement | None = None
    policy_action: str = ""
    """``Delete``, ``Retain``, ``Snapshot``, ``ReplaceAndDelete``, …"""
    scope: tuple[str, ...] = ()
    details: tuple[PropertyChange, ...] = ()
    patched: str = ""
    """Where and why the environment's file patches the resource; no part of what AWS does."""

    @property
    def stateful(self) -> bool:
        """Whether the resource holds what cannot be made again."""
        return self.type in STATEFUL

    @property
    def destructive(self) -> bool:
        """Whether the existing resource is deleted, or may be (a conditional replacement counts)."""
        return self.action == "Remove" or self.replacement in {"True", "Conditional"}


@dataclass(frozen=True)
class ChangeSetInputs:
    """What a change set was made with, beside its template; None where an emulated endpoint does not tell."""

    parameters: Mapping[str, str] | None = None
    tags: Mapping[str, str] | None = None
    capabilities: tuple[str, ...] | None = None
    rollback_alarms: tuple[str, ...] | None = None
    rollback_minutes: int = 0
    notifications: tuple[str, ...] = ()
    """ARNs of the topics that get the stack's events."""
    on_failure: str = ""
    """OnStackFailure, where one was asked for."""
    nested: bool = False
    express: bool = False
    """Whether resources are not waited for until they are ready."""
    rollback_off: bool = False
    """Whether what fails in express mode stays as it is."""


@dataclass(frozen=True)
class ChangeSetState:
    """A change set as DescribeChangeSet tells it."""

    name: str
    id: str
    stack_id: str
    status: str
    execution: str = "UNAVAILABLE"
    reason: str = ""
    """May stand on a success too (a [WARN])."""
    changes: tuple[Change, ...] = ()
    reverts_drift: bool = False
    inputs: ChangeSetInputs | None = None
    """None for one that was just requested, and not read yet."""


@dataclass(frozen=True)
class Resource:
    """A resource of a live stack."""

    logical_id: str
    physical_id: str
    type: str
    status: str


@dataclass(frozen=True)
class StackEvent:
    """One event of a stack, as CloudFormation tells it."""

    id: str
    stack_id: str
    stack_name: str
    time: datetime
    logical_id: str
    physical_id: str
    type: str
    status: str
    reason: str = ""
    token: str = ""
    """What the operation was asked for with (ClientRequestToken), where the endpoint tells it."""
    hook: str = ""
    """The type of the Hook that the event is about: ``Acme::Encryption::Required``; mostly none."""
    hook_status: str = ""
    """``HOOK_COMPLETE_FAILED``, …"""
    hook_reason: str = ""
    """The Hook's own words."""

    @property
    def is_stack(self) -> bool:
        """Whether the event is about the stack itself."""
        return self.physical_id == self.stack_id


@dataclass(frozen=True)
class ExportState:
    """An export of the region, with the stack that owns it."""

    name: str
    value: str
    stack_id: str

    @property
    def stack_name(self) -> str:
        """The owner's name, out of its ARN."""
        return self.stack_id.split("/")[1] if "/" in self.stack_id else self.stack_id


@dataclass(frozen=True)
class ChangeSetRequest:
    """What a change set is made from."""

    stack: str
    """Name for a new one, id for an UPDATE."""
    kind: Kind
    name: str
    token: str
    """The same token means the same request: repeating it is harmless."""
    body: str | None
    url: str | None
    """Either the template's text or where it is in S3."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    capabilities: tuple[str, ...] = ()
    description: str = ""
    revert_drift: bool = False
    """For an UPDATE: revert drift; left out where the endpoint does not know how."""
    rollback_alarms: tuple[str, ...] = ()
    """ARNs; none means that none is left on the stack."""
    rollback_minutes: int = 0
    express: bool = False
    """Whether it ends once its configuration is applied; left out where the endpoint does not know how."""
    imports: tuple[Kept, ...] = ()
    """For an IMPORT: the resources to import, by primary identifier."""
