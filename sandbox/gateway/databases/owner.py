"""
The user that the servers run as, and their folder.

PostgreSQL refuses to run as root: there another user owns the folder, outside of root's own. Otherwise it is
in the sandbox's state folder. A small process waits for the end of this one, however it ends, and then
removes the servers and their data.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from sandbox.gateway.databases.errors import DatabaseError
from sandbox.gateway.databases.programs import Programs

_USERS = ("postgres", "nobody")
_NOTE = "databases.folder"
_END = (
    'cat >/dev/null; for one in "$1"/*/data/postmaster.pid; do '
    '[ -f "$one" ] && kill -QUIT "$(head -n 1 "$one")"; done; rm -rf "$1"'
)
"""Shell script: wait for the end of the standard input, then kill every server, and remove the folder."""
_SECONDS = 60.0
"""Time limit of programs that are waited for; none takes more than a second here."""
_SAID = 500
"""Characters of a program's output in a message."""


class Owner:
    """The user of the servers, with a new folder for them."""

    def __init__(self, state: Path) -> None:
        """Removes what a killed sandbox of the same *state* folder left."""
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        sweep(state)
        self._user = _unprivileged() if os.geteuid() == 0 else None
        place = None if self._user else state
        self.folder = Path(tempfile.mkdtemp(prefix="gatestack-databases-", dir=place)).resolve()
        self.give(self.folder)
        self._note = state / _NOTE
        self._note.write_text(str(self.folder))
        self._lock = threading.Lock()
        self._reached: dict[Path, Programs] = {}
        self._watch = subprocess.Popen(  # noqa: S603 - our own script
            ["/bin/sh", "-c", _END, "sh", str(self.folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the sandbox, not for this process
            cwd="/",
            **self._identity({"PATH": os.environ.get("PATH", os.defpath)}),
        )

    def give(self, path: Path) -> None:
        """Make *path* belong to the servers' user."""
        if self._user:
            os.chown(path, self._user.pw_uid, self._user.pw_gid, follow_symlinks=False)

    def write(self, path: Path, text: str) -> None:
        """Write a file that only the servers' user reads."""
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")
        self.give(path)

    def copy(self, source: Path, target: Path) -> None:
        """Copy a folder of the servers' user."""
        self.run(["cp", "-Rp", str(source), str(target)], {"PATH": os.environ.get("PATH", os.defpath)})

    def remove(self, folder: Path) -> None:
        """Remove a folder of theirs."""
        shutil.rmtree(folder, ignore_errors=True)

    def run(self, command: list[str], environment: Mapping[str, str]) -> None:
        """Run *command* as the servers' user; raises DatabaseError with its output."""
        name = Path(command[0]).name
        with tempfile.TemporaryFile() as errors:
            try:
                done = self._done(command, environment, errors)
            except OSError as error:
                raise DatabaseError(f"{command[0]} cannot be run: {error.strerror}") from error
            except subprocess.TimeoutExpired as error:
                raise DatabaseError(f"{name} did not end within {_SECONDS:.0f} s") from error
            if done.returncode:
                errors.seek(0)
                said = errors.read().decode(errors="replace").strip()[-_SAID:]
                raise DatabaseError(f"{name} ended with {done.returncode}: {said}")

    def _done(
        self, command: list[str], environment: Mapping[str, str], errors: IO[bytes] | int
    ) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(  # noqa: S603 - programs of our own packages
            command,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # a server keeps it open
            stderr=errors,
            timeout=_SECONDS,
            check=False,
            **self._identity(environment),
        )

    def reached(self, programs: Programs) -> Programs:
        """Return *programs* where the servers' user can reach them: a copy, if they are in root's home."""
        with self._lock:
            if programs.folder not in self._reached:
                self._reached[programs.folder] = self._within_reach(programs)
            return self._reached[programs.folder]

    def close(self) -> None:
        """Kill every server, and remove the folder."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._watch.communicate(timeout=_SECONDS)
        self._note.unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _within_reach(self, programs: Programs) -> Programs:
        try:
            self._done(
                [str(programs.folder / "initdb"), "--version"], programs.environment, subprocess.DEVNULL
            )
        except PermissionError:
            copied = self.folder / f"server-{programs.major}"
            shutil.copytree(programs.folder.parent, copied, symlinks=True)
            for one in (copied, *copied.rglob("*")):
                self.give(one)
            return programs.at(copied / "bin")
        return programs

    def _identity(self, environment: Mapping[str, str]) -> dict[str, Any]:
        if self._user is None:
            return {"env": dict(environment)}
        user = {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}
        return {"env": dict(environment), **user}


def sweep(state: Path) -> None:
    """Kill the servers of a sandbox that was killed with its watcher, and remove their folder."""
    note = state / _NOTE
    if not note.exists():
        return
    folder = Path(note.read_text(encoding="utf-8").strip())
    if folder.name.startswith("gatestack-databases-"):
        for one in folder.glob("*/data/postmaster.pid"):
            _end(one)
        shutil.rmtree(folder, ignore_errors=True)
    note.unlink(missing_ok=True)


def _end(file: Path) -> None:
    """Kill the server that wrote *file*; another process with its number has another folder."""
    lines = file.read_text(encoding="utf-8").splitlines()
    if not lines or not lines[0].isdigit():
        return
    process = int(lines[0])
    with contextlib.suppress(OSError):
        where = Path(f"/proc/{process}/cwd")
        if not where.exists() or where.resolve() == file.parent:
            os.kill(process, signal.SIGQUIT)


def _unprivileged() -> pwd.struct_passwd:
    for name in _USERS:
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise DatabaseError("PostgreSQL does not run as root, and there is no user postgres and none nobody")
