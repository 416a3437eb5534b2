"""AWS's own descriptions of its services, which botocore and moto read from files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from botocore.loaders import Loader, create_loader


@cache
def descriptions() -> Loader:
    """Return the loader of all of botocore's sessions here: each description is read once."""
    made: Loader = by_name(create_loader())
    return made


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
