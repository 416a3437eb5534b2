"""
docs/aws.md: what AWS does with each resource type of our templates, from docs/aws and the provider schemas.

What a change replaces, what drift cannot see and how long a handler may take is read from the schema, for
the properties that our templates set; the rest is what somebody has read, with its source. `make golden`
writes it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

import yaml

from generator.render import render
from sandbox.resources.schema import ProviderSchemas
from stacks import STACKS
from stacks.bootstrap import NAME, build
from tests.places import ROOT
from tests.stacks.bootstrap.iam_worlds import WORLDS, world

FILE = ROOT / "docs" / "aws.md"
ROWS = ROOT / "docs" / "aws"
PARTS = (*STACKS, NAME)
"""A type of several stacks stands with the first of them."""

HEAD = """# What AWS does with each resource

Written by `make golden` from `docs/aws` and the provider schemas that cfn-lint ships (those of 2026-10-20);
`test_types_page.py` fails when a type of any template has no row. Read on 2026-11-28. Nothing here has met an
account yet: what could not be read says so, and [the list below](#the-first-account) is what to look at then.
Each row rests on the schema of its type; what its source does not cover beside that is known of the service's
API and was not read again.

- **waits for**: what CloudFormation goes on waiting for at creation, update and deletion. Where the schema
  has a limit of its own, it stands there.
- **refuses**: at creation, update and deletion. What has a name of ours is never replaced under that name:
  "CloudFormation cannot update a stack when a custom-named resource requires replacing" (CloudFormation
  Template Reference, "Resource custom naming"); what replaces it has to change the name.
- **replaced by**: of the properties that our templates set, those whose change makes another resource; in
  brackets, those where it depends on the values.
- **drifts**: what changes although nobody changed it. Only what a template says is compared (CloudFormation
  API Reference, DetectStackDrift).
- **unseen**: properties of ours that drift detection cannot read.
- **the role needs**: what goes beyond making, reading, changing and removing the thing itself.
"""


@dataclass(frozen=True)
class Row:
    """What is known of one type, in sentences; each has to be said."""

    type: str
    waits: str
    refuses: str
    drifts: str
    role: str
    ours: str
    where: tuple[str, ...]
    """Files of this repository, its tests among them."""
    source: str


@dataclass(frozen=True)
class Look:
    """One thing to look at in the first real deployment."""

    look: str
    command: str
    right: str
    why: str


@cache
def set_properties() -> Mapping[str, tuple[str, frozenset[str]]]:
    """Return every type of every template: the first stack that has it, and the properties that any sets."""
    found: dict[str, tuple[str, frozenset[str]]] = {}
    for part, resource in sorted(_resources(), key=lambda one: PARTS.index(one[0])):
        first, names = found.get(resource["Type"], (part, frozenset[str]()))
        found[resource["Type"]] = (first, names | resource.get("Properties", {}).keys())
    return found


def _resources() -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name in WORLDS:
        settings = world(name)
        for spec in render(settings).stacks:
            yield from ((spec.name, one) for one in json.loads(spec.template)["Resources"].values())
        yield from ((NAME, one) for one in build(settings).template.to_dict()["Resources"].values())


def rows(part: str) -> tuple[Row, ...]:
    """Return the rows of one stack as its file has them; raises TypeError where one lacks something."""
    return tuple(
        Row(**{key: tuple(said) if key == "where" else said.strip() for key, said in one.items()})
        for one in yaml.safe_load((ROWS / f"{part}.yaml").read_text(encoding="utf-8"))
    )


def looks() -> tuple[Look, ...]:
    """Return what to look at in the first account."""
    text = (ROWS / "first_account.yaml").read_text(encoding="utf-8")
    return tuple(Look(**one) for one in yaml.safe_load(text))


def page() -> str:
    """Return docs/aws.md."""
    schemas = ProviderSchemas()
    return "\n".join([HEAD, *(line for part in PARTS for line in _part(part, schemas)), *_first_account()])


def _part(part: str, schemas: ProviderSchemas) -> Iterator[str]:
    yield f"## {part}\n"
    for row in rows(part):
        yield f"### {row.type}\n\n| | |\n|---|---|"
        yield from (f"| {name} | {said} |" for name, said in _cells(row, schemas))
        yield ""


def _cells(row: Row, schemas: ProviderSchemas) -> Iterator[tuple[str, str]]:
    schema, ours = schemas.schema(row.type), set_properties()[row.type][1]
    replaces = _of_ours(schema.get("createOnlyProperties", ()), ours)
    perhaps = _of_ours(schema.get("conditionalCreateOnlyProperties", ()), ours)
    yield "waits for", " ".join([row.waits, *_limits(schema)])
    yield "refuses", row.refuses
    yield "replaced by", " ".join([*replaces, *(f"({one})" for one in perhaps)]) or "nothing of ours"
    yield "drifts", row.drifts
    yield "unseen", " ".join(_of_ours(schema.get("writeOnlyProperties", ()), ours)) or "nothing of ours"
    yield "the role needs", row.role
    yield "what we do", f"{row.ours} {', '.join(f'`{one}`' for one in row.where)}"
    yield "source", row.source


def _of_ours(pointers: list[str], ours: frozenset[str]) -> list[str]:
    names = dict.fromkeys(pointer.split("/")[2] for pointer in sorted(pointers))
    return [f"`{name}`" for name in names if name in ours]


def _limits(schema: Mapping[str, Any]) -> Iterator[str]:
    limits = {
        name: handler["timeoutInMinutes"]
        for name, handler in schema.get("handlers", {}).items()
        if "timeoutInMinutes" in handler
    }
    if limits:
        yield f"At the most: {', '.join(f'{name} {minutes} minutes' for name, minutes in limits.items())}."


def _first_account() -> Iterator[str]:
    yield "## The first account\n"
    yield "Twenty things that no sandbox can show, in the order in which they can be looked at.\n"
    yield f"| | {' | '.join(field.name for field in fields(Look))} |\n|---|---|---|---|---|"
    for number, one in enumerate(looks(), 1):
        yield f"| {number} | {one.look} | `{one.command}` | {one.right} | {one.why} |"
    yield ""
