"""`local provide zone|image`: what an account has before gatestack deploys to it, given to the sandbox."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import click

from gatestack.rehearsal.programs import IMAGES
from gatestack.sandbox_here import SandboxRefused, asked

if TYPE_CHECKING:
    from stacks.settings import Settings


@click.group()
def provide() -> None:
    """Give the sandbox what an account has already: a hosted zone, an image."""


@provide.command()
@click.argument("name")
@click.option("--id", "zone_id", default="", help="The id that it is to have (default: a new one).")
def zone(name: str, zone_id: str) -> int:
    """Make the public hosted zone NAME, like example.com, and print its id."""
    click.echo(asked("provide", {"zone": name, "id": zone_id})["zone"])
    return 0


@provide.command()
@click.argument("image")
@click.option(
    "--from",
    "base",
    default=IMAGES[0],
    show_default=True,
    help="The image that it is built from, without tag: `local start --gateway` runs that one's program.",
)
def image(image: str, base: str) -> int:
    """Put IMAGE, as REPOSITORY:TAG, into its ECR repository, as `gatestack image --push` does on AWS."""
    click.echo(f"{image} is in {asked('provide', {'image': image, 'from': base})['image']}", err=True)
    return 0


def check(settings: Settings) -> None:
    """Refuse to go on where the sandbox lacks the hosted zone of *settings*; raises SandboxRefused."""
    zone_id, domain = settings.alb.hosted_zone_id, settings.alb.domain_name
    if not zone_id or not domain or zone_id in asked("zones"):
        return
    parent = domain.partition(".")[2] or domain
    command = shlex.join(["gatestack", "local", "provide", "zone", parent, "--id", zone_id])
    raise SandboxRefused(f"the sandbox has no hosted zone {zone_id}: `{command}` makes it")
