"""What no text of an environment file may be, whichever key it belongs to: a reference, a secret. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from stacks.checking.problems import Finding, Place
from stacks.checking.secret_texts import is_secret
from stacks.settings import Settings

REFERENCE: Final = r"(?i)\{\{\s*resolve\s*:"
"""
A dynamic reference (CloudFormation User Guide, "Using dynamic references to specify template values").

CloudFormation inserts the value in clear text, with the deployer's permissions: any secret of the account.
``{{resolve:`` alone is documented; the pattern covers similar spellings too.
"""


_RESOLVED: Final = (
    "CloudFormation would put a secret or parameter in here, in clear; write the value itself if it is none"
)
INSTEAD: Final = (
    "remove it; a variable of the tasks goes by its name into service.secrets, and its value is put in with "
    "`gatestack secret set ENV NAME`"
)
"""Where to put a secret instead of into the file."""
_JUDGED: Final = {("service", "environment"), ("service", "parameters"), ("service", "config")}
"""Keys whose own rules also recognize secrets by name."""


def text_findings(settings: Settings) -> Iterator[Finding]:
    """Yield every text that refers to a value of the account, and every one that looks like a secret."""
    for place, text in texts(settings.model_dump()):
        if re.search(REFERENCE, text):
            yield _at(place, _RESOLVED)
        elif place[:2] not in _JUDGED and is_secret(text):
            yield _at(place, f"looks like a secret, and this file is none; {INSTEAD}")


def texts(value: object, place: Place = ()) -> Iterator[tuple[Place, str]]:
    """Yield every text in *value* with its place; a key of a mapping stands where the mapping does."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield place, str(name)
            yield from texts(item, (*place, name))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from texts(item, (*place, index))


def _at(place: Place, message: str) -> Finding:
    return Finding(str(place[0]) if place else "", message, below=place[1:])
