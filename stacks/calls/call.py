"""One AWS call of the tasks: the identity that makes it, and the permissions it needs. Pure."""

from __future__ import annotations

from typing import Final, NamedTuple

from stacks.checking.problems import Finding

PARTITION: Final = "${AWS::Partition}"
ACCOUNT: Final = "${AWS::AccountId}"
"""CloudFormation replaces these."""


class When(NamedTuple):
    """The condition under which something is allowed."""

    operator: str
    key: str
    values: tuple[str, ...]


class Grant(NamedTuple):
    """A statement of a policy: actions as IAM spells them, ARNs with CloudFormation's pseudo parameters."""

    sid: str
    """The same for all grants of a kind: they become one statement."""
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    when: When | None = None


class Call(NamedTuple):
    """
    What is called, where, and as whom.

    The tasks' role needs the permission where the call is its `own`. Otherwise keys sign it, or a `role` that
    the tasks assume first: assuming it is a call of its own.
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
    """The calls that an environment file implies."""

    calls: tuple[Call, ...] = ()
    findings: tuple[Finding, ...] = ()
    """Calls whose permission does not follow, each with the reason."""
    advice: tuple[str, ...] = ()


def arn(service: str, region: str, resource: str, account: str = ACCOUNT) -> str:
    """Return the ARN of *resource*: of this account, or of *account*; none of a foundation model's."""
    return f"arn:{PARTITION}:{service}:{region}:{account}:{resource}"
