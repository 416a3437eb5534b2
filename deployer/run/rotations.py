"""Refuses, before anything is executed, a run that would change the schedule of a stuck rotation."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from deployer.cloud import Cloud
from deployer.day2.secret_rotation import Rotating
from deployer.errors import CloudError, Refused, Transient
from deployer.observed import live
from deployer.progress import Notice, Tell
from deployer.run.work import Work
from deployer.states import Change

SCHEDULE = "AWS::SecretsManager::RotationSchedule"
ValueOf = Callable[[str], str | None]
"""Export -> its value."""


def check_rotations(
    works: Collection[Work], cloud: Cloud, value_of: ValueOf, tell: Tell, environment: str
) -> None:
    """
    Check each secret whose schedule is about to be created or changed; sends no request if there is none.

    Raises:
        Refused: a rotation is not complete: Secrets Manager would refuse, and the update would roll back.
        Transient: AWS could not be asked.

    """

    def known(export: str) -> str | None:
        """Return the value of an export; for one that this run creates, the imported secret, if any."""
        for work in works:
            for output in work.stack.outputs if work.stack else ():
                if output.export == export:
                    return output.value
        making = [work for work in makers if export in _exports(work.spec.template)]
        return _taken_up(making[0], export) if making else value_of(export)

    makers = [work for work in works if live(work.stack) is None]
    going = [work for work in works if work.open and work.goal == "deploy"]
    hanging = []
    for work in going:
        new = live(work.stack) is None
        listed = work.change_set.changes if work.change_set else ()
        for arn in rescheduled(None if new else listed, work.spec.template, known):
            found = _asked(arn, work, cloud, tell)
            if found is not None and found.pending:
                hanging.append(f"{work.name}: {found.refusal(environment)}")
    if hanging:
        raise Refused("\n  ".join(hanging))


def rescheduled(changes: Collection[Change] | None, template: str, value_of: ValueOf) -> Iterator[str]:
    """
    Yield the existing secrets, by ARN, whose schedule a stack is about to create or to change.

    Every change of a schedule asks for a rotation or, where it is not to be immediate, for a test of one
    (AWS::SecretsManager::RotationSchedule; Secrets Manager API Reference, RotateSecret). A schedule's
    physical id is its secret's ARN. *changes*: None for a stack that is to be made.
    """
    found = _schedules(template)
    if changes is None:
        yield from filter(None, (_imported(one, value_of) for one in found.values()))
        return
    for change in changes:
        if change.type == SCHEDULE and change.action == "Modify" and change.physical_id:
            yield change.physical_id
        elif change.type == SCHEDULE and change.action == "Add" and change.logical_id in found:
            yield from filter(None, [_imported(found[change.logical_id], value_of)])


def _asked(secret: str, work: Work, cloud: Cloud, tell: Tell) -> Rotating | None:
    """Return how far a rotation is; None, with a warning, where the login may not see it."""
    try:
        return cloud.rotating(secret)
    except Transient:
        raise
    except CloudError as error:
        tell(Notice(f"pending rotations could not be checked: {error}", work.name, warning=True))
        return None


def _taken_up(work: Work, export: str) -> str | None:
    """Return the future value of *export*, if it is a resource that an earlier destroy has kept."""
    value = _exports(work.spec.template)[export]
    kept = {one.logical_id: one.physical_id for one in work.to_import}
    return kept.get(value.get("Ref", "")) if isinstance(value, dict) else None


def _exports(template: str) -> Mapping[str, Any]:
    """Return the values of a template's exports, by the exports' names."""
    outputs = json.loads(template).get("Outputs", {}).values()
    return {str(one["Export"]["Name"]): one["Value"] for one in outputs if "Export" in one}


def _schedules(template: str) -> Mapping[str, Any]:
    """Return the properties of a template's schedules by logical id."""
    resources = json.loads(template).get("Resources", {}).items()
    return {name: one.get("Properties", {}) for name, one in resources if one.get("Type") == SCHEDULE}


def _imported(schedule: Any, value_of: ValueOf) -> str | None:
    """Return the secret of another stack; one of the same stack is created with its schedule."""
    secret = schedule.get("SecretId")
    export = secret.get("Fn::ImportValue") if isinstance(secret, dict) else None
    return value_of(export) if isinstance(export, str) else None
