"""The right to secrets and parameters that are there already, for as long as tasks that start with them."""

from __future__ import annotations

import hashlib

from troposphere import Select, Split
from troposphere.iam import PolicyType

from stacks.parts import foreign_secrets
from stacks.parts.policies import document
from stacks.wiring import Stack


def allow_start(stack: Stack) -> tuple[str, ...]:
    """
    Let the role that starts the tasks read what the file names; return the logical ids to wait for.

    The policy is of the service's stack, and its name follows from its content. So another list is another
    policy: CloudFormation adds it before the service changes, and deletes the old one in its cleanup, once
    the old tasks are gone, or the new one where the service rolls back (CloudFormation User Guide,
    "Understand update behaviors of stack resources" and "Stack update completion"). The security stack is
    updated earlier: a right that went with it would be missed by each old task that starts again.
    """
    statements = [*foreign_secrets.reading(foreign_secrets.all_of(stack.settings))]
    if not statements:
        return ()
    policy = document(*statements)
    title = f"SecretsFrom{hashlib.sha256(policy.to_json().encode()).hexdigest()[:8]}"
    stack.add(
        PolicyType(
            title,
            PolicyName=title,
            PolicyDocument=policy,
            # The role has no path, so its name is what comes after the only slash of its ARN.
            Roles=[Select(1, Split("/", stack.imported("security", "ExecutionRoleArn")))],
        )
    )
    return (title,)
