"""
Values that only the account knows: the rules of `generator.manifest.Lookup`. Pure: facts are handed in.

None as a fact found means that the endpoint could not tell; every rule has an answer for that.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from deployer.errors import DeployError


@dataclass(frozen=True)
class Value:
    """A parameter's value, and what a person should know about it."""

    text: str
    notice: str = ""
    warning: bool = True


def desired_count(
    facts: Mapping[str, str],
    *,
    environment: str,
    image: bool | None,
    previous: str | None,
    unchanged: bool,
) -> Value:
    """
    How many tasks the service template asks for: ``"N"``, ``"0"``, or ``""`` where scaling owns the count.

    *image*: whether the wanted image is there; *previous*: the live stack's parameter, None for a new stack;
    *unchanged*: the live template is the wanted one, so the same value makes no change.

    Raises:
        DeployError: tasks run, and new ones could not start because the image is missing.

    """
    count, name = facts["count"], f"{facts['repository']}:{facts['tag']}"
    if not facts["repository"]:
        image = True
    push = f"`gatestack image {environment} --push --tag {facts['tag']}`"
    if previous in {None, "0"}:
        if image:
            return Value(count)
        found = "is not in ECR yet" if image is False else "cannot be looked up at this endpoint"
        after = f"{push} builds and pushes it, then `gatestack deploy {environment}` again"
        return Value("0", f"the image {name} {found}, so no task is started: {after}")
    if image is False:
        raise DeployError(f"the image {name} is not in ECR and tasks are running: push it first ({push})")
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
    """
    wanted, engine = facts["version"], facts["engine"]
    if not new:
        newer = live is not None and _major(live) == _major(wanted) and _number(live) > _number(wanted)
        notice = f"{engine} {live} runs already, the settings say {wanted}: {live} stays"
        return Value(live, notice) if newer and live else Value(wanted)
    if not offered:
        return Value(wanted, f"the offered versions of {engine} cannot be looked up here: {wanted} is tried")
    same = [version for version in offered if _major(version) == _major(wanted)]
    if wanted in offered or not same:
        return Value(wanted)
    newest = max(same, key=_number)
    return Value(newest, f"{engine} {wanted} is not offered in this region: {newest} is used")


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


def _major(version: str) -> tuple[int, ...]:
    return _number(version)[:1]
