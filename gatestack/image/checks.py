"""Known vulnerabilities of the running release, and the database's version, as checks of `verify`."""

from __future__ import annotations

from datetime import date

from deployer.day2.verification import Check, Outcome
from stacks.checking.releases import advisory_table
from stacks.checking.releases.judgement import Judgement
from stacks.checking.releases.support import NAMES, database_ends


def release_check(found: Judgement, image: str, *, fails: bool) -> Check:
    """Return the check of the tasks' image; *fails*: whether known vulnerabilities are an error."""
    runs = f"the tasks run {image.rpartition('/')[2]}"
    if found.open:
        outcome: Outcome = "failed" if fails else "warning"
        return Check("release", outcome, f"{runs}: {found.told}", found.remedy)
    if not found.known:
        remedy = "tag a copy of a release as the release is called"
        return Check("release", "unknown", f"{runs}: {found.notes[0]}", remedy)
    beside = "".join(f"; {note}" for note in found.notes)
    return Check("release", "ok", f"{runs}: nothing known on {advisory_table.SEEN}{beside}")


def version_check(engine: str, version: str, env: str, day: date) -> Check:
    """Return the check of the version that a database runs."""
    name = f"{NAMES.get(engine, engine)} {version}"
    if said := database_ends(engine, version, day):
        remedy = f"raise database.engine_version and see `gatestack plan {env}` (`gatestack docs operations`)"
        return Check("database version", "warning", f"{name}: {said}", remedy)
    return Check("database version", "ok", name)
