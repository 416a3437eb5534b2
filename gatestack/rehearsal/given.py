"""`local provide …`: creates in the sandbox what an account has before gatestack deploys to it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from gatestack.rehearsal.programs import IMAGES
from gatestack.sandbox_here import REGION, SandboxRefused, asked

if TYPE_CHECKING:
    from stacks.settings import Settings

PLACE = click.option("--region", default=REGION, show_default=True, help="The region that it is in.")
KINDS = ("public", "private", "data")


@click.group()
def provide() -> None:
    """Give the sandbox what an account has already: a hosted zone, a VPC, a certificate, an image."""


@provide.command()
@click.argument("name")
@click.option("--id", "zone_id", default="", help="The id that it is to have (default: a new one).")
def zone(name: str, zone_id: str) -> int:
    """Make the public hosted zone NAME, like example.com, and print its id."""
    click.echo(asked("provide", {"zone": name, "id": zone_id})["zone"])
    return 0


def _subnets(_: click.Context, option: click.Parameter, value: str) -> list[str]:
    ids = [one for one in value.split(",") if one]
    if ids and (len(ids) != 2 or not all(re.fullmatch(r"subnet-[0-9a-f]{8,17}", one) for one in ids)):
        raise click.BadParameter("two ids of subnets, subnet-…,subnet-…", param=option)
    return ids


@provide.command()
@PLACE
@click.option("--cidr", default="10.0.0.0/16", show_default=True, help="Its address range.")
@click.option("--id", "vpc_id", default="", help="The id that it is to have (default: a new one).")
@click.option("--public", default="", callback=_subnets, help="Ids of its public subnets.")
@click.option("--private", default="", callback=_subnets, help="Ids of its private subnets.")
@click.option("--data", default="", callback=_subnets, help="Ids of its isolated subnets.")
def vpc(region: str, cidr: str, vpc_id: str, **subnets: list[str]) -> int:
    """
    Make a VPC as a company has one, and print what an environment file says of it.

    It has public, private and isolated subnets in two zones, and an internet, a NAT and an S3 gateway.
    """
    given = {"vpc": vpc_id, "region": region, "cidr": cidr, "subnets": subnets}
    made = asked("provide", given)
    lines = [
        "network:",
        f"  vpc_cidr: {made['vpc_cidr']}",
        "  existing_vpc:",
        f"    vpc_id: {made['vpc_id']}",
    ]
    for kind in KINDS:
        name = f"{kind}_subnet_ids"
        lines.append(f"    {name}: [{', '.join(made[name])}]")
    click.echo("\n".join(lines))
    return 0


@provide.command()
@click.argument("domain")
@PLACE
@click.option("--arn", default="", help="The ARN that it is to have (default: a new one).")
def certificate(domain: str, region: str, arn: str) -> int:
    """Have ACM issue a certificate for DOMAIN, like llm.example.com, and print its ARN."""
    click.echo(asked("provide", {"certificate": domain, "region": region, "arn": arn})["certificate"])
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
    """Refuse if the sandbox lacks resources that *settings* expect; raises SandboxRefused."""
    if settings.alb.hosted_zone_id or settings.alb.certificate_arn or settings.network.existing_vpc:
        there = asked("there", {"region": settings.region})
        lacking = [*_zone(settings, there), *_vpc(settings, there), *_certificate(settings, there)]
        if lacking:
            raise SandboxRefused(
                "; ".join(f"the sandbox has no {what}: `{how}` makes it" for what, how in lacking)
            )


Lacking = Iterator[tuple[str, str]]
"""A missing resource, and the command that creates it."""


def _zone(settings: Settings, there: Mapping[str, Any]) -> Lacking:
    zone_id, domain = settings.alb.hosted_zone_id, settings.alb.domain_name
    if zone_id and domain and zone_id not in there["zones"]:
        parent = domain.partition(".")[2] or domain
        yield f"hosted zone {zone_id}", _command("zone", parent, "--id", zone_id)


def _vpc(settings: Settings, there: Mapping[str, Any]) -> Lacking:
    found = settings.network.existing_vpc
    if found is None or found.vpc_id in there["vpcs"]:
        return
    ids = {kind: getattr(found, f"{kind}_subnet_ids") for kind in KINDS}
    named = [part for kind, those in ids.items() if those for part in (f"--{kind}", ",".join(those))]
    place = ("--region", settings.region, "--cidr", settings.network.vpc_cidr)
    yield f"VPC {found.vpc_id}", _command("vpc", *place, "--id", found.vpc_id, *named)


def _certificate(settings: Settings, there: Mapping[str, Any]) -> Lacking:
    arn = settings.alb.certificate_arn
    if (
        arn and arn not in there["certificates"] and f":{settings.region}:" in arn
    ):  # another's is refused as it is
        domain = settings.alb.domain_name or f"{settings.environment}.example.com"
        yield f"certificate {arn}", _command("certificate", domain, "--region", settings.region, "--arn", arn)


def _command(*arguments: str) -> str:
    return shlex.join(["gatestack", "local", "provide", *arguments])
