"""
The environment's secrets: content, who may write each, and the change of one value. Pure.

No message repeats a value, nor a name as it was typed: it may be a value in the wrong place.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol, TypeAlias

from deployer.day2.names import near
from deployer.errors import CloudError, MovedOn, Refused

State = Literal["set", "placeholder", "empty"]

PLACEHOLDER = "REPLACE_ME"
"""What the templates put where a provider's key belongs."""
MOST_BYTES = 65_536
"""Of a secret (Secrets Manager API Reference, PutSecretValue, SecretString)."""
ATTEMPTS = 5
"""Attempts to write before giving up because somebody else keeps writing."""


Objection: TypeAlias = Callable[[Mapping[str, object]], str | None]
"""What is wrong with all the values of a secret, in words that repeat none of them; None where nothing is."""


@dataclass(frozen=True)
class Kind:
    """A secret that an environment has."""

    keys: tuple[str, ...]
    """Names of its values; none: it is one text."""
    refusal: str = ""
    """Why users do not write it, and what to do instead ({env}); empty where they may."""
    form: str = ""
    """Example JSON, if its values are more than texts: it is then set as a whole."""
    objection: Objection | None = None
    """What the application itself would refuse."""
    optional: bool = False
    """Whether an option leaves it out."""
    applied_by: Literal["rollout", "deploy"] = "rollout"
    """The command that applies a value that a person has set."""


Catalogue: TypeAlias = Mapping[str, Kind]
"""The secrets of an environment, by their names below its prefix; those that users fill in come first."""


@dataclass(frozen=True)
class Target:
    """What a name means: a secret, or one value of it."""

    secret: str
    """``api-keys``."""
    key: str | None = None

    def __str__(self) -> str:
        return f"{self.secret}/{self.key}" if self.key and not self.alone else self.key or self.secret

    @property
    def alone(self) -> bool:
        """Whether it is a value with a secret of its own, which is called after it."""
        return self.key is not None and self.secret.rpartition("/")[2] == self.key


@dataclass(frozen=True)
class Rotation:
    """How Secrets Manager changes a secret by itself."""

    enabled: bool = False
    days: int | None = None
    last: datetime | None = None
    next: datetime | None = None


@dataclass(frozen=True)
class SecretInfo:
    """What AWS knows of a secret besides its value."""

    name: str
    """AWS's: ``dev-litellm/api-keys``."""
    arn: str
    rotation: Rotation = Rotation()
    deleted: datetime | None = None
    """When it is gone for good, where it is scheduled for deletion."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Staging label (``AWSCURRENT``) -> version."""

    @property
    def account(self) -> str:
        """Return the account that it is in, twelve digits."""
        return self.arn.split(":")[4]


@dataclass(frozen=True)
class SecretValue:
    """One version of a secret's value; it does not show itself."""

    text: str = field(repr=False)
    version: str
    created: datetime | None = None


class SecretStore(Protocol):
    """Secrets Manager, as the rules need it. Every call may raise a DeployError."""

    def describe(self, name: str) -> SecretInfo | None:
        """Return what is known of the secret *name*; None where there is none."""

    def read(self, name: str, version: str | None = None) -> SecretValue:
        """Return its value: the current one, or that of *version*."""

    def write(self, name: str, text: str) -> str:
        """Make *text* the current value and return its version."""


def find(name: str, prefix: str, known: Catalogue) -> Target:
    """
    Return what *name* means: ``api-keys``, ``api-keys/OPENAI_API_KEY`` or ``OPENAI_API_KEY``.

    A key of a known secret is not checked here: users may add their own.

    Raises:
        Refused: it means nothing, or several things.

    """
    short = name.removeprefix(f"{prefix}/")
    secret, _, key = short.partition("/")
    if secret in known:
        return Target(secret, key or None)
    if short in known:
        return Target(short, short.rpartition("/")[2])
    holders = [holder for holder, kind in known.items() if short in kind.keys]
    if len(holders) == 1:
        return Target(holders[0], short)
    if holders:
        raise Refused(f"{' and '.join(holders)} have a value of that name: write {holders[0]}/{short}")
    names = [*known, *(key for kind in known.values() for key in kind.keys)]
    raise Refused(f"no secret or value of that name; there are {_listed(known)}{near(short, names)}")


def _listed(known: Catalogue) -> str:
    names = [_with_keys(name, kind) for name, kind in known.items()]
    return ", ".join(names)


def _with_keys(name: str, kind: Kind) -> str:
    alone = name.rpartition("/")[2]
    if kind.keys == (alone,):
        return alone
    return f"{name} ({', '.join(kind.keys)})" if kind.keys else name


def check_settable(target: Target, kind: Kind, env: str) -> None:
    """
    Raise Refused if people do not write *target*.

    *kind* is that of its secret, *env* is how the user names the environment.
    """
    if kind.refusal:
        raise Refused(f"{target.secret} is not set with `secret set`: {kind.refusal.format(env=env)}")
    if kind.form and target.key is not None:
        raise Refused(f"a value of {target.secret} is not set by itself: {_as_a_whole(target.secret, kind)}")


def typed(target: Target, kind: Kind) -> Target:
    """Return the one value that *target*, of a secret of *kind*, means at a terminal; raises Refused."""
    if target.key is not None:
        return target
    if kind.form:
        raise Refused(_as_a_whole(target.secret, kind))
    if len(kind.keys) == 1:
        return Target(target.secret, kind.keys[0])
    one = f"name one value ({target}/{kind.keys[0]})"
    raise Refused(f"{target} has several values: {one}, or give all of them as a JSON object on stdin")


def _as_a_whole(secret: str, kind: Kind) -> str:
    return f"{secret} is given as a JSON object on stdin, like {kind.form}"


def values(text: str) -> Mapping[str, Any] | None:
    """Return the values of a secret that is a JSON object, by name; None for any other text."""
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def states(text: str) -> Mapping[str, State]:
    """Return for each value of the secret *text* whether it is set; nothing for a secret that is one text."""
    return {key: _state(value) for key, value in (values(text) or {}).items()}


def _state(value: Any) -> State:
    if value is None or value in ("", [], {}):
        return "empty"
    return "placeholder" if value == PLACEHOLDER else "set"


def check_key(target: Target, text: str) -> None:
    """Raise Refused where the secret *text* has no value of the name that *target* asks for."""
    found = values(text) or {}
    if target.key is not None and target.key not in found:
        there = f"it has {', '.join(found)}" if found else "it is one text"
        raise Refused(f"{target.secret} has no value of that name; {there}{near(target.key, found)}")


def changed(text: str, target: Target, given: str, kind: Kind) -> str:
    """
    Return the secret *text*, which is of *kind*, with *given* in *target*'s place; every other value stays.

    Raises:
        Refused: *given* cannot be the value.
        CloudError: what the secret holds now is no JSON object.

    """
    now = values(text)
    new = _formed(target, given, kind) if kind.form else _replaced(text, target, given, now)
    wrong = kind.objection(new) if kind.objection else None
    if wrong:
        raise Refused(f"{target.secret}: {wrong}; nothing was changed")
    if new == now:
        return text
    result = json.dumps(new)
    if len(result.encode()) > MOST_BYTES:
        raise Refused(f"{target.secret} would be longer than the {MOST_BYTES} bytes of a secret")
    return result


def _formed(target: Target, given: str, kind: Kind) -> Mapping[str, Any]:
    """Return all of a secret whose values are more than texts, whatever it holds now."""
    new = _object(given)
    if new is None or new.keys() != set(kind.keys):
        what = f"each name once, with {', '.join(kind.keys)} and nothing else at the top"
        raise Refused(f"{_as_a_whole(target.secret, kind)}: {what}; nothing was changed")
    return new


def _replaced(text: str, target: Target, given: str, now: Mapping[str, Any] | None) -> Mapping[str, Any]:
    if now is None:
        raise CloudError(
            f"{target.secret} does not hold a JSON object now: repair it in Secrets Manager first"
        )
    if target.key is None:
        return _whole(target, given, now)
    check_key(target, text)
    check_value(target.key, given)
    return {**now, target.key: given}


def _whole(target: Target, given: str, now: Mapping[str, Any]) -> Mapping[str, str]:
    wanted = f"{target.secret} as a whole is a JSON object with {', '.join(now)}"
    hint = f"; for one value name it: {target.secret}/{next(iter(now), 'KEY')}"
    new = _object(given)
    if new is None:
        raise Refused(f"{wanted}, each once; what was given is none{hint}")
    if new.keys() != now.keys():
        lacking = ", ".join(key for key in now if key not in new)
        raise Refused(f"{wanted}: {f'missing: {lacking}' if lacking else 'there is another one'}{hint}")
    for key, value in new.items():
        if not isinstance(value, str):
            raise Refused(f"{key}: expected text in quotes")
        check_value(key, value, kept=value == now[key])
    return new


def _object(given: str) -> dict[str, Any] | None:
    """Return the JSON object that *given* is; None where it is none, or says a name twice."""
    new = None
    with suppress(ValueError, RecursionError):  # they hold the text: they end here
        new = json.loads(given, object_pairs_hook=_once)
    return new if isinstance(new, dict) else None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found


def check_value(key: str, value: str, *, kept: bool = False) -> None:
    """
    Raise Refused, saying what is wrong and never what was given, where *value* cannot be the value *key*.

    *kept*: it is the current value, which may be the placeholder.
    """
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    wrong = {
        "it is empty": not value.strip(),
        "it has several lines; a value is one": "\n" in value or "\r" in value,
        "it has leading or trailing spaces": value != value.strip(),
        "it contains invisible characters": not value.isprintable(),
        "it is in quotes; give it without them": quoted,
        "it is JSON around the value; give the value alone": key in (values(value) or {}),
        f"it begins with the name; give what follows {key}=": value.startswith(f"{key}="),
        f"it is the placeholder, {PLACEHOLDER}": value == PLACEHOLDER and not kept,
        "a key has no spaces, and only letters, digits and signs of ASCII": (
            key.endswith("_KEY") and not re.fullmatch(r"[!-~]+", value)
        ),
        "expected a region like us-east-1": (
            re.fullmatch(r"AWS_(.*_)?REGION", key) is not None
            and not re.fullmatch(r"[a-z]{2}(-[a-z]+)+-\d", value)
        ),
    }
    for what, is_so in wrong.items():
        if is_so:
            raise Refused(f"{key} is not set: {what}; nothing was changed")


def update(store: SecretStore, name: str, change: Callable[[str], str]) -> bool:
    """
    Merge *change* into the current value of the secret *name*; returns whether it differs.

    Secrets Manager has no conditional write, so the versions are compared afterwards: if ours replaced
    another one than *change* was merged into, somebody wrote in between, and it is merged into theirs.

    Raises:
        DeployError: AWS refused, or *change* did.
        MovedOn: somebody else keeps writing.

    """
    base = now = store.read(name)
    for attempt in range(ATTEMPTS):
        text, before = change(base.text), now.version
        if text == now.text:
            return attempt > 0
        now = SecretValue(text, store.write(name, text))
        info = store.describe(name)
        versions = info.versions if info else {}
        replaced = versions.get("AWSPREVIOUS", before)
        if versions.get("AWSCURRENT") != now.version or replaced == before:
            return True
        base = store.read(name, replaced)
    raise MovedOn(f"{name}: somebody else keeps writing it: look with `gatestack secret get`, and try again")
