"""An environment's stacks with their exports and imports, and its security groups, as text. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from generator.escapes import dot_string, markdown, mermaid_label
from generator.rights import HEAD
from generator.traffic import Rule, Traffic

_NODE = re.compile(
    r"(?!(?:end|default|subgraph|graph|flowchart|style|class|click|direction)\b|[ox]\b)[a-z]\w*"
)
"""Names that are not reserved in Mermaid's flowcharts."""


@dataclass(frozen=True)
class Wiring:
    """What a diagram shows."""

    waves: Sequence[Sequence[str]]
    """Stacks that can be deployed side by side, first wave first."""
    imports: Mapping[tuple[str, str], Sequence[str]]
    """(importing stack, exporting stack) -> the outputs' short names."""
    patches: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Stack -> its patched resources, each with where and why."""


def text(wiring: Wiring) -> str:
    """Return one block a wave, and under each stack where its imports come from."""
    lines = []
    for number, wave in enumerate(wiring.waves, 1):
        lines.append(f"wave {number}")
        for stack in wave:
            lines.append(f"  {stack}")
            lines += [f"    <- {source}: {', '.join(names)}" for source, names in _sources(wiring, stack)]
            lines += [f"    ~ {patch}" for patch in wiring.patches.get(stack, ())]
    return "\n".join(lines)


def mermaid(wiring: Wiring) -> str:
    """Return a Mermaid flowchart; an arrow leaves the exporting stack and counts the values it carries."""
    stacks = [stack for wave in wiring.waves for stack in wave]
    known = {stack: _node(stack, number) for number, stack in enumerate(stacks)}
    arrows = [
        f"  {known[source]} -->|{len(names)}| {known[stack]}"
        for (stack, source), names in sorted(wiring.imports.items())
    ]
    nodes = [
        f"  {node}"
        if node == _marked(wiring, stack)
        else f"  {node}[{mermaid_label(_marked(wiring, stack))}]"
        for stack, node in known.items()
    ]
    return "\n".join(["flowchart LR", *nodes, *arrows])


def _node(stack: str, number: int) -> str:
    """Return the name of *stack* in a flowchart: its own, if that is valid there."""
    return stack if _NODE.fullmatch(stack) else f"stack{number}"


def dot(wiring: Wiring) -> str:
    """Return a Graphviz digraph with one rank a wave."""
    ranks = ["  { rank=same; " + "; ".join(map(dot_string, wave)) + " }" for wave in wiring.waves]
    arrows = [
        f"  {dot_string(source)} -> {dot_string(stack)} [label={dot_string(', '.join(names))}]"
        for (stack, source), names in sorted(wiring.imports.items())
    ]
    marks = [
        f"  {dot_string(stack)} [label={dot_string(_marked(wiring, stack))}]"
        for wave in wiring.waves
        for stack in wave
        if wiring.patches.get(stack)
    ]
    return "\n".join(["digraph stacks {", "  rankdir=LR", *ranks, *marks, *arrows, "}"])


def _marked(wiring: Wiring, stack: str) -> str:
    """Return the name of *stack*, marked if it has patches; the text names them."""
    return f"{stack} (patched)" if wiring.patches.get(stack) else stack


FORMATS: Mapping[str, Callable[[Wiring], str]] = {"text": text, "mermaid": mermaid, "dot": dot}


def security(traffic: Traffic, rights: Sequence[Sequence[str]] = ()) -> str:
    """
    Return the security groups and their rules as two tables that read as plain text and as Markdown.

    Rules are ordered by group, inbound before outbound; a direction without traffic is stated. A third table
    says what the environment's file lets the application do in AWS (`generator.rights`), where it does.
    """
    worn = [
        (one.key, one.description, ", ".join(wearer.key for wearer in one.worn_by)) for one in traffic.groups
    ]
    rules = [row for group in traffic.groups for row in _rules(traffic, group.key)]
    tables = (
        _table(("security group", "description", "worn by"), worn),
        _table(("security group", "direction", "protocol", "ports", "peer", "description"), rules),
    )
    return "\n\n".join([*tables, *([_table(HEAD, rights)] if rights else [])])


def _rules(traffic: Traffic, group: str) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for direction in ("in", "out"):
        rules: Sequence[Rule] = traffic.of(group, "in" if direction == "in" else "out")
        rows += [
            (group, direction, rule.protocol, rule.ports, rule.peer.value, rule.description) for rule in rules
        ]
        rows += [] if rules else [(group, direction, "nothing", "", "", "")]
    return rows


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table with columns as wide as their cells."""
    cells = [[markdown(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    lines = [
        f"| {' | '.join(cell.ljust(wide) for cell, wide in zip(row, widths, strict=True))} |" for row in cells
    ]
    return "\n".join([lines[0], f"|{'|'.join('-' * (wide + 2) for wide in widths)}|", *lines[1:]])


def _sources(wiring: Wiring, stack: str) -> list[tuple[str, Sequence[str]]]:
    return sorted(
        (source, names) for (importer, source), names in wiring.imports.items() if importer == stack
    )
