"""A known vulnerability of an application, and the releases that it affects. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

FORM = r"(?:main-)?v?(\d+(?:\.\d+){2,3})(?![\d.]*\d)(.*)"
"""``v1.93.0``, ``main-v1.83.14-stable``, ``1.104.0rc2``, ``v1.83.14-stable.patch1``: number, and the rest."""
BEFORE = r"[-_.]?(a|alpha|b|beta|c|rc|pre|preview|dev|nightly)(?![a-z]).*"
"""What comes before the release whose number it has (PEP 440, pre-releases; a nightly is one)."""
SEVERITIES = ("critical", "high", "moderate", "low", "")
"""In order; the last is that of an advisory that names none."""


class Release(NamedTuple):
    """A public release; ordered as they follow each other."""

    number: tuple[int, ...]
    final: bool = True
    """Whether it is the release itself, and nothing before it."""

    @classmethod
    def of(cls, text: str) -> Release | None:
        """Return the release that an image tag or a version names; None where it names none."""
        found = re.fullmatch(FORM, text)
        if found is None:
            return None
        number = tuple(int(part) for part in found[1].split("."))
        return cls(number, re.fullmatch(BEFORE, found[2], re.IGNORECASE) is None)

    def __str__(self) -> str:
        return ".".join(map(str, self.number))


class Affected(NamedTuple):
    """Releases in a row that an advisory is about."""

    introduced: str
    """The first; ``0``: all from the beginning."""
    fixed: str | None = None
    """The first without it."""
    last: str | None = None
    """The last with it, where no fixed one is named."""

    def includes(self, release: Release) -> bool:
        """Whether *release* is one of them."""
        first, fixed, last = (Release.of(text or "") for text in (self.introduced, self.fixed, self.last))
        began = first is None or first <= release
        return began and (fixed is None or release < fixed) and (last is None or release <= last)


class Advisory(NamedTuple):
    """A known vulnerability."""

    id: str
    """As its database calls it: ``PYSEC-2026-388``, ``GHSA-4xpc-pv4p-pm3w``."""
    aliases: tuple[str, ...]
    """What it is called elsewhere: ``CVE-2026-49468``."""
    severity: str
    """One of `SEVERITIES`."""
    published: str
    """``2026-06-16``."""
    summary: str
    affected: tuple[Affected, ...]
    source: str
    """Address of the advisory."""

    @property
    def names(self) -> tuple[str, ...]:
        """Return everything that it may be called."""
        return (self.id, *self.aliases)

    @property
    def name(self) -> str:
        """Return what most people call it: its CVE number, where it has one."""
        return next((one for one in self.names if one.startswith("CVE-")), self.id)

    @property
    def told(self) -> str:
        """Return name and severity: ``CVE-2026-49468 (critical)``."""
        return f"{self.name} ({self.severity})" if self.severity else self.name

    def hits(self, release: Release) -> bool:
        """Whether *release* has it."""
        return any(one.includes(release) for one in self.affected)


class Releases(NamedTuple):
    """The public releases of an application, as image tags name them."""

    images: str
    """Pattern of the images that are published with them."""
    advisories: tuple[Advisory, ...]

    def named_by(self, image: str, tag: str) -> Release | None:
        """Return the release that *tag* of *image* names; None: unknown. ``ecr``: a copy of one."""
        published = image == "ecr" or re.match(self.images, image, re.IGNORECASE)
        return Release.of(tag) if published else None

    def against(self, release: Release) -> tuple[Advisory, ...]:
        """Return what is known against *release*, the worst first."""
        found = [one for one in self.advisories if one.hits(release)]
        return tuple(sorted(found, key=lambda one: (SEVERITIES.index(one.severity), one.name)))

    def free_after(self, release: Release) -> str | None:
        """Return the first later release that is named as a fix and that nothing is known against."""
        named = (part.fixed for one in self.advisories for part in one.affected if part.fixed)
        return first_free((text for text in named), release, self.advisories)


def first_free(texts: Iterable[str], release: Release, advisories: Iterable[Advisory]) -> str | None:
    """Return the least of *texts* after *release* that no advisory hits."""
    known = tuple(advisories)
    later = {one for one in map(Release.of, texts) if one and one > release}
    free = (one for one in sorted(later) if not any(known_one.hits(one) for known_one in known))
    return next((str(one) for one in free), None)
