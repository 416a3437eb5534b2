"""
Which values of a change may be secret, by the name of the property; they are masked in every plan. Pure.

`deployer.scrub` masks by the pattern of a text.

A dynamic reference (``{{resolve:secretsmanager:…}}``) is no secret: CloudFormation inserts the value later.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any

from deployer.scrub import HIDDEN, REFERENCE
from deployer.states import Change, PropertyChange, structure
from stacks.checking.secret_texts import is_secret, names_a_secret

SECRET_PROPERTIES = frozenset(
    {
        "accesskey",
        "apikey",
        "authtoken",
        "clientsecret",
        "credentials",
        "masteruserpassword",
        "passwd",
        "password",
        "privatekey",
        "secret",
        "secretaccesskey",
        "secretstring",
        "token",
        "userdata",
    }
)
"""Property names, in small letters, whose values are secrets wherever they stand."""


ANOTHER = "(hidden, another value)"
"""Stands for a changed secret: values that are masked still differ."""
LABELS = frozenset(
    {
        "AttributeDefinitions",
        "Dimensions",
        "KeySchema",
        "LoadBalancerAttributes",
        "MetricFilters",
        "Tags",
        "TargetGroupAttributes",
    }
)
"""
Properties whose members are names and settings, never secrets (CloudFormation Template Reference): tags are
visible to anyone who lists resources (Tagging AWS Resources, "Best practices"), attributes have fixed keys.
"""
PAIRS = (
    ("Name", "Value"),
    ("Key", "Value"),
    ("HeaderName", "HeaderValue"),
    ("ParameterKey", "ParameterValue"),
    ("OptionName", "Value"),
)
"""Members that are a name of somebody's own and its value: the name tells whether the value is secret."""
_CAMEL = re.compile(
    r"(Password|Passphrase|PrivateKey|PrivateKeyPlaintext|AuthToken|AccessToken|SecretKey|SecretAccessKey"
    r"|ClientSecret|ApiKeyValue|SecretString|ConnectionString|WebhookSecret)$"
)
"""How properties of AWS's types end that hold a secret; ``KmsKeyId`` and ``PublicKey`` end otherwise."""


def hidden(change: Change) -> Change:
    """Return *change* with every value hidden that may be a secret."""
    return replace(change, details=tuple(_hidden_detail(detail) for detail in change.details))


def _hidden_detail(detail: PropertyChange) -> PropertyChange:
    path = [part for part in detail.name.split("/") if part]
    if LABELS & {*path, detail.attribute}:
        return detail
    names = any(_is_secret(part) for part in path)
    # a path into a list of names and values does not say which variable an element is
    nameless = path[-1:] == ["Value"] and "Environment" in path
    secret = names or nameless
    known = None if detail.before in (None, "null") else frozenset(_leaves(detail.before))
    before = None if detail.before is None else _shown(detail.before, secret=secret, known=known)
    after = None if detail.after is None else _shown(detail.after, secret=secret, known=known)
    return replace(detail, before=before, after=after)


def _leaves(value: Any) -> Iterator[Any]:
    """Yield every single value in *value*, and in texts that are JSON."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _leaves(each)
    elif isinstance(value, str) and (inner := structure(value)) is not None:
        yield from _leaves(inner)
    else:
        yield value


def _shown(text: str, *, secret: bool, known: Collection[Any] | None) -> str:
    """Return *text* as it is shown; *known*: the single values before the change, None where none was."""
    if text.startswith("{{changeSet:"):
        return text
    inside = structure(text)
    if inside is not None:
        masked = _masked(inside, secret=secret, known=known)
        return text if masked == inside else json.dumps(masked)
    return str(_masked(text, secret=secret, known=known))


def _masked(value: Any, *, secret: bool, known: Collection[Any] | None) -> Any:
    if isinstance(value, dict):
        judged = {other: names_a_secret(value[name]) for name, other in PAIRS if _pairs(value, name, other)}
        names = {name for name, other in PAIRS if _pairs(value, name, other)}
        return {
            key: each
            if key in LABELS or (key in names and isinstance(each, str))
            else _masked(each, secret=secret or _is_secret(key) or judged.get(key, False), known=known)
            for key, each in value.items()
        }
    if isinstance(value, list):
        return [_masked(each, secret=secret, known=known) for each in value]
    hides = HIDDEN if known is None or value in known else ANOTHER
    if not isinstance(value, str):
        return hides if secret and value is not None else value
    inner = structure(value)
    if inner is not None:
        return _shown(value, secret=secret, known=known)
    return hides if (secret or is_secret(value)) and REFERENCE not in value else value


def _pairs(value: Mapping[str, Any], name: str, other: str) -> bool:
    return isinstance(value.get(name), str) and other in value


def _is_secret(name: str) -> bool:
    """Whether a name means a secret: properties by the table, others by `names_a_secret`."""
    variable = "_" in name or name.isupper() or name.islower()
    if name.lower() in SECRET_PROPERTIES or _CAMEL.search(name):
        return True
    return variable and names_a_secret(name)
