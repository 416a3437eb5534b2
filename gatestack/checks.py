"""Output of checks: one line each with its remedy below, or JSON. For `verify` and `preflight`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from deployer.day2.verification import Check


def checks_json(environment: str, found: Sequence[Check]) -> str:
    """Return the checks of *environment* as JSON."""
    return json.dumps({"environment": environment, "checks": [asdict(check) for check in found]}, indent=2)


def table(found: Sequence[Check], *, remedies: bool = True) -> str:
    """Return a line for each check; *remedies*: with what to do below those that are not well."""
    width = max(len(check.name) for check in found)
    lines = []
    for check in found:
        lines.append(f"{check.outcome:<7}  {check.name:<{width}}  {check.detail}".rstrip())
        if remedies and check.remedy and check.outcome != "ok":
            lines.append(f"{'':<7}  {'':<{width}}  -> {check.remedy}")
    return "\n".join(lines)
