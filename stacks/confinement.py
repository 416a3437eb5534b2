"""Restrictions on a system's containers: user, read-only file system, Linux capabilities. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from stacks.checking.region_table import REGIONS
from stacks.settings import Settings

TMPFS_REGIONS: Final = frozenset(REGIONS["aws"])
"""
Regions whose Fargate gives a task folders in memory.

Source: AWS What's New, 2026-01-06, "Amazon ECS now supports tmpfs mounts on AWS Fargate": commercial ones.
"""


class Confinement(NamedTuple):
    """
    What the containers of a system's image may do. None of them has a Linux capability.

    Fargate gives no privileged container, and of the capabilities that Docker gives by default no program
    here needs one: each listens above port 1024 and changes no owner and no user.
    """

    user: str | None = None
    """User and group in numbers; None: the image's own."""
    writable: Mapping[str, int] = {}
    """
    Folder -> MiB of memory it may take; all else is read-only. Empty: the image's own stays writable.

    In memory, since a volume of Fargate's belongs to root (Amazon ECS Developer Guide, "Use bind mounts").
    """

    def read_only(self, settings: Settings) -> bool:
        """
        Return whether the file system of the image is read-only.

        Not with ECS Exec, whose agent writes into it (Amazon ECS Developer Guide, "Monitor Amazon ECS
        containers with ECS Exec", considerations).
        """
        possible = settings.region in TMPFS_REGIONS and not settings.service.execute_command
        return bool(self.writable) and possible
