"""Whether an environment is healthy: facts in, checks out, each with what to do. Pure; shows no secret."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from deployer.checks.key import Key, trouble
from deployer.day2.rotation import RotatedSecret
from deployer.day2.secret_rotation import FAILURE_PAGE
from deployer.day2.secrets import Objection, states
from deployer.day2.secrets import values as values_of
from deployer.day2.service import Service, TaskDefinition
from deployer.progress import Cause
from deployer.states import StackState

Outcome = Literal["ok", "failed", "refused", "warning", "unknown", "skipped"]
"""``refused`` and ``warning`` are about a deployment to come."""

OVERDUE = timedelta(days=1)
"""How late a rotation may be: its window may be a whole day."""
STUCK = timedelta(hours=1)
"""A rotation takes minutes, its repetitions included."""
ENTRANCE = "service"
"""The check of the service that gets the requests."""


@dataclass(frozen=True)
class Check:
    """The result of one check."""

    name: str
    outcome: Outcome
    detail: str = ""
    remedy: str = ""
    """What to do, in one line; empty where nothing is to be done."""


@dataclass(frozen=True)
class Target:
    """A target of the load balancer."""

    id: str
    state: str
    """``healthy``, ``initial``, ``unhealthy``, ``draining``, …"""
    reason: str = ""


@dataclass(frozen=True)
class Answer:
    """What the endpoint answered."""

    url: str
    status: int | None
    """HTTP status; None where there was no answer."""
    problem: str = ""
    untrusted: bool = False
    """Whether its certificate was not accepted."""
    closed: bool = False
    """Whether there was a connection, and the other end closed it instead of an answer."""


def stack(name: str, state: StackState | None, env: str) -> Check:
    """Check one stack: it exists, and its last operation succeeded."""
    check, deploy = f"stack {name}", f"`gatestack deploy {env}`"
    if state is None or state.status == "REVIEW_IN_PROGRESS":
        return Check(check, "failed", "not there", f"{deploy} creates it")
    if state.status in {"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"}:
        return Check(check, "ok", state.status)
    if state.status.endswith("_IN_PROGRESS"):
        return Check(
            check,
            "failed",
            state.status,
            f"an operation is in progress: `gatestack watch {env}` until it ends",
        )
    if state.status == "UPDATE_ROLLBACK_COMPLETE":
        events = f"`gatestack events {env} --stack {name}` says why"
        return Check(check, "failed", f"{state.status}: its last update failed", f"{events}; then {deploy}")
    return Check(check, "failed", state.status, f"`gatestack plan {env}` says what {deploy} would do")


NEVER_MADE = frozenset(
    {"CREATE_FAILED", "ROLLBACK_IN_PROGRESS", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED"}
)
"""Statuses of a stack whose resources may not exist: their problems follow from it."""


def stacks(
    states: Mapping[str, StackState | None], causes: Mapping[str, Cause], env: str
) -> tuple[tuple[Check, ...], Mapping[str, str]]:
    """
    Check all stacks, *states* by short name; those that failed come first, with their first cause.

    Returns the checks, and by stack why its other checks are skipped: it failed, or does not exist because
    another one failed.
    """
    broken = [name for name, state in states.items() if state and state.status in NEVER_MADE]
    first = [_failed_stack(name, states[name], causes.get(name), env) for name in broken]
    rest = [(name, state) for name, state in states.items() if name not in broken]
    if not broken:
        return tuple(stack(name, state, env) for name, state in rest), {}
    follows = f"follows from the stack {broken[0]}"
    absent = [name for name, state in rest if state is None or state.status == "REVIEW_IN_PROGRESS"]
    others = (
        Check(f"stack {name}", "skipped", f"not there, which {follows}")
        if name in absent
        else stack(name, state, env)
        for name, state in rest
    )
    return (*first, *others), dict.fromkeys([*broken, *absent], follows)


def _failed_stack(name: str, state: StackState | None, cause: Cause | None, env: str) -> Check:
    found = stack(name, state, env)
    if cause is None:
        return found
    where = f"{cause.logical_id} ({cause.type}): {cause.reason}"
    ended = state is not None and not state.status.endswith("_IN_PROGRESS")
    deploy = f"{cause.remedy}; then `gatestack deploy {env}`"
    remedy = deploy if cause.remedy and ended else found.remedy
    return replace(found, detail=f"{found.detail}: {where}", remedy=remedy)


def key(found: Key | None, alias: str, env: str) -> Check:
    """Check the key behind *alias* that everything of the environment is encrypted with."""
    if found is None:
        return Check(
            "encryption key", "failed", f"{alias} leads to none", f"`gatestack deploy {env}` creates it"
        )
    what, remedy = trouble(found)
    return Check("encryption key", "failed", what, remedy) if what else Check("encryption key", "ok", alias)


def service(
    found: Service | None,
    env: str,
    stopped: Sequence[str] = (),
    name: str = ENTRANCE,
    at_least: int = 0,
) -> Check:
    """
    Check a service: as many tasks as wanted, and no deployment in progress; the check is called *name*.

    *at_least*: how many the environment's file wants whatever the load.
    """
    if found is None or found.status != "ACTIVE":
        return Check(name, "failed", "not there", f"`gatestack deploy {env}` creates it")
    count = f"{found.running} of {found.desired} tasks run"
    primary = found.primary
    state = primary.rollout if primary else ""
    if not found.desired:
        push = f"push its image, or raise service.desired_count; then `gatestack deploy {env}`"
        return Check(name, "failed", "it is to run no tasks", push)
    if state == "FAILED" or found.running < found.desired:
        why = "; ".join([count, *([primary.reason] if primary and state == "FAILED" else []), *stopped])
        log = f"`gatestack outputs {env}`: LogGroupName" if name == ENTRANCE else f"/ecs/{found.name}"
        return Check(name, "failed", why, f"see the tasks' log ({log}), then `gatestack rollout {env}`")
    if state == "IN_PROGRESS" or len(found.deployments) > 1 or found.running > found.desired:
        again = f"a deployment is in progress: `gatestack verify {env}` again when it is over"
        return Check(name, "failed", f"{count}, not steady", again)
    if found.running < at_least:
        what = f"{count}, and the environment's file wants {at_least} at least"
        return Check(name, "failed", what, f"`gatestack deploy {env}` brings it to what the file says")
    return Check(name, "ok", count)


def targets(found: Collection[Target], env: str) -> Check:
    """Check the load balancer's targets; draining ones do not count."""
    counted = [one for one in found if one.state != "draining"]
    if not counted:
        return Check("targets", "failed", "none", f"see service: `gatestack rollout {env}` starts new tasks")
    ill = [one for one in counted if one.state != "healthy"]
    if not ill:
        return Check("targets", "ok", f"{len(counted)} healthy")
    first = ill[0]
    detail = f"{len(ill)} of {len(counted)} not healthy: {first.id} is {first.state} ({first.reason})"
    return Check("targets", "failed", detail, f"see the tasks' log (`gatestack outputs {env}`: LogGroupName)")


def needed_keys(
    tasks: Sequence[TaskDefinition], api_keys: str, text: str, configured: Sequence[str] | None = None
) -> tuple[str, ...]:
    """
    Return which values of the secret *api_keys* (its name), which is *text*, *tasks* take between them.

    Without a task definition those that are *configured*; if unknown, every key in it.
    """
    if not tasks:
        if configured is not None:
            return tuple(configured)
        return tuple(key for key in values_of(text) or {} if key.endswith("_KEY"))
    sources = (source for task in tasks for source in task.secrets.values())
    marked = (source.partition(f":secret:{api_keys}-")[2] for source in sources)
    return tuple(dict.fromkeys(source.split(":")[1] for source in marked if ":" in source))


def no_secret(name: str, env: str) -> Check:
    """Check a secret called *name* that the environment's file wants and that is missing."""
    short = name.rpartition("/")[2]
    return Check(f"key {short}", "failed", f"there is no secret {name}", f"`gatestack deploy {env}` makes it")


def provider_keys(secret: str, text: str, needed: Collection[str], env: str) -> tuple[Check, ...]:
    """Check the keys in *text*, the value of *secret*: each one that is *needed* has been put in."""
    found = states(text)
    checks = []
    for key in needed:
        state = found.get(key, "empty")
        if state == "set":
            checks.append(Check(f"key {key}", "ok", "set"))
            continue
        word = "still the placeholder" if state == "placeholder" else "empty"
        remedy = f"`gatestack secret set {env} {key}`"
        checks.append(Check(f"key {key}", "failed", f"{key} of {secret} is {word}", remedy))
    return tuple(checks)


def own_key(short: str, text: str, key: str, prefix: str, title: str, env: str) -> Check:
    """Check the rotated secret *short*, which is *text*: *title* wants *key* to begin with *prefix*."""
    name, value = short.replace("-", " "), (values_of(text) or {}).get(key)
    if isinstance(value, str) and value.startswith(prefix) and value:
        return Check(name, "ok", f"begins with {prefix}" if prefix else "set")
    what = f"does not begin with {prefix}, so {title} refuses it" if prefix else "it is not set"
    return Check(name, "failed", what, f"`gatestack rotate {env} {short}` makes a new one")


def own_rules(short: str, text: str, objection: Objection, env: str) -> Check:
    """Check the secret *short*, which is *text*, by what its application would not take."""
    found = values_of(text)
    wrong = "it is not a JSON object" if found is None else objection(found)
    if wrong is None:
        return Check(f"secret {short}", "ok", "as the application reads it")
    return Check(f"secret {short}", "failed", wrong, f"`gatestack secret set {env} {short}`")


def rotation(
    short: str,
    found: RotatedSecret | None,
    env: str,
    now: datetime,
    pending_since: datetime | None = None,
) -> Check:
    """Check the rotation of a secret: set up, on time, and not stuck; *short* is what `rotate` calls it."""
    name, deploy = f"rotation {short}", f"`gatestack deploy {env}`"
    again = f"see {FAILURE_PAGE}, then `gatestack rotate {env} {short}`"
    if found is None:
        return Check(name, "failed", "there is no such secret", f"{deploy} creates it")
    if not found.function or not found.enabled:
        return Check(name, "failed", "not set up", f"{deploy} sets it up")
    if found.pending and pending_since and now - pending_since > STUCK:
        since = f"{pending_since:%Y-%m-%d %H:%M}"
        return Check(name, "failed", f"stuck since {since}; the current value works", again)
    if found.pending:
        return Check(name, "ok", "in progress")
    if found.next_rotation and now - found.next_rotation > OVERDUE:
        return Check(name, "failed", f"overdue since {found.next_rotation:%Y-%m-%d}", again)
    due = f", next by {found.next_rotation:%Y-%m-%d}" if found.next_rotation else ""
    return Check(name, "ok", f"enabled{due}")


def login(text: str, administrator: str, env: str) -> Check:
    """
    Check which user the tasks log in to the database as: *text* and *administrator* are the secrets' values.
    """
    theirs, highest = ((values_of(one) or {}).get("username") for one in (text, administrator))
    if not theirs or not highest:
        return Check("database login", "failed", "a login without a user name", f"`gatestack deploy {env}`")
    if theirs != highest:
        return Check("database login", "ok", f"as {theirs}")
    remedy = f"the tasks log in as the database's administrator: `gatestack rotate {env} database`"
    return Check("database login", "failed", f"as the administrator, {theirs}", remedy)


def config(bucket: str | None, key: str | None, env: str, *, there: bool) -> Check:
    """Check the configuration file: whether the object that the tasks read is *there*."""
    if not bucket or not key:
        return Check("config.yaml", "skipped", "the tasks read none from S3")
    if there:
        return Check("config.yaml", "ok", key)
    remedy = f"`gatestack deploy {env}` uploads it; new tasks do not start without it"
    return Check("config.yaml", "failed", f"{key} is not in {bucket}", remedy)


def endpoint(answer: Answer, env: str, *, named_by_aws: bool, verifies_clients: bool = False) -> Check:
    """
    Check what the gateway answered at its address; *named_by_aws*: it is the balancer's own name.

    *verifies_clients*: the load balancer refuses who shows no certificate of its own, as this machine does.
    """
    host = answer.url.partition("//")[2].partition("/")[0]
    if verifies_clients and (answer.closed or answer.status is not None):
        return _refusing(answer, env)
    if answer.status == 200:
        return Check("endpoint", "ok", f"{answer.url} answers")
    if answer.status is not None:
        why = f"{answer.url} answers with {answer.status}"
        hint = (
            "503 without a healthy task, or without the database" if answer.status == 503 else "see service"
        )
        logs = f"{hint}: see the tasks' log (`gatestack outputs {env}`: LogGroupName)"
        return Check("endpoint", "failed", why, logs)
    if answer.untrusted and named_by_aws:
        remedy = "the certificate is for your own name, not the load balancer's: try that name, with curl"
        return Check("endpoint", "unknown", f"{answer.url}: {answer.problem}", remedy)
    if answer.untrusted:
        remedy = f"{host} needs a valid certificate: see alb.certificate_arn, and where the name leads to"
        return Check("endpoint", "failed", f"{answer.url}: {answer.problem}", remedy)
    remedy = "may this machine connect (alb.allowed_cidrs), does the name lead to the load balancer?"
    return Check("endpoint", "failed", f"{answer.url}: {answer.problem}", remedy)


def _refusing(answer: Answer, env: str) -> Check:
    """Check what the load balancer answered to a request without a client certificate."""
    if answer.status is not None:
        why = f"{answer.url} answers with {answer.status} although no client certificate was shown"
        remedy = f"`gatestack drift {env}` says who changed the listener (alb.mutual_authentication)"
        return Check("endpoint", "failed", why, remedy)
    why = f"{answer.url}: the load balancer takes no request without a client certificate, and this was one"
    return Check("endpoint", "unknown", why, f"`curl --cert CLIENT.pem --key CLIENT.key {answer.url}`")
