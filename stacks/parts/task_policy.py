"""What the environment file adds to the tasks' role: policy statements, and managed policies."""

from __future__ import annotations

import re
from typing import Any

from troposphere import ImportValue, Sub, iam

from stacks.checking.limits import OWN_OUTPUT
from stacks.checking.tasks.task_policy import OWN_POLICY_NAME, POLICY_NAME, statement
from stacks.extensions.finishing import export_of
from stacks.parts.policies import attached
from stacks.settings import Settings
from stacks.wiring import Stack

_FILLED = rf"(?P<own>{OWN_OUTPUT})|\$\{{(?P<variable>[^}}]*)\}}"


def extend(role: iam.Role, settings: Settings) -> None:
    """Add the file's permissions to *role*; its statements are a separate policy."""
    service = settings.service
    plain = [statement(one) for one in service.task_policy if not one.own_outputs]
    if plain:
        own = iam.Policy(PolicyName=POLICY_NAME, PolicyDocument=_document(plain))
        role.Policies = [*role.properties.get("Policies", []), own]
    if service.managed_policies:
        role.ManagedPolicyArns = list(service.managed_policies)


def add_of_own_stacks(stack: Stack) -> tuple[str, ...]:
    """
    Add the statements on resources of the team's own stacks; return the logical ids for tasks to wait for.

    They are in the service stack: an own stack may need the security stack, for its key, and then follows it.
    """
    said = [one for one in stack.settings.service.task_policy if one.own_outputs]
    if not said:
        return ()
    statements = [
        statement(one) | {"Resource": [with_outputs(text, stack.settings) for text in one.resources]}
        for one in said
    ]
    return (attached(stack, "TaskPolicy", OWN_POLICY_NAME, _document(statements), "TaskRoleArn"),)


def _document(statements: list[dict[str, object]]) -> dict[str, object]:
    return {"Version": "2012-10-17", "Statement": statements}


def with_outputs(text: str, settings: Settings) -> Any:
    """Return *text* with the outputs that it names; IAM's own variables, ``${aws:username}``, stay."""
    imports: dict[str, ImportValue] = {}

    def put(match: re.Match[str]) -> str:
        if match["variable"] is not None:
            return f"${{!{match['variable']}}}"
        name = f"Output{len(imports)}"
        imports[name] = ImportValue(export_of(settings, match["own"][2:-1]))
        return f"${{{name}}}"

    written = re.sub(_FILLED, put, text)
    if written == "${Output0}":
        return imports["Output0"]
    return Sub(written, **imports) if imports else text
