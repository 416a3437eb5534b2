"""`generate`, `lint`, `graph`: what can be known of an environment without an AWS account."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from gatestack import telling
from gatestack.cli import Options
from gatestack.environment import resolve, retagged
from generator import manifest as manifests


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
    folder = out or Path("build") / Path(env).stem
    manifests.write(manifest, folder)
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
    from generator.lint import check  # noqa: PLC0415 - cfn-lint takes half a second to import

    environment = resolve(env, options.region)
    environment.warn()
    chosen = {name for one in only for name in environment.chosen(one)} or environment.stack_names.keys()
    manifest = environment.manifest()
    manifest = replace(manifest, stacks=tuple(one for one in manifest.stacks if one.name in chosen))
    findings = check(manifest)
    for finding in findings:
        click.echo(str(finding))
        telling.to_agent("error", str(finding))
    click.echo(f"{len(manifest.stacks)} templates, {len(findings)} findings", err=True)
    return 1 if findings else 0


@click.command()
@click.argument("env")
@click.option("--format", "style", type=click.Choice(["text", "mermaid", "dot"]), default="text")
@click.pass_obj
def graph(options: Options, env: str, style: str) -> int:
    """Show ENV's stacks, what each imports from which, and which can be deployed side by side."""
    from deployer.graph import graph as read  # noqa: PLC0415 - `generate` does without
    from generator.diagram import FORMATS, Wiring  # noqa: PLC0415

    found = read(resolve(env, options.region).manifest().stacks)
    prefixes = {stack.name: f"{stack.stack_name}-" for stack in found.stacks}
    imports = {
        (consumer, producer): [
            name.removeprefix(prefixes[producer]) for name in found.imported(consumer, producer)
        ]
        for consumer in found.names
        for producer in sorted(found.needs[consumer])
    }
    click.echo(FORMATS[style](Wiring(found.waves(), imports)))
    return 0
