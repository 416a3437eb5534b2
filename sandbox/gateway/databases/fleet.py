"""What all servers of a sandbox share: programs, the folder, the CA, template clusters to copy."""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from sandbox.gateway.authority import Authority, is_of_rds
from sandbox.gateway.databases import addresses
from sandbox.gateway.databases.errors import DatabaseError
from sandbox.gateway.databases.owner import Owner
from sandbox.gateway.databases.programs import Programs, found, nearest
from sandbox.gateway.databases.server import Server, Site
from sandbox.gateway.databases.settings import SUPERUSER

_MIB = 1 << 20


@dataclass(frozen=True)
class Copy:
    """A snapshot's data, with further data by name."""

    folder: Path
    programs: Programs
    master: str


class Fleet:
    """Creates servers; nothing is on disk before the first one."""

    def __init__(self, state: Path, places: Iterable[Path]) -> None:
        self._state = state
        self._places = tuple(places)
        self._password = os.urandom(16).hex()
        self._lock = threading.Lock()

    @cached_property
    def programs(self) -> tuple[Programs, ...]:
        """The PostgreSQL installations on this machine."""
        return found(self._places)

    def begin(self, version: str, port: int, copy: Copy | None = None) -> Server:
        """
        Create a server for *version*, empty or with the data of *copy*, without starting it.

        Raises:
            DatabaseError: PostgreSQL is missing, the port is taken, or the data cannot be written.

        """
        programs = copy.programs if copy else self._owner.reached(nearest(self.programs, version))
        address = addresses.free(port)
        folder = self._new_folder()
        site = Site(self._owner, programs, folder, address, port, self._password)
        source = copy.folder if copy else self._empty(programs)
        return Server.begun(site, source, self._authority.issue((address,)))

    def copy(self, server: Server, master: str) -> Copy:
        """Return a copy of the data of *server*; raises DatabaseError."""
        folder = self._new_folder()
        server.copy(folder)
        return Copy(folder, server.site.programs, master)

    def copied(self, copy: Copy) -> Copy:
        """Return a copy of a copy; raises DatabaseError."""
        folder = self._new_folder()
        self._owner.copy(copy.folder, folder)
        return Copy(folder, copy.programs, copy.master)

    def forget(self, copy: Copy) -> None:
        """Remove a copy."""
        self._owner.remove(copy.folder)

    def close(self) -> None:
        """Stop every server; nothing remains on disk."""
        if "_owner" in vars(self):
            self._owner.close()
            del vars(self)["_owner"]

    @cached_property
    def _owner(self) -> Owner:
        return Owner(self._state)

    def trusted(self, variables: Mapping[str, str]) -> Mapping[str, str]:
        """Return those of *variables* with RDS's authority, replaced by these servers' one."""
        own = self._authority.file.read_text(encoding="ascii")
        return {name: own for name, value in variables.items() if is_of_rds(value)}

    @cached_property
    def _authority(self) -> Authority:
        return Authority(self._state)

    def _new_folder(self) -> Path:
        return self._owner.folder / uuid.uuid4().hex[:12]

    def _empty(self, programs: Programs) -> Path:
        """Return the data of a new server, created once: a copy takes a tenth of the time."""
        with self._lock:
            made = self._owner.folder / f"empty-{programs.major}"
            if not made.exists():
                secret = self._owner.folder / "password"
                self._owner.write(secret, self._password)
                how = ["-U", SUPERUSER, "-A", "scram-sha-256", "--pwfile", str(secret), "-E", "UTF8"]
                how += ["--locale=C", "--no-sync", "--no-instructions", "--wal-segsize=1"]
                self._owner.run(
                    [str(programs.folder / "initdb"), "-D", str(made), *how], programs.environment
                )
                secret.unlink()
            return made


def mebibytes(folder: Path) -> int:
    """Return the size of the files below *folder*, in MiB; files deleted meanwhile count nothing."""
    total = 0
    for root, _, files in os.walk(folder):
        for file in files:
            with suppress(OSError):
                total += (Path(root) / file).lstat().st_size
    return total // _MIB


__all__ = ["Copy", "DatabaseError", "Fleet", "mebibytes"]
