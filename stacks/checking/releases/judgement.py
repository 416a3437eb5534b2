"""Whether an environment may run a release, given its known vulnerabilities. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import NamedTuple, Protocol

from stacks.checking.releases.advisory import Advisory, Release, Releases

TOLD = 5
"""Advisories reported with their subject; the others by their names."""
KEY = "service.accepted_advisories"


class Acceptance(Protocol):
    """What the environment's file says of an advisory that it takes."""

    @property
    def id(self) -> str:
        """Return one of the advisory's names."""

    @property
    def reason(self) -> str:
        """Return why it does no harm there."""

    @property
    def until(self) -> str:
        """Return the last day on which that holds: ``2027-01-31``."""


class Judgement(NamedTuple):
    """What to report about a release."""

    open: tuple[Advisory, ...] = ()
    """Known vulnerabilities that nobody has accepted."""
    told: str = ""
    """All of that in a line; empty if nothing is open."""
    remedy: str = ""
    notes: tuple[str, ...] = ()
    """Further sentences: accepted advisories, expired acceptances, a tag that names no release."""
    known: bool = True
    """Whether the tag names a release; else this is unknown."""

    def sentences(self, where: str) -> tuple[str, ...]:
        """Return all sentences to report, after *where* it is: a key or an option."""
        place = f"{where}: " if where else ""
        told = (f"{place}{self.told}: {self.remedy}",) if self.open else ()
        return (*told, *(note if note.startswith(KEY) else f"{place}{note}" for note in self.notes))


def judged(
    releases: Releases | None, image: str, tag: str, accepted: Iterable[Acceptance], today: date
) -> Judgement:
    """
    Check what *tag* of *image* names; *releases*: those of the application, None where none are public.

    An acceptance holds to the end of its day, in UTC.
    """
    acceptances = tuple(accepted)
    if releases is None:
        return Judgement()
    release = releases.named_by(image, tag)
    if release is None:
        return Judgement(
            known=False, notes=(f"{tag} names no public release: nobody can tell what is in it",)
        )
    against = releases.against(release)
    covered = {one.id: found for one in against if (found := _acceptance(one, acceptances, today))}
    still = tuple(one for one in against if one.id not in covered)
    notes = (
        *(
            f"{one.name} is accepted until {covered[one.id].until}: {covered[one.id].reason}"
            for one in against
            if one.id in covered
        ),
        *_idle(acceptances, releases.advisories, against, tag, today),
    )
    if not still:
        return Judgement(notes=notes)
    return Judgement(still, _told(still, tag), _remedy(releases, release), notes)


def _acceptance(one: Advisory, acceptances: Iterable[Acceptance], today: date) -> Acceptance | None:
    holds = (found for found in acceptances if found.id in one.names and not _is_over(found, today))
    return next(holds, None)


def _is_over(acceptance: Acceptance, today: date) -> bool:
    return date.fromisoformat(acceptance.until) < today


def _idle(
    acceptances: Iterable[Acceptance],
    known: Iterable[Advisory],
    against: Iterable[Advisory],
    tag: str,
    today: date,
) -> Iterator[str]:
    """Yield what is wrong with each acceptance without effect."""
    names = {name for one in known for name in one.names}
    here = {name for one in against for name in one.names}
    for one in acceptances:
        if one.id not in names:
            yield f"{KEY}: {one.id} is no known advisory; correct or remove it"
        elif one.id not in here:
            yield f"{KEY}: {one.id} is not in {tag}; remove it"
        elif _is_over(one, today):
            yield f"{KEY}: {one.id} was accepted until {one.until}, and that is over"


def _told(still: tuple[Advisory, ...], tag: str) -> str:
    first = "; ".join(f"{one.told}: {one.summary}" for one in still[:TOLD])
    rest = ", ".join(one.told for one in still[TOLD:])
    count = "a known vulnerability" if len(still) == 1 else f"{len(still)} known vulnerabilities"
    return f"{tag} has {count}. {first}{f'; and {rest}' if rest else ''}"


def _remedy(releases: Releases, release: Release) -> str:
    free = releases.free_after(release)
    instead = f"use {free} or a later release" if free else "no release without is known yet"
    return f"{instead}, or accept each with id, reason and until in {KEY}"
