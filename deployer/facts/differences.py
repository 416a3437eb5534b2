"""
Where the values before and after a change differ: by path and by name. Pure.

List elements are matched by what names them (a variable, a tag, a container), not by position.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from typing import Any

from deployer.states import UNKNOWN, PropertyChange, structure

NAMES = ("Name", "Key", "Sid", "PolicyName", "HeaderName", "ParameterKey", "AttributeName", "Id")
"""Members that name an element of a list (CloudFormation Template Reference), the likeliest first."""
VALUES = ("Value", "ValueFrom", "HeaderValue", "ParameterValue")
"""Members that, with the name, are all of an element: its value stands for it."""
WIDTH = 60
"""Characters of a value in a line of text."""
AROUND = 20
"""Characters kept before what differs in a long value."""
LINES = 40
"""Lines of a text that differs shown in a terminal; the page and JSON have all."""
NOT_KNOWN = "(known after the change)"
NONE = "(not set)"


@dataclass(frozen=True)
class Difference:
    """One part of a property that differs."""

    path: str
    """``LoadBalancerAttributes[idle_timeout.timeout_seconds]``."""
    before: str | None
    """None: it did not exist."""
    after: str | None
    """None: it is gone."""

    @property
    def kind(self) -> str:
        """``added``, ``removed`` or ``changed``."""
        return "added" if self.before is None else "removed" if self.after is None else "changed"

    @property
    def lines(self) -> tuple[str, ...]:
        """How a text of several lines changes, as a unified diff without a head; empty for others."""
        if self.before is None or self.after is None or not ("\n" in self.before and "\n" in self.after):
            return ()
        return diff_lines(self.before, self.after)


def differences(name: str, detail: PropertyChange) -> tuple[Difference, ...]:
    """Return what differs in the property *name* (`deployer.facts.summary.path_of`); empty without values."""
    before, after = detail.before, detail.after
    if before is None and after is None:
        return ()
    return tuple(_differ(name, _read(before), _read(after)))


def diff_lines(before: str, after: str, *, context: int = 2) -> tuple[str, ...]:
    """Return a unified diff of two texts by lines, its head left out."""
    found = unified_diff(before.splitlines(), after.splitlines(), n=context, lineterm="")
    return tuple(line for line in found if not line.startswith(("--- ", "+++ ")))


def said(one: Difference) -> str:
    """Return *one* in a line whose two sides never look alike, however long they are."""
    before, after = (_shown(text) for text in (one.before, one.after))
    if one.before is None:
        return f"+ {one.path}: {_cut(after)}"
    if one.after is None:
        return f"- {one.path}: {_cut(before)}"
    left, right = apart(before, after)
    return f"{one.path}: {left} -> {right}"


def apart(before: str, after: str, width: int = WIDTH) -> tuple[str, str]:
    """Return the parts of two texts in which they differ, each at most about *width* characters long."""
    if before == after or max(len(before), len(after)) <= width:
        return before, after
    same = next(
        (at for at, (one, other) in enumerate(zip(before, after, strict=False)) if one != other),
        min(len(before), len(after)),
    )
    begin = max(same - AROUND, 0)
    return _window(before, begin, width), _window(after, begin, width)


def _window(text: str, begin: int, width: int) -> str:
    part = text[begin : begin + width]
    head = "…" if begin else ""
    tail = "…" if begin + width < len(text) else ""
    return f"{head}{part}{tail}"


def _cut(text: str) -> str:
    return text if len(text) <= WIDTH * 2 else f"{text[: WIDTH * 2 - 1]}…"


def _shown(text: str | None) -> str:
    return NONE if text is None else " ".join(text.replace(UNKNOWN, NOT_KNOWN).split()) or '""'


def _read(text: str | None) -> Any:
    """Return what *text* says: JSON where it is some, else itself."""
    found = structure(text)
    return text if found is None else found


def _differ(path: str, before: Any, after: Any) -> Iterator[Difference]:
    if before == after:
        return
    one, other = (_read(side) if isinstance(side, str) else side for side in (before, after))
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        yield from _of_mappings(path, one, other)
    elif isinstance(one, list) and isinstance(other, list):
        yield from _of_lists(path, one, other)
    else:
        yield Difference(path, _text(before), _text(after))


def _of_mappings(path: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    for name in dict.fromkeys((*before, *after)):
        yield from _differ(f"{path}.{name}", before.get(name), after.get(name))


def _of_lists(path: str, before: Sequence[Any], after: Sequence[Any]) -> Iterator[Difference]:
    one, other = _by_name(before), _by_name(after)
    if one is not None and other is not None and (one or other):
        for name in dict.fromkeys((*one, *other)):
            yield from _of_elements(f"{path}[{name}]", one.get(name), other.get(name))
        return
    gone = [each for each in before if each not in after]
    new = [each for each in after if each not in before]
    if len(gone) == len(new) == 1:
        place = f"[{list(before).index(gone[0])}]" if len(before) > 1 else ""
        yield from _differ(f"{path}{place}", gone[0], new[0])
    elif gone or new:
        yield from (Difference(path, _text(each), None) for each in gone)
        yield from (Difference(path, None, _text(each)) for each in new)
    else:
        yield Difference(path, _text(list(before)), _text(list(after)))


def _of_elements(path: str, before: Any, after: Any) -> Iterator[Difference]:
    """Yield what differs in the element *path*; what has but a name and a value is its value."""
    values = [_value_of(each) for each in (before, after)]
    if all(each is None or one is not None for each, one in zip((before, after), values, strict=True)):
        before, after = values
    if before is None and after is None:
        return
    yield from _differ(path, before, after)


def _by_name(elements: Sequence[Any]) -> dict[str, Any] | None:
    """Return *elements* by what names them; None where not each has a name of its own."""
    found: dict[str, Any] = {}
    for one in elements:
        name = name_of(one)
        if name is None or name in found:
            return None
        found[name] = one
    return found


def name_of(element: Any) -> str | None:
    """Return what names an element of a list; None for one that has no name."""
    if not isinstance(element, Mapping):
        return None
    return next((element[one] for one in NAMES if isinstance(element.get(one), str)), None)


def _value_of(element: Any) -> Any:
    """Return the value of an element that is nothing but a name and a value."""
    if not isinstance(element, Mapping) or len(element) != 2 or name_of(element) is None:
        return None
    return next((element[one] for one in VALUES if one in element), None)


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
