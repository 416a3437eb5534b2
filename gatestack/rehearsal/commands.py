"""`local fail`, `slow` … `act-as`, `quota`, `reset`: inject failures into this user's sandbox."""

from __future__ import annotations

import shlex
from typing import Any

import click

from deployer.day2.names import near
from gatestack.rehearsal import told
from gatestack.rehearsal.meant import resources
from gatestack.sandbox_here import asked
from sandbox.faults import CallKind

REASON = (
    'Resource handler returned message: "Asked for by gatestack local" '
    "(HandlerErrorCode: GeneralServiceException)"
)
"""In the words of a resource handler that has no better code (CloudFormation CLI, "Handler error codes")."""
STACK = click.argument("stack")
LOGICAL_ID = click.argument("logical_id")
OF = click.option("--env", default="local", show_default=True, help="The environment that STACK is one of.")
TIMES = click.option(
    "--times", type=click.IntRange(1), default=1, show_default=True, help="How many operations."
)
PERCENT = click.argument("percent", type=click.FloatRange(0, 100))


@click.command()
@STACK
@LOGICAL_ID
@click.option(
    "--on",
    "operation",
    type=click.Choice(["create", "update", "delete"]),
    help="The operation that fails (default: whichever is next).",
)
@click.option("--reason", default=REASON, help="What the stack's events say of it.")
@TIMES
@OF
def fail(stack: str, logical_id: str, operation: str | None, reason: str, times: int, env: str) -> int:
    """
    Let the next operation on a resource fail, at the end of its time.

    STACK is a short name (database) or the stack's full name. A failed update is rolled back by another
    update: with --times 2 that fails as well.
    """
    return _of_resource(stack, logical_id, env, operation=operation or "any", reason=reason, times=times)


@click.command()
@STACK
@LOGICAL_ID
@click.argument("minutes", type=click.FloatRange(min=0, min_open=True))
@TIMES
@OF
def slow(stack: str, logical_id: str, minutes: float, times: int, env: str) -> int:
    """Let the next operation on a resource take MINUTES longer, by the sandbox's clock."""
    seconds = minutes * told.SECONDS_PER_MINUTE
    return _of_resource(stack, logical_id, env, operation="any", seconds=seconds, times=times)


@click.command()
@PERCENT
def throttle(percent: float) -> int:
    """Throttle PERCENT of the API calls of every service; 0 ends it."""
    return _of_calls("throttle", percent)


@click.command()
@PERCENT
def lose(percent: float) -> int:
    """Lose PERCENT of the answers, after the call was carried out; 0 ends it."""
    return _of_calls("drop-after", percent)


@click.command()
def expire() -> int:
    """Let the login expire: every API call is refused until `gatestack local reset`."""
    return _of_calls("expired", 100)


@click.command()
@STACK
@LOGICAL_ID
@click.argument("path")
@click.argument("value")
@OF
def drift(stack: str, logical_id: str, path: str, value: str, env: str) -> int:
    """
    Set a property of a resource to VALUE, as somebody at the console does.

    PATH is that of the property, like /RetentionInDays or /SecurityGroupIngress/0/CidrIp.
    """
    meant = resources(asked("stacks"), env)
    full = meant.stack(stack)
    meant.logical_id(full, logical_id)
    given = {"stack": full, "logical_id": logical_id, "path": path, "value": value}
    for one in asked("drift", given):
        click.echo(
            f"{logical_id} {one['PropertyPath']}: {one['ExpectedValue']} -> {one['ActualValue']}", err=True
        )
    return 0


@click.command(name="act-as")
@click.argument("role")
def act_as(role: str) -> int:
    """
    Judge every call as one of ROLE, by its policies and its boundary, until `gatestack local reset`.

    ROLE is the name or the ARN of a role in the sandbox, like those that `gatestack bootstrap` creates.
    """
    there, name = asked("acting")["roles"], role.rpartition("/")[2]
    if name not in there:
        raise click.UsageError(f"there is no role {name}{near(name, there) or _roles(there)}")
    click.echo(str(told.acting(asked("acting", {"role": role})["role"])), err=True)
    return 0


def _roles(there: list[str]) -> str:
    return (
        f"; there are {', '.join(there)}"
        if there
        else ": `gatestack bootstrap` and `gatestack deploy` create some"
    )


@click.command()
@click.argument("name", required=False)
@click.argument("value", type=click.FloatRange(0), required=False)
def quota(name: str | None, value: float | None) -> int:
    """
    Set the quota NAME of the sandbox's account to VALUE; without them, list all quotas.

    NAME is a word of the list, like vpcs, or AWS's code, like L-F678F1CE. AWS's defaults count until then.
    """
    if name is not None and value is None:
        raise click.UsageError(f"what is {name} to be? `gatestack local quota {shlex.quote(name)} VALUE`")
    given = None if name is None else {"name": name, "value": value}
    for line in told.quotas(asked("quotas", given), only=name):
        click.echo(line)
    return 0


@click.command()
def reset() -> int:
    """Switch off what `local fail`, `slow`, `throttle`, `lose`, `expire`, `act-as` and `quota` have set."""
    there = told.everything(asked)
    for page in ("faults", "acting", "quotas"):
        asked(page, method="DELETE")
    click.echo("\n".join(f"off: {one}" for one in there) or "nothing was switched on", err=True)
    return 0


COMMANDS = (fail, slow, throttle, lose, expire, drift, act_as, quota, reset)


def _of_resource(stack: str, logical_id: str, env: str, **fault: Any) -> int:
    meant = resources(asked("stacks"), env)
    full = meant.stack(stack)
    return _set({"resources": [{"stack": full, "logical_id": meant.logical_id(full, logical_id), **fault}]})


def _of_calls(kind: CallKind, percent: float) -> int:
    return _set({"calls": [{"kind": kind, "service": "*", "share": percent / 100}]})


def _set(given: dict[str, Any]) -> int:
    for one in told.faults(asked("faults", given)):
        click.echo(str(one), err=True)
    return 0
