"""
Values that only the account knows: the rules of `generator.manifest.Lookup`. Pure: facts are arguments.

A fact of None means that the endpoint could not tell; every rule handles that.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from deployer.errors import DeployError, Refused
from deployer.progress import Step


@dataclass(frozen=True)
class Value:
    """A parameter's value, and what a person should know about it."""

    text: str
    notice: str = ""
    warning: bool = True
    owed: str = ""
    """What the run leaves undone because of it; empty for nothing."""
    steps: tuple[Step, ...] = ()
    """The commands that do it, in order."""


def desired_count(
    facts: Mapping[str, str],
    *,
    environment: str,
    image: bool | None,
    previous: str | None,
    unchanged: bool,
    push: str = "",
) -> Value:
    """
    How many tasks the service template asks for: ``"N"``, ``"0"``, or ``""`` where scaling owns the count.

    *image*: whether the wanted image is there; *previous*: the live stack's parameter, None for a new stack;
    *unchanged*: the live template is the wanted one, so the same value makes no change; *push*: the command
    that puts ``{image}`` into its repository, where that is not `gatestack image`.

    Raises:
        DeployError: tasks run, and new ones could not start because the image is missing.

    """
    count, name = facts["count"], f"{facts['repository']}:{facts['tag']}"
    if not facts["repository"]:
        image = True
    put = push.format(image=name) if push else f"gatestack image {environment} --push --tag {facts['tag']}"
    if previous in {None, "0"}:
        if image:
            return Value(count)
        found = "is not in ECR yet" if image is False else "cannot be looked up at this endpoint"
        deploy, does = f"gatestack deploy {environment}", "puts it there" if push else "builds and pushes it"
        owed = f"the image {name} {found}, so no task is started"
        steps = (
            Step("provide the image" if push else "build and push the image", put),
            Step("start the tasks", deploy),
        )
        return Value("0", f"{owed}: `{put}` {does}, then `{deploy}` again", owed=owed, steps=steps)
    if image is False:
        raise DeployError(f"the image {name} is not in ECR and tasks are running: push it first (`{put}`)")
    if facts["scaled"] != "true":
        return Value(count)
    return Value(previous or "") if unchanged else Value("")


def engine_version(
    facts: Mapping[str, str], *, live: str | None, offered: Collection[str] | None, new: bool
) -> Value:
    """
    The database's engine version: what the settings want, never below what runs.

    RDS raises minor versions in maintenance windows, and an older one in the template would be refused.
    *live*: the version that runs, *offered*: those of the region.

    Raises:
        Refused: the database runs a later major version, as after the end of the wanted one's support.

    """
    wanted, engine = facts["version"], facts["engine"]
    if not new:
        if live is not None and _major(live) > _major(wanted):
            raise Refused(
                f"database.engine_version: {wanted}, and {facts['identifier']} runs {engine} {live}: a "
                f'database cannot be downgraded to an earlier major version; set "{_major(live)[0]}"'
            )
        newer = live is not None and newer_minor(live, than=wanted)
        notice = f"{engine} {live} runs already, the settings say {wanted}: {live} stays"
        return Value(live, notice) if newer and live else Value(wanted)
    if not offered:
        return Value(wanted, f"the offered versions of {engine} cannot be listed here: {wanted} is used")
    same = [version for version in offered if _major(version) == _major(wanted)]
    if wanted in offered or not same:
        return Value(wanted)
    newest = max(same, key=_number)
    return Value(newest, f"{engine} {wanted} is not offered in this region: {newest} is used")


def allocated_storage(facts: Mapping[str, str], *, live: int | None, snapshot: int | None) -> Value:
    """
    The GiB of a DB instance's disk: what the settings want, never less than it or its snapshot has.

    RDS grows a disk by itself, up to its bound, and refuses a smaller one (RDS User Guide, "Managing capacity
    automatically with Amazon RDS storage autoscaling"). *live*: the size that the database has.

    Raises:
        Refused: the bound that is wanted is below what the disk has.

    """
    wanted, most = int(facts["size"]), int(facts["most"])
    size = max(wanted, live or 0, snapshot or 0)
    if size > max(wanted, most):
        raise Refused(
            f"database.max_storage_gb: {most} GB, and {_owner(size, live, facts)} has {size} GB: storage "
            f"cannot shrink, so set {_with_room(size)} or more, or set both sizes to {size} to prevent growth"
        )
    notice = f"{_owner(size, live, facts)} has {size} GB, database.storage_gb says {wanted}: {size} GB stay"
    return Value(str(size), notice if size > wanted else "")


def _owner(size: int, live: int | None, facts: Mapping[str, str]) -> str:
    return facts["identifier"] if size == live else f"the snapshot {facts['snapshot']}"


def _with_room(size: int) -> int:
    """Return the least bound that lets a disk of *size* grow: RDS wants a tenth more."""
    return -(-size * 11 // 10)


def newer_minor(version: str, *, than: str) -> bool:
    """Whether *version* is a later one of the same major version: ``16.9`` is, than ``16.4`` or ``16``."""
    return _major(version) == _major(than) and _number(version) > _number(than)


def live_group(
    facts: Mapping[str, str], environment: str, *, weights: Mapping[str, int] | None, previous: str | None
) -> Value:
    """
    Where a listener rule leads that ECS rewrites: the logical id of one of two target groups.

    *weights*: of the two in the live rule, None where they were not looked for or cannot be told; *previous*:
    the live stack's parameter, which then stays.

    Raises:
        DeployError: ECS is shifting traffic at this moment, and an update of the rule would interfere.

    """
    shared = sorted(name for name, weight in (weights or {}).items() if weight > 0)
    if len(shared) > 1:
        both, rule = " and ".join(shared), facts["listener_rule"]
        what = f"ECS is shifting traffic between {both}, and this would change {rule}"
        raise DeployError(
            f"{what}: deploy again when its deployment is over (`gatestack verify {environment}` says)"
        )
    return Value(shared[0] if shared else previous or facts["group"])


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


def _major(version: str) -> tuple[int, ...]:
    return _number(version)[:1]
