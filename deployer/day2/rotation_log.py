"""Parses a rotation function's log into the result of each step. Pure; drops the text of Lambda's errors."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from deployer.day2.rotation import STEPS, Record

TOKEN_LENGTH = 8
"""Characters of the version that our functions write into their log."""
CRASH = re.compile(r"\[ERROR\]\s+(?P<kind>[\w.]+)|(?P<late>Task timed out after [\d.]+ seconds)")
"""How Lambda itself tells of a function that was not reached, or had no time (AWS Lambda Developer Guide)."""


def pattern(version: str) -> str:
    """Return the filter for the lines that `read` knows (CloudWatch Logs, "Filter pattern syntax")."""
    return f'?"{version[:TOKEN_LENGTH]}" ?"[ERROR]" ?"Task timed out"'


def read(lines: Iterable[str], version: str) -> tuple[Record, ...]:
    """
    Return what *lines* say of the rotation to *version*, in their order.

    An error that our function did not write itself has no step: it counts for the step that is due. One after
    our own line about a failure repeats that failure.
    """
    found: list[Record] = []
    told = False
    for line in lines:
        if own := _own(line, version[:TOKEN_LENGTH]):
            found.append(own)
            told = own.outcome == "failed"
        elif crash := CRASH.search(line):
            if not told:
                found.append(Record(_due(found), "failed", crash["late"] or crash["kind"]))
            told = False
    return tuple(found)


def _own(line: str, token: str) -> Record | None:
    try:
        said = json.loads(line[line.index("{") :])
    except ValueError:
        return None
    if not isinstance(said, dict) or said.get("token") != token:
        return None
    step, outcome = said.get("step"), said.get("outcome")
    if not isinstance(step, str) or outcome not in {"done", "failed"}:
        return None
    return Record(step, outcome, " ".join(str(said.get("error") or "").split()))


def _due(found: list[Record]) -> str:
    last = found[-1] if found else None
    if last is None or last.step not in STEPS:
        return STEPS[0]
    after = STEPS.index(last.step) + (last.outcome == "done")
    return STEPS[min(after, len(STEPS) - 1)]
