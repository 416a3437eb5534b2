"""A system's secrets for the commands: who may write each, and which rotate. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping

from deployer.day2.secrets import Catalogue, Kind
from stacks.application import PLACEHOLDER, Application, OwnSecret, Seeded, Written
from stacks.known_secrets import ATTACHED_KEYS, CACHE, LOGIN, LOGIN_KEYS, administrator, seed_of

SEED = "{seed}"
"""Placeholder for the generated part in the template of a `Seeded` value."""
DATABASE = "database"
"""The name of the tasks' database login for `rotate`."""


def catalogue(application: Application, put_in: Iterable[OwnSecret] = ()) -> Catalogue:
    """
    Return the secrets of *application*: those that people enter, then those that they choose, then the rest.

    *put_in*: those of the environment's file.
    """
    found = {own.name: _kind(own) for own in sorted((*application.secrets, *put_in), key=_place)}
    if application.database:
        refusal = f"PostgreSQL would not know the new one: use `gatestack rotate {{env}} {DATABASE}`"
        found[LOGIN] = Kind(LOGIN_KEYS, refusal)
        highest = administrator(application)
        found[highest.name] = Kind((*ATTACHED_KEYS, *highest.value.keys), highest.not_by_hand)
    found[CACHE.name] = Kind(CACHE.value.keys, CACHE.not_by_hand, optional=True)
    for own in _seeded(application):
        found[seed_of(own.name)] = Kind((), f"{_made(own)}{_instead(own, application)}")
    return found


def _place(own: OwnSecret) -> int:
    if own.not_by_hand:
        return 2
    return 0 if isinstance(own.value, Written) else 1


def _kind(own: OwnSecret) -> Kind:
    return Kind(own.value.keys, own.not_by_hand, form_of(own), own.objection, applied_by=own.applied_by)


def form_of(own: OwnSecret) -> str:
    """Return an example of *own*, if a value of it is more than a text; else nothing."""
    if not isinstance(own.value, Seeded):
        return ""
    texts = all(isinstance(value, str) for value in json.loads(own.value.template).values())
    return "" if texts else own.value.template.replace(SEED, "...")


def prefix_of(own: OwnSecret) -> str:
    """Return what the one text of *own* begins with by its template: ``sk-``."""
    if not isinstance(own.value, Seeded) or form_of(own):
        return ""
    text: str = next(iter(json.loads(own.value.template).values()))
    return text.partition(SEED)[0]


def placeholders(application: Application, put_in: Iterable[OwnSecret] = ()) -> tuple[OwnSecret, ...]:
    """Return the secrets that need a value from a person first; *put_in*: those of the file."""
    return tuple(
        own
        for own in (*application.secrets, *put_in)
        if isinstance(own.value, Written) and PLACEHOLDER in own.value.values.values()
    )


def _seeded(application: Application) -> Iterator[OwnSecret]:
    return (own for own in application.secrets if isinstance(own.value, Seeded))


def _made(own: OwnSecret) -> str:
    words = own.name.replace("-", " ")
    return f"it only generated the first {words}"


def _instead(own: OwnSecret, application: Application) -> str:
    """Return the command that changes the seeded value, after a colon."""
    if application.rotation and application.rotation.secret == own.name:
        return f": use `gatestack rotate {{env}} {own.name}`"
    return "" if own.not_by_hand else f": use `gatestack secret set {{env}} {own.name}`"


def rotated(application: Application) -> Mapping[str, str]:
    """Return the user's name of each rotated secret -> its name below the prefix."""
    login = {DATABASE: LOGIN, LOGIN: LOGIN} if application.database else {}
    own = {application.rotation.secret: application.rotation.secret} if application.rotation else {}
    return login | own


def rotations(application: Application) -> Mapping[str, str]:
    """Return the same, each secret once."""
    return {name: secret for name, secret in rotated(application).items() if name != LOGIN}


def unrotated(application: Application, put_in: Iterable[OwnSecret] = ()) -> Mapping[str, str]:
    """
    Return the secrets that no function rotates, each with why, and what to do instead ({env}).

    *put_in*: those of the environment's file, named as their variables.
    """
    found = {own.name: _why(own) for own in (*application.secrets, CACHE)}
    found |= {own.value.keys[0]: _why(own) for own in put_in}
    for own in _seeded(application):
        again = f": rotate {own.name}" if own.name in rotated(application) else ""
        found[seed_of(own.name)] = f"{_made(own)}{again}"
    return {name: why for name, why in found.items() if name not in rotated(application)}


def _why(own: OwnSecret) -> str:
    by_hand = f"users set it: `gatestack secret set {{env}} {own.name}`"
    return own.not_rotated or own.not_by_hand or by_hand
