"""
Chooses the availability zones of a network, with a reason for each one excluded. Pure: facts are
arguments.

Zones are identified by their ids, which are the same in every account, and chosen in the order of the ids: an
account always gets the same zones, in whatever order AWS lists them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NoReturn

from deployer.checks.zone_needs import InstanceClass, Needs
from deployer.checks.zone_table import FARGATE_ONLY_IN, NO_ARM_TASKS, NO_NAT
from deployer.errors import Refused

KEY = "network.availability_zones"


@dataclass(frozen=True)
class Zone:
    """An availability zone of the account."""

    name: str
    """``us-east-1a``: the account's own."""
    id: str
    """``use1-az4``: AWS's."""

    def __str__(self) -> str:
        return f"{self.name} ({self.id})"


@dataclass(frozen=True)
class ZoneFacts:
    """What AWS has answered about the zones of a region."""

    zones: tuple[Zone, ...]
    """Those that are available to the account, without Local Zones."""
    endpoints: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Service of an interface endpoint -> names of its zones; one that is not here is not known."""
    classes: Mapping[InstanceClass, frozenset[str]] = field(default_factory=dict)
    """Size of database servers -> names of the zones that offer it; one that is not here is not known."""
    subnets: Mapping[str, str] = field(default_factory=dict)
    """Id of an existing subnet -> the name of its zone."""
    unknown: tuple[str, ...] = ()
    """Why something was not answered."""


@dataclass(frozen=True)
class Choice:
    """The zones of a network, the first one first, and why the others are not among them."""

    zones: tuple[Zone, ...]
    left_out: tuple[tuple[Zone, tuple[str, ...]], ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """What is told of it."""
        picked = f"availability zones: {', '.join(map(str, self.zones))}"
        others = [f"{zone}: {' and '.join(why) or 'not needed'}" for zone, why in self.left_out]
        missing = [f"not checked: {why}" for why in self.unknown]
        return "; ".join([picked, *(["left out: " + ", ".join(others)] if others else []), *missing])


def zone_problems(zone: Zone, needs: Needs, facts: ZoneFacts, place: int | None = None) -> tuple[str, ...]:
    """Return what *zone* lacks to be the one at *place* of a network; None: for any place."""
    return tuple(_lacking(zone, needs, facts, place))


def choose(needs: Needs, facts: ZoneFacts) -> Choice:
    """
    Return the zones that the file names, else those that have what the network needs.

    Raises:
        Refused: a zone does not exist or lacks something, or too few are left; the message has every reason.

    """
    if needs.wanted:
        return _named(needs, facts)
    full = {zone: zone_problems(zone, needs, facts) for zone in sorted(facts.zones, key=_order)}
    # Zones that have everything come first: a second NAT gateway later must not need another zone.
    candidates = sorted(full, key=lambda zone: bool(full[zone]))
    picked: list[Zone] = []
    for place in range(needs.count):
        fits = (
            one for one in candidates if one not in picked and not zone_problems(one, needs, facts, place)
        )
        if (found := next(fits, None)) is None:
            _too_few(needs, full)
        picked.append(found)
    return Choice(tuple(picked), tuple((one, full[one]) for one in full if one not in picked), facts.unknown)


def kept(live: tuple[str, ...], needs: Needs, facts: ZoneFacts) -> None:
    """
    Refuse to move an existing network from the zones *live* into those that the file names.

    Raises:
        Refused: they differ in more than their order.

    """
    wanted = {_named_zone(one, facts).name for one in needs.wanted}
    if wanted == set(live):
        return
    text = (
        f"{KEY}: names {', '.join(needs.wanted)}, and the existing subnets are in {', '.join(live)}; a "
        "subnet cannot move to another zone: all subnets and the resources in them would be replaced, and "
        f"AWS refuses a second subnet with the same range: write [{', '.join(live)}] or remove the key; for "
        "other zones create a second environment"
    )
    raise Refused(f"{text} (nothing was changed)")


def _named(needs: Needs, facts: ZoneFacts) -> Choice:
    zones = tuple(_named_zone(one, facts) for one in needs.wanted)
    if len(set(zones)) < len(zones):
        twice = f"{' and '.join(needs.wanted)} are one zone, {zones[0]}"
        raise Refused(f"{KEY}: {twice}; name two different zones (nothing was changed)")
    lacking = [
        f"{zone} has {' and '.join(why)}"
        for place, zone in enumerate(zones)
        if (why := zone_problems(zone, needs, facts, place))
    ]
    if not lacking:
        return Choice(zones, (), facts.unknown)
    fitting = [str(one) for one in facts.zones if not zone_problems(one, needs, facts)]
    others = f"these have all of it: {', '.join(sorted(fitting))}" if fitting else "no zone has all of it"
    remedy = "name others, or remove the key and gatestack picks"
    raise Refused(f"{KEY}: {'; '.join(lacking)}; {others}; {remedy} (nothing was changed)")


def _named_zone(name: str, facts: ZoneFacts) -> Zone:
    found = next((one for one in facts.zones if name in (one.name, one.id)), None)
    if found is None:
        there = ", ".join(str(one) for one in sorted(facts.zones, key=_order)) or "none"
        raise Refused(
            f"{KEY}: {name} is none of this account's zones, which are {there} (nothing was changed)"
        )
    return found


def _too_few(needs: Needs, problems: Mapping[Zone, Iterable[str]]) -> NoReturn:
    fit = sum(not why for why in problems.values())
    head = (
        f"the network needs {needs.count} availability zones, and {fit} of {len(problems)} in {needs.region} "
        "have what it needs; nothing was changed:"
    )
    lines = [f"{zone}: {' and '.join(why) or 'fits'}" for zone, why in problems.items()]
    last = "take another region, another database.instance_class where that is what is missing, or a VPC that"
    raise Refused("\n  ".join([head, *lines, f"{last} is there (network.existing_vpc)"]))


def _lacking(zone: Zone, needs: Needs, facts: ZoneFacts, place: int | None) -> Iterator[str]:
    if needs.architectures and zone.id not in FARGATE_ONLY_IN.get(needs.region, {zone.id}):
        yield "no Fargate"
    elif "ARM64" in needs.architectures and zone.id in NO_ARM_TASKS:
        yield "no ARM tasks"
    if zone.id in NO_NAT and _has(place, needs.nat):
        yield "no NAT gateways"
    without = [
        service.rsplit(f".{needs.region}.", 1)[-1]
        for service, places in needs.endpoints.items()
        if _has(place, places) and zone.name not in facts.endpoints.get(service, {zone.name})
    ]
    if without:
        yield f"no endpoint of {', '.join(without)}"
    yield from (
        f"no {one.name} of {one.engine}"
        for one in needs.classes
        if zone.name not in facts.classes.get(one, {zone.name})
    )


def _has(place: int | None, places: frozenset[int]) -> bool:
    return place in places if place is not None else bool(places)


def _order(zone: Zone) -> tuple[tuple[str, int], ...]:
    """Sort ``use1-az10`` behind ``use1-az2``."""
    return tuple((word, int(number or 0)) for word, number in re.findall(r"([a-z-]+)([0-9]*)", zone.id))
