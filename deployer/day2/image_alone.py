"""
`rollout --image-tag`: the deployed templates with only the image tag changed. Pure.

The environment file may have changed since the last deployment. The places of the tag are found by rendering
the file twice, with two tags; the new tag is set there in the deployed templates.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from generator.manifest import Lookup, StackSpec

Path = tuple[str | int, ...]


def running_tag(template: str) -> str | None:
    """Return the image tag that the live *template* of a service is for; None where it does not say."""
    lookups = _metadata(template).get("lookups", ())
    return next((one["facts"]["tag"] for one in lookups if one.get("rule") == "desired-count"), None)


def with_image(live: str, other: StackSpec, wanted: StackSpec, tag: str) -> StackSpec | None:
    """
    Return *wanted*, whose image has *tag*, as its stack is deployed, with that image and nothing else.

    *live*: the template that is deployed; *other*: the same stack with another tag. None if the image changes
    in a part that differs otherwise. Look-ups and migration follow the deployed template; its files are
    uploaded already.
    """
    template = json.loads(live)
    for path, new in _differences(json.loads(other.template), json.loads(wanted.template)):
        *way, last = path
        place: Any = template
        try:
            for step in way:
                place = place[step]
            if not _same_image(place[last], new, tag):
                return None
            place[last] = new
        except (KeyError, IndexError, TypeError):
            return None
    text = json.dumps(template, indent=1, sort_keys=True) + "\n"
    told = _metadata(text)
    lookups = tuple(Lookup(**one) for one in told.get("lookups", ()))
    migration = wanted.migration if "migration" in told else None
    return replace(wanted, template=text, lookups=lookups, uploads=(), migration=migration)


def _same_image(live: Any, new: Any, tag: str) -> bool:
    """Whether two texts differ in their tag, or digest, alone."""
    if not (isinstance(live, str) and isinstance(new, str)):
        return False
    before, _, behind = new.partition(tag)
    return live.startswith(before.rstrip(":@")) and live.endswith(behind)


def _metadata(template: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(template).get("Metadata", {}).get("gatestack", {})
    return found


def _differences(before: Any, after: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield the deepest paths at which two templates of the same shape differ, with the value after."""
    if isinstance(before, dict) and isinstance(after, dict) and before.keys() == after.keys():
        for key in before:
            yield from _differences(before[key], after[key], (*path, key))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from _differences(one, other, (*path, index))
    elif before != after:
        yield path, after
