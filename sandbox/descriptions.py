"""AWS's own descriptions of its services, which botocore and moto read from files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
from botocore.loaders import create_loader


def session() -> botocore.session.Session:
    """Return a new botocore session; sessions share the descriptions of services that were read."""
    made = botocore.session.Session()
    made.register_component("data_loader", _loader())
    return made


@cache
def _loader() -> Any:
    return by_name(create_loader())


def by_name(loader: Any) -> Any:
    """
    Make *loader* treat each of its folders as a service; returns it.

    botocore otherwise checks 400 of them before the first description of a kind, which takes 20 ms.
    """
    folders: Callable[[], Iterator[str]] = loader._potential_locations  # noqa: SLF001 - it has no public name

    def listed(type_name: str) -> list[str]:
        del type_name
        return [path.name for one in folders() for path in Path(one).iterdir()]

    loader.list_available_services = listed
    return loader
