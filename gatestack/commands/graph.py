"""`graph`: an environment's exports and imports between stacks, and its diagram. It needs no AWS account."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gatestack.environment import resolve
from gatestack.options import ENV, Options

if TYPE_CHECKING:
    from deployer.graph import Graph
    from generator.manifest import Manifest


STYLES = ("text", "mermaid", "dot", "security", "svg")
"""Of `graph`: three of the stacks, then the security groups, and the picture of everything."""


@click.command()
@ENV
@click.option("--format", "style", type=click.Choice(STYLES), default="text", help="Default: text.")
@click.pass_obj
def graph(options: Options, env: str, style: str) -> int:
    """
    Show ENV's stacks, their exports and imports, and which can be deployed in parallel.

    `security` prints the security group rules as a table, and the permissions that the file adds; `svg` draws
    the environment.
    """
    from deployer.graph import graph as read  # noqa: PLC0415 - `generate` does without

    manifest = resolve(env, options.region).manifest()
    found = read(manifest.stacks)
    try:
        click.echo(_wired(found, manifest, style) if style in STYLES[:3] else _drawn(manifest, style))
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        # Only a folder, or a stack of the team's own, may have names that gatestack's builders do not write.
        why = f"a property is not as gatestack writes it ({error!r}): --format text shows the stacks without"
        raise click.UsageError(f"{env}: its templates cannot be drawn, {why}") from error
    return 0


def _wired(found: Graph, manifest: Manifest, style: str) -> str:
    from generator.diagram import FORMATS, Wiring  # noqa: PLC0415

    prefixes = {stack.name: f"{stack.stack_name}-" for stack in found.stacks}
    imports = {
        (consumer, producer): [
            name.removeprefix(prefixes[producer]) for name in found.imported(consumer, producer)
        ]
        for consumer in found.names
        for producer in sorted(found.needs[consumer])
    }
    patches = {spec.name: [f"{one.resource} {one}" for one in spec.patched] for spec in manifest.stacks}
    return FORMATS[style](Wiring(found.waves(), imports, patches))


def _drawn(manifest: Manifest, style: str) -> str:
    from generator.diagram import security  # noqa: PLC0415
    from generator.picture.svg import picture  # noqa: PLC0415
    from generator.rights import rights  # noqa: PLC0415
    from generator.traffic import traffic  # noqa: PLC0415

    return picture(manifest) if style == "svg" else security(traffic(manifest), rights(manifest))
