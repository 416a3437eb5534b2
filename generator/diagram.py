"""The stacks of an environment and what passes between them, as text, Mermaid or DOT. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Wiring:
    """What there is to draw."""

    waves: Sequence[Sequence[str]]
    """Stacks that can be deployed side by side, first wave first."""
    imports: Mapping[tuple[str, str], Sequence[str]]
    """(importing stack, exporting stack) -> the outputs' short names."""


def text(wiring: Wiring) -> str:
    """Return one block a wave, and under each stack where its imports come from."""
    lines = []
    for number, wave in enumerate(wiring.waves, 1):
        lines.append(f"wave {number}")
        for stack in wave:
            lines.append(f"  {stack}")
            lines += [f"    <- {source}: {', '.join(names)}" for source, names in _sources(wiring, stack)]
    return "\n".join(lines)


def mermaid(wiring: Wiring) -> str:
    """Return a Mermaid flowchart; an arrow leaves the exporting stack and counts the values it carries."""
    arrows = [
        f"  {source} -->|{len(names)}| {stack}" for (stack, source), names in sorted(wiring.imports.items())
    ]
    nodes = [f"  {stack}" for wave in wiring.waves for stack in wave]
    return "\n".join(["flowchart LR", *nodes, *arrows])


def dot(wiring: Wiring) -> str:
    """Return a Graphviz digraph with one rank a wave."""
    ranks = ["  { rank=same; " + "; ".join(f'"{stack}"' for stack in wave) + " }" for wave in wiring.waves]
    arrows = [
        f'  "{source}" -> "{stack}" [label="{", ".join(names)}"]'
        for (stack, source), names in sorted(wiring.imports.items())
    ]
    return "\n".join(["digraph stacks {", "  rankdir=LR", *ranks, *arrows, "}"])


FORMATS: Mapping[str, Callable[[Wiring], str]] = {"text": text, "mermaid": mermaid, "dot": dot}


def _sources(wiring: Wiring, stack: str) -> list[tuple[str, Sequence[str]]]:
    return sorted(
        (source, names) for (importer, source), names in wiring.imports.items() if importer == stack
    )
