"""Formats the last screen of a run as text, for all commands. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from deployer.progress import Step
from gatestack.ending.facts import Ending


def text(found: Ending) -> str:
    """Return *found* without address and cause, which are printed separately: stdout has the address."""
    return "\n".join(_lines(found))


def after(found: Ending) -> str:
    """Return the text below the address."""
    return "\n".join([*([found.place] if found.place else []), *listed(found.steps)])


def _lines(found: Ending) -> Iterator[str]:
    yield found.outcome
    yield from (f"  {line}" for line in found.stacks)
    yield from found.kept
    yield from (f"warning: {line}" for line in found.warnings)


def listed(steps: Sequence[Step]) -> Iterator[str]:
    """Yield the next commands, a line each."""
    if not steps:
        return
    yield "next:"
    width = max(len(step.command) for step in steps)
    yield from (f"  {step.command.ljust(width)}  # {step.what}" for step in steps)
