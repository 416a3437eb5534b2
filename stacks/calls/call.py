"""One AWS call of the tasks: the identity that makes it, and the permissions it needs. Pure."""

from __future__ import annotations

from typing import Final, NamedTuple

from stacks.checking.problems import Finding

PARTITION: Final = "${AWS::Partition}"
ACCOUNT: Final = "${AWS::AccountId}"
"""CloudFormation puts in what they stand for."""


class When(NamedTuple):
    """The condition under which something is allowed."""

    operator: str
    key: str
    values: tuple[str, ...]


class Grant(NamedTuple):
    """A statement of a policy: actions as IAM spells them, ARNs with CloudFormation's pseudo parameters."""

    sid: str
    """The same for all of one kind: those are one statement in the end."""
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    when: When | None = None


class Call(NamedTuple):
    """
    What is called, where, and as whom.

    The tasks' role needs the permission where the call is its `own`. Else keys make it, or a `role` that the
    tasks assume first: to assume it is a call of its own.
    """

    endpoint: str
    """As AWS PrivateLink calls the service: ``bedrock-runtime``."""
    region: str
    needs: tuple[Grant, ...]
    key: str
    """Of the environment file: ``service.config``."""
    below: tuple[str | int, ...] = ()
    role: str | None = None
    """ARN of the role that makes the call."""
    own: bool = True


class Reading(NamedTuple):
    """What an environment file says of such calls."""

    calls: tuple[Call, ...] = ()
    findings: tuple[Finding, ...] = ()
    """Calls whose permission does not follow, each with the reason."""
    advice: tuple[str, ...] = ()


def arn(service: str, region: str, resource: str, account: str = ACCOUNT) -> str:
    """Return the ARN of *resource*: of this account, or of *account*; none of a foundation model's."""
    return f"arn:{PARTITION}:{service}:{region}:{account}:{resource}"
