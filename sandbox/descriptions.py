"""AWS's own descriptions of its services, which botocore and moto read from files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
from botocore.loaders import create_loader


def session() -> botocore.session.Session:
    """Return a new session of botocore's; what one of them has read of a service none reads again."""
    made = botocore.session.Session()
    made.register_component("data_loader", _loader())
    return made


@cache
def _loader() -> Any:
    return by_name(create_loader())


def by_name(loader: Any) -> Any:
    """
    Have *loader* take each of its folders for a service; returns it.

    Before the first description of a kind botocore looks into 400 of them, which takes 20 ms.
    """
    folders: Callable[[], Iterator[str]] = loader._potential_locations  # noqa: SLF001 - it has no other name

    def listed(type_name: str) -> list[str]:
        del type_name
        return [path.name for one in folders() for path in Path(one).iterdir()]

    loader.list_available_services = listed
    return loader
