"""Permission to read the secrets of `secrets_from`, which exists as long as tasks that need it."""

from __future__ import annotations

import hashlib
from functools import partial

from stacks.parts import foreign_secrets
from stacks.parts.policies import attached, document
from stacks.parts.task_policy import with_outputs
from stacks.wiring import Stack


def allow_start(stack: Stack) -> tuple[str, ...]:
    """
    Let the role that starts the tasks read what the file names; return the logical ids to wait for.

    The policy is in the service stack, and its name follows from its content. So another list is another
    policy: CloudFormation adds it before the service changes, and deletes the old one in its cleanup, once
    the old tasks are gone, or the new one where the service rolls back (CloudFormation User Guide,
    "Understand update behaviors of stack resources" and "Stack update completion"). The security stack is
    updated earlier: a permission removed there would be missing for each old task that restarts.
    """
    settings = stack.settings
    sources = foreign_secrets.all_of(settings)
    if not sources:
        return ()
    said = document(*foreign_secrets.reading(sources)).to_json()
    title = f"SecretsFrom{hashlib.sha256(said.encode()).hexdigest()[:8]}"
    filled = foreign_secrets.reading(sources, partial(with_outputs, settings=settings))
    return (attached(stack, title, title, document(*filled), "ExecutionRoleArn"),)
