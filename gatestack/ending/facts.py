"""
The last screen of a run, as facts. Pure: a result in, frozen data out.

It has the outcome, stacks that did not succeed, what is kept, what remains to do, the address, the next
commands, and the root cause. Outputs are in `outputs`, and in JSON.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from deployer import report
from deployer.kept import Kept, cost_line
from deployer.outcomes import became
from deployer.progress import Owed, Result, Step, first_execution

MOST_STACKS, MOST_KEPT, MOST_KEYS = 6, 8, 3
"""Lines of each kind on a screen; further ones are counted."""
UNTOUCHED = frozenset({"none", "skipped"})
NOT_BEGUN = frozenset({"skipped", "interrupted"})
_DONE = {"deploy": "deployed", "destroy": "deleted", "watch": "succeeded"}
_NOTHING = {"deploy": "changes", "destroy": "to delete", "watch": "is in progress"}


@dataclass(frozen=True)
class Known:
    """Facts in addition to the result."""

    owed: tuple[Owed, ...] = ()
    """What the run has left to be done."""
    keys: tuple[str, ...] = ()
    """Values for people to enter, if they are placeholders because their stack is new."""
    place: str = ""
    """A remark beside the address; empty if it answers."""


@dataclass(frozen=True)
class Ending:
    """The last screen of a run."""

    outcome: str
    stacks: tuple[str, ...] = ()
    """Lines on the stacks, if not all succeeded."""
    kept: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    url: str = ""
    place: str = ""
    steps: tuple[Step, ...] = ()
    cause: str = ""
    """The first cause of the failure, with its remedy; empty without a failure."""


def ending(result: Result, known: Known = Known()) -> Ending:
    """Return the last screen of *result*."""
    cause = report.first_cause(result) or ""
    kept = tuple(_kept(result))
    if result.exit_code:
        return Ending(
            _not_finished(result), tuple(_stacks(result, cause)), kept, steps=_way_on(result), cause=cause
        )
    if result.goal != "deploy":
        return Ending(_finished(result), kept=kept)
    owed = _unique(known.owed)
    url = next((one.value for one in result.outputs if one.key == "Url"), "")
    return Ending(
        _finished(result),
        kept=kept,
        warnings=tuple(_undone(owed, known.keys)),
        url=url,
        place=known.place if url else "",
        steps=tuple(_next(result, owed, known.keys)),
    )


def _finished(result: Result) -> str:
    changed = _changed(result)
    if not changed:
        return f"{result.environment}: nothing {_NOTHING[result.goal]}"
    return f"{result.environment}: {_stacks_of(len(changed))} {_done(result)} in {result.seconds:.1f} s"


def _not_finished(result: Result) -> str:
    outcomes = [stack.outcome for stack in result.stacks]
    changed = len(_changed(result))
    if set(outcomes) <= {"protected", "skipped", "done"} and not changed and "protected" in outcomes:
        return f"{result.environment}: refused; nothing was changed"
    going = "AWS continues" if "going-on" in outcomes else "not finished"
    word = "interrupted" if result.interrupted else going
    counts = {
        _done(result): changed,
        "failed": outcomes.count("failed"),
        "refused": outcomes.count("protected"),
        "still in progress": outcomes.count("going-on"),
        "not started": sum(one in NOT_BEGUN for one in outcomes),
    }
    many = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    return f"{result.environment}: {word} after {result.seconds:.1f} s; stacks: {many}"


def _changed(result: Result) -> list[str]:
    """Return the short names of the stacks that were changed successfully."""
    return [one.name for one in result.stacks if one.outcome == "done" and one.action not in UNTOUCHED]


def _done(result: Result) -> str:
    return _DONE[result.goal]


def _stacks_of(count: int) -> str:
    return "1 stack" if count == 1 else f"{count} stacks"


def _stacks(result: Result, cause: str) -> Iterator[str]:
    """Yield a line for each stack with its own result, and one for each kind of the others."""
    own = [one for one in result.stacks if one.outcome in {"failed", "protected", "going-on"}]
    for stack in own[:MOST_STACKS]:
        told = f": {stack.why}" if stack.why and stack.why not in cause else ""
        yield f"{stack.name}  {became(stack)}{told}"
    if more := len(own) - MOST_STACKS:
        yield from [f"and {_stacks_of(more)} more: `gatestack status {result.called}`"] if more > 0 else []
    yield from _together("not started", [one.name for one in result.stacks if one.outcome in NOT_BEGUN])
    changed = _changed(result)
    yield from _together(_done(result), changed)
    same = [one.name for one in result.stacks if one.outcome == "done" and one.name not in changed]
    yield from _together("unchanged", same)


def _together(word: str, names: Sequence[str]) -> Iterator[str]:
    shown, more = names[: 2 * MOST_STACKS], len(names) - 2 * MOST_STACKS
    if names:
        yield f"{word}: {', '.join(shown)}{f' and {more} more' if more > 0 else ''}"


def _kept(result: Result) -> Iterator[str]:
    rows = [(stack.name, one) for stack in result.stacks for one in stack.kept]
    yield from (f"kept: {name}: {_words(one)}" for name, one in rows[:MOST_KEPT])
    if len(rows) > MOST_KEPT:
        yield f"kept: {len(rows) - MOST_KEPT} more (--format json lists all)"
    if cost := cost_line(one for _, one in rows):
        yield cost


def _words(one: Kept) -> str:
    """Return the name of a kept resource: its ARN, else type and name."""
    if not one.arn:
        return str(one)
    return f"{one.logical_id} ({'final snapshot ' if one.snapshot else ''}{one.arn})"


def _unique(owed: Sequence[Owed]) -> tuple[Owed, ...]:
    return tuple(dict.fromkeys(owed))


def _undone(owed: Sequence[Owed], keys: Sequence[str]) -> Iterator[str]:
    yield from (f"{one.stack}: {one.text}" if one.stack else one.text for one in owed)
    if keys:
        yield f"{_some(keys)}: placeholders, with which requests to the providers fail"


def _some(names: Sequence[str]) -> str:
    more = len(names) - MOST_KEYS
    return ", ".join(names[:MOST_KEYS]) + (f" and {more} more" if more > 0 else "")


def _next(result: Result, owed: Sequence[Owed], keys: Sequence[str]) -> Iterator[Step]:
    """Yield the next steps after a deployment: its image, its keys, `verify`."""
    yield from dict.fromkeys(step for one in owed for step in one.steps)
    yield from (
        Step("set a provider's key", f"gatestack secret set {result.called} {key}")
        for key in keys[:MOST_KEYS]
    )
    if (owed or keys or _changed(result)) and not result.command:
        yield Step("check it end to end", f"gatestack verify {result.called}")


def _way_on(result: Result) -> tuple[Step, ...]:
    """Return the commands that lead on from an unsuccessful result; each of them works."""
    outcomes = {stack.outcome for stack in result.stacks}
    if "going-on" in outcomes and not result.command:
        watch = Step("attach to what AWS does", f"gatestack watch {result.called}")
        return (watch, Step("then resume", result.resume)) if result.goal != "watch" else (watch,)
    if result.goal == "watch":
        return (Step("once the cause is fixed, resume", f"gatestack deploy {result.called}"),)
    if "protected" in outcomes and "failed" not in outcomes:
        return tuple(_consent(result))
    if result.needs_plan:
        return (Step("once the cause is fixed, plan again", result.resume), _deploy_plan(result))
    return (Step("once the cause is fixed, resume" if "failed" in outcomes else "resume", result.resume),)


def _consent(result: Result) -> Iterator[Step]:
    """Yield the options after a refusal: to allow the change, or to undo it."""
    stacks = [stack for stack in result.stacks if stack.outcome == "protected"]
    flags = dict.fromkeys(stack.allow for stack in stacks if stack.allow)
    if flags and all(stack.allow for stack in stacks):
        yield Step("allow it", result.allowed(*flags))
        if result.goal == "deploy":
            yield Step("or revert the change, then", result.resume)
    else:
        yield Step("once that is done, resume", result.resume)
    if result.needs_plan:
        yield _deploy_plan(result)


def _deploy_plan(result: Result) -> Step:
    return Step("and deploy that", first_execution(result.called, result.plan, *result.flags))
