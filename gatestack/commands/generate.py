"""`generate`: writes an environment's templates and manifest to a folder. It needs no AWS account."""

from __future__ import annotations

from pathlib import Path

import click

from gatestack import telling
from gatestack.environment import SettingsRefused, resolve, retagged
from gatestack.options import ENV, Options
from gatestack.policy.kept import kept_manifest
from generator import manifest as manifests
from generator.foreign import Foreign, private_folder


@click.command()
@ENV
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Folder; default: build/ENV.")
@click.option("--image-tag", "tag", metavar="TAG", help="Override service.image_tag of the file.")
@click.pass_obj
def generate(options: Options, env: str, out: Path | None, tag: str | None) -> int:
    """Render ENV's templates and manifest into a folder, byte for byte the same for the same input."""
    environment = resolve(env, options.region)
    environment = environment if tag is None else retagged(environment, tag)
    environment.warn()
    manifest = kept_manifest(environment)
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
