"""
The database snapshot before a schema migration: which one can be reused, its name. Pure.

A run that was interrupted finds its own snapshot by tags, and uses no other: one of an earlier migration
lacks later data. Older ones are deleted if they were taken before another image's migration; while one image
is tried repeatedly, the first snapshot counts.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from generator.manifest import SnapshotFirst

TARGET_TAG = "gatestack:before-migration"
"""Holds the image that the database was about to be migrated for."""
ATTEMPT_TAG = "gatestack:attempt"
"""The same for every run that resumes one change of one stack, a new one for the next change."""
MOST_NAME = 63
"""Characters of a cluster's snapshot; an instance's may have 255 (RDS API Reference, November 2026)."""
MOST_TAG = 256
FRESH_SECONDS = 3600.0
"""How old a completed snapshot may be to be reused: it lacks what is written since."""
AVAILABLE, CREATING = "available", "creating"


@dataclass(frozen=True)
class DatabaseSnapshot:
    """A manual snapshot as RDS tells it."""

    id: str
    status: str
    age_seconds: float = 0.0
    """Since it was taken; 0 while RDS does not say."""
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Attempt:
    """One migration that a snapshot is wanted for."""

    wanted: SnapshotFirst
    target: str
    """The image."""
    token: str

    @property
    def tags(self) -> dict[str, str]:
        """What its snapshots are known by."""
        return {TARGET_TAG: self.target[:MOST_TAG], ATTEMPT_TAG: self.token}


def attempt(wanted: SnapshotFirst, target: str, version: Collection[str]) -> Attempt:
    """Return the attempt to migrate for *target* from the stack's *version*, which every change renews."""
    content = json.dumps([target, *version])
    return Attempt(wanted, target, hashlib.sha256(content.encode()).hexdigest()[:16])


def serving(one: Attempt, there: Collection[DatabaseSnapshot]) -> DatabaseSnapshot | None:
    """Return the snapshot of this very attempt that is being made, or was made lately; the newest."""
    own = [
        each
        for each in there
        if each.tags.get(ATTEMPT_TAG) == one.token
        and (each.status == CREATING or (each.status == AVAILABLE and each.age_seconds < FRESH_SECONDS))
    ]
    return min(own, key=lambda each: each.age_seconds, default=None)


def name(one: Attempt, there: Collection[DatabaseSnapshot]) -> str:
    """Return a new name: the database's, and a digest that is the same for a repeated request."""
    taken, number = {each.id for each in there}, 0
    while True:
        digest = hashlib.sha256(f"{one.token} {number}".encode()).hexdigest()[:8]
        tail = f"-before-{digest}"
        found = one.wanted.database[: MOST_NAME - len(tail)].rstrip("-") + tail
        if found not in taken:
            return found
        number += 1


def outdated(one: Attempt, there: Collection[DatabaseSnapshot]) -> tuple[str, ...]:
    """Return what to delete now that *one* has its snapshot: of other images', all but the newest."""
    others = [
        each
        for each in there
        if TARGET_TAG in each.tags
        and each.tags[TARGET_TAG] != one.tags[TARGET_TAG]
        and each.status == AVAILABLE
    ]
    oldest_last = sorted(others, key=lambda each: each.age_seconds)
    return tuple(each.id for each in oldest_last[one.wanted.keep - 1 :])
