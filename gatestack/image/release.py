"""Known vulnerabilities of an environment's release, and when the support of its versions ends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import click

from stacks.checking import limits
from stacks.checking.releases.judgement import Judgement, judged
from stacks.checking.releases.support import database_ends, runtime_ends
from stacks.systems import application

if TYPE_CHECKING:
    from gatestack.environment import Environment
    from generator.manifest import Manifest
    from stacks.application import Application
    from stacks.settings import Settings

TODAY = "GATESTACK_TODAY"
"""Variable with another day, ``2027-09-01``, to see the messages of then."""


def today() -> date:
    """
    Return the day in UTC, or the one that `TODAY` says.

    Raises:
        UsageError: that is no day.

    """
    said = os.environ.get(TODAY)
    if not said:
        return datetime.now(UTC).date()
    try:
        return date.fromisoformat(said)
    except ValueError:
        raise click.UsageError(f"{TODAY} is {said!r}, and has to be a day like 2027-09-01") from None


def of_file(settings: Settings, day: date) -> Judgement:
    """Check the release that an environment's file names."""
    service = settings.service
    releases = application(settings.system).releases
    return judged(releases, service.image, service.image_tag, service.accepted_advisories, day)


def of_folder(manifest: Manifest, day: date) -> tuple[str, ...]:
    """Return the known vulnerabilities of a rendered folder's release; the folder has no acceptances."""
    image = next((stack.migration.image for stack in manifest.stacks if stack.migration), "")
    own = f"{manifest.environment}-{manifest.system}"
    found = of_image(application(manifest.system), image, own, day) if image else Judgement()
    return (f"{found.told} (the folder does not say what its file accepts)",) if found.open else found.notes


def of_base(settings: Settings, name: str, release: str, day: date) -> Judgement:
    """Check the base release of an image; the file's acceptances apply."""
    releases = application(settings.system).releases
    return judged(releases, name, release, settings.service.accepted_advisories, day)


def of_image(
    described: Application, image: str, own: str, day: date, settings: Settings | None = None
) -> Judgement:
    """Check a whole image; *own*: the environment's own repository, which holds copies of releases."""
    name, _, tag = image.partition("@") if "@" in image else image.rpartition(":")
    ours = "/" not in name or name.rpartition("/")[2] == own
    accepted = settings.service.accepted_advisories if settings else ()
    return judged(described.releases, "ecr" if ours else name, tag, accepted, day)


def database_of(environment: Environment) -> tuple[str, str] | None:
    """Return engine and identifier of the environment's own database; None where there is none."""
    if environment.settings:
        database = environment.settings.database
        return (database.engine, environment.settings.database_identifier) if database.exists else None
    stacks = environment.rendered.stacks if environment.rendered else ()
    facts = (one.facts for stack in stacks for one in stack.lookups if one.rule == "engine-version")
    return next(((one["engine"], one["identifier"]) for one in facts), None)


def ends(settings: Settings, day: date) -> Iterator[str]:
    """Yield a sentence for each version in *settings* whose support ends within half a year."""
    own, database = settings.database.exists, settings.database
    if own and (said := database_ends(database.engine, database.engine_version, day)):
        yield f"database.engine_version: {said}; see `gatestack docs operations`"
    rotates = own or application(settings.system).rotation is not None
    if rotates and (said := runtime_ends(limits.FUNCTION_RUNTIME, day)):
        yield f"{said}; use a later gatestack"
