"""The last screen of `verify` and `rotate`, as facts. Pure, as `gatestack.ending.facts`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from deployer.day2.rotation import Rotation
from deployer.day2.verification import Check
from deployer.progress import Step, again
from gatestack.ending.facts import Ending

MOST_LINES, MOST_NAMES = 6, 3
"""Lines of each kind on a screen, and names in a line; further ones are counted."""
DOUBTS = frozenset({"warning", "unknown"})


def of_checks(environment: str, called: str, found: Sequence[Check]) -> Ending:
    """Return the last screen of `verify`; *called*: the name of *environment* in commands."""
    failed = [one for one in found if one.outcome == "failed"]
    doubts = [one for one in found if one.outcome in DOUBTS]
    warnings = tuple(_together(doubts, called))
    if not failed:
        return Ending(f"{environment}: {_counts(found)}", warnings=warnings)
    first, *others = failed
    told = [one for one in others if one.remedy != first.remedy]
    return Ending(
        f"{environment}: {_counts(found)}",
        tuple(_together(told, called)),
        warnings=warnings,
        steps=(Step("once that is done, check again", again("verify", called)),),
        cause=_cause(first),
    )


def _counts(found: Sequence[Check]) -> str:
    counts = Counter(one.outcome for one in found)
    asked = len(found) - counts["skipped"]
    if counts["ok"] == asked:
        what = f"{_checks(asked)} passed"
    elif counts["failed"]:
        what = f"{counts['failed']} of {_checks(asked)} failed"
    else:
        what = f"{counts['ok']} of {_checks(asked)} passed, none failed"
    more = f", {counts['skipped']} skipped" if counts["skipped"] else ""
    return f"{what}{more}"


def _checks(count: int) -> str:
    return "1 check" if count == 1 else f"{count} checks"


def _together(found: Collection[Check], called: str) -> Iterator[str]:
    """Yield a line for each remedy, with its checks."""
    names: dict[str, list[str]] = {}
    for one in found:  # after CLIENT_SECRET and a colon, the output filter would mask the remedy
        names.setdefault(f"-> {one.remedy}" if one.remedy else f" {one.detail}", []).append(one.name)
    for what, those in list(names.items())[:MOST_LINES]:
        more = len(those) - MOST_NAMES
        listed = ", ".join(those[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
        yield f"{listed} {what}"
    if len(names) > MOST_LINES:
        yield f"and {len(names) - MOST_LINES} more: `{again('verify', called, '--format json')}`"


def _cause(check: Check) -> str:
    """Return *check* in a line; one that starts with its key does not repeat it."""
    told = check.name.removeprefix("key ") in check.detail
    return f"{'' if told else f'{check.name}: '}{check.detail}: {check.remedy}"


@dataclass(frozen=True)
class Rotated:
    """The result of `rotate`."""

    rotation: Rotation
    rollout: str
    """``COMPLETED``, ``ROLLED_BACK``, ``FAILED``, ``MISSING`` (none was started), ``SKIPPED``."""
    error: str = ""
    """Why the new tasks do not run."""

    @property
    def cause(self) -> str:
        """Why it is not complete; empty if it is."""
        return self.rotation.reason if self.rotation.status == "FAILED" else self.error


def of_rotation(environment: str, called: str, resume: str, done: Rotated) -> Ending:
    """
    Return the last screen of `rotate`.

    *called*: the name of *environment* in commands; *resume*: this command.
    """
    rotation = done.rotation
    if rotation.status == "FAILED":
        outcome, steps = "is not rotated", [Step("once the cause is fixed, resume", resume)]
    elif done.rollout == "COMPLETED":
        outcome, steps = "is rotated, and its new tasks run", []
    elif done.rollout == "SKIPPED":
        outcome = "is rotated; its new tasks were not waited for"
        steps = [Step("check that they run", again("verify", called))]
    else:
        outcome = "is rotated, and its new tasks do not run"
        steps = [Step("once the cause is fixed, before the next rotation", again("rollout", called))]
    told = f"{environment}: {rotation.secret} {outcome} ({rotation.seconds:.1f} s)"
    return Ending(told, steps=tuple(steps), cause=done.cause)
