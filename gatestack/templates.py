"""`generate`, `lint`, `graph`: what can be known of an environment without an AWS account."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gatestack import telling
from gatestack.cli import Options
from gatestack.environment import SettingsRefused, resolve, retagged
from generator import manifest as manifests
from generator.foreign import Foreign, private_folder

if TYPE_CHECKING:
    from deployer.graph import Graph
    from generator.manifest import Manifest


@click.command()
@click.argument("env")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Folder; default: build/ENV.")
@click.option("--image-tag", "tag", metavar="TAG", help="As if the file said so: service.image_tag.")
@click.pass_obj
def generate(options: Options, env: str, out: Path | None, tag: str | None) -> int:
    """Render ENV's templates and manifest into a folder, byte for byte the same for the same input."""
    environment = resolve(env, options.region)
    environment = environment if tag is None else retagged(environment, tag)
    environment.warn()
    manifest = environment.manifest()
    folder = out or telling.BUILT / Path(env).stem
    try:
        if out is None:
            private_folder(telling.BUILT)
        manifests.write(manifest, folder)
    except (OSError, Foreign) as error:
        why = f"{folder}: {error.strerror}" if isinstance(error, OSError) else error
        raise SettingsRefused(f"the templates cannot be written: {why}") from error
    for stack in manifest.stacks:
        click.echo(f"{folder / stack.name}.json  {len(stack.template.encode()):6,} bytes")
    click.echo(f"{folder / 'manifest.json'}")
    return 0


@click.command()
@click.argument("env")
@click.option("--only", multiple=True, metavar="STACK", help="Only this stack; may be repeated.")
@click.pass_obj
def lint(options: Options, env: str, only: tuple[str, ...]) -> int:
    """Check ENV's templates with cfn-lint; errors and warnings both fail."""
    from generator import forked  # noqa: PLC0415 - the other commands do without
    from generator.lint import ahead, check, kept_for_user  # noqa: PLC0415

    keep = kept_for_user()
    ask = ahead(keep)
    environment = resolve(env, options.region)
    environment.warn()
    chosen = {name for one in only for name in environment.chosen(one)} or environment.stack_names.keys()
    manifest = environment.manifest()
    manifest = replace(manifest, stacks=tuple(one for one in manifest.stacks if one.name in chosen))
    findings = check(manifest, keep=keep, processes=forked.cores(), ask=ask)
    for finding in findings:
        click.echo(str(finding))
        telling.to_agent("error", str(finding))
    click.echo(f"{len(manifest.stacks)} templates, {len(findings)} findings", err=True)
    return 1 if findings else 0


STYLES = ("text", "mermaid", "dot", "security", "svg")
"""Of `graph`: three of the stacks, then the security groups, and the picture of everything."""


@click.command()
@click.argument("env")
@click.option("--format", "style", type=click.Choice(STYLES), default="text", help="Default: text.")
@click.pass_obj
def graph(options: Options, env: str, style: str) -> int:
    """
    Show ENV's stacks, what each imports from which, and which can be deployed side by side.

    With `security` its security groups and their rules, as a table; with `svg` a picture of all of it.
    """
    from deployer.graph import graph as read  # noqa: PLC0415 - `generate` does without

    manifest = resolve(env, options.region).manifest()
    found = read(manifest.stacks)
    try:
        click.echo(_wired(found, style) if style in STYLES[:3] else _drawn(manifest, style))
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        # Only a folder can hold templates that nobody rendered.
        why = f"a property is not as `gatestack generate` writes it ({error!r}): generate it again"
        raise click.UsageError(f"{env}: its templates cannot be drawn, {why}") from error
    return 0


def _wired(found: Graph, style: str) -> str:
    from generator.diagram import FORMATS, Wiring  # noqa: PLC0415

    prefixes = {stack.name: f"{stack.stack_name}-" for stack in found.stacks}
    imports = {
        (consumer, producer): [
            name.removeprefix(prefixes[producer]) for name in found.imported(consumer, producer)
        ]
        for consumer in found.names
        for producer in sorted(found.needs[consumer])
    }
    return FORMATS[style](Wiring(found.waves(), imports))


def _drawn(manifest: Manifest, style: str) -> str:
    from generator.diagram import security  # noqa: PLC0415
    from generator.picture.svg import picture  # noqa: PLC0415
    from generator.traffic import traffic  # noqa: PLC0415

    return picture(manifest) if style == "svg" else security(traffic(manifest))
