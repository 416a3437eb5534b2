"""
The state folder of a background sandbox: its owner, its description with the key, its lock.

A running sandbox holds a lock on the file `sandbox.pid`, also while it is suspended; the lock ends with the
process, however it ends, and never belongs to another process with the same number.
"""

from __future__ import annotations

import fcntl
import json
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

_DESCRIPTION, _LOCK, _PID = "sandbox.json", "sandbox.lock", "sandbox.pid"
_OURS = os.O_CLOEXEC | os.O_NOFOLLOW
_PAUSE = 0.02
"""Seconds between two attempts at a lock."""
_LOOK_SECONDS = 1.0
"""Longer than any mere reader holds a lock."""


class LocalError(Exception):
    """The sandbox of a folder cannot be used, started or stopped; the message says why, and what to do."""


@dataclass(frozen=True)
class Description:
    """A started sandbox's data for other processes."""

    version: str
    """Version of gatestack."""
    port: int
    access_key_id: str
    secret_access_key: str = field(repr=False)


def made(folder: Path) -> None:
    """Create the folder for its owner only, or check the existing one; raises LocalError."""
    try:
        for each in (*reversed(folder.parents), folder):
            with suppress(FileExistsError):
                each.mkdir(mode=0o700)
    except OSError as error:
        raise LocalError(
            f"{folder} cannot be made ({error.strerror}): name another in XDG_STATE_HOME"
        ) from error
    is_there(folder)


def is_there(folder: Path) -> bool:
    """
    Whether there is a state folder of this user, closed to all others; a readable one is closed.

    Raises:
        LocalError: another user created it, or may have written to it.

    """
    try:
        found = folder.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise LocalError(
            f"{folder} cannot be read ({error.strerror}): name another in XDG_STATE_HOME"
        ) from error
    if not stat.S_ISDIR(found.st_mode):
        raise LocalError(
            f"{folder} is no folder, or a link to one: remove it, or name another in XDG_STATE_HOME"
        )
    if found.st_uid != os.geteuid():
        raise LocalError(
            f"{folder} belongs to another user ({found.st_uid}): name your own in XDG_STATE_HOME"
        )
    if found.st_mode & 0o022:
        raise LocalError(f"others may write into {folder}: look at what is in it, then `chmod 700 {folder}`")
    if found.st_mode & 0o077:
        folder.chmod(0o700)
    return True


def described(folder: Path) -> Description | None:
    """Return the description of the sandbox that was last started in the folder; raises LocalError."""
    path = folder / _DESCRIPTION
    try:
        number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | _OURS)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _foreign(path) from error
    with os.fdopen(number, encoding="utf-8") as file:
        found = os.fstat(number)
        private = stat.S_ISREG(found.st_mode) and not found.st_mode & 0o077
        if not private or found.st_uid != os.geteuid():
            raise _foreign(path)
        try:
            given = json.loads(file.read(65_536))
            return Description(
                str(given["version"]),
                int(given["port"]),
                str(given["access_key_id"]),
                str(given["secret_access_key"]),
            )
        except (ValueError, KeyError, TypeError):
            return None  # of another version, or incomplete: not usable


def describe(folder: Path, described: Description) -> None:
    """Write the description to a temporary file, readable only by its owner, and rename it."""
    beside = folder / f"{_DESCRIPTION}.{os.getpid()}"
    beside.unlink(missing_ok=True)
    number = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _OURS, 0o600)
    with os.fdopen(number, "w", encoding="utf-8") as file:
        json.dump(asdict(described), file)
    beside.rename(folder / _DESCRIPTION)


def forget(folder: Path) -> None:
    """Remove the description."""
    (folder / _DESCRIPTION).unlink(missing_ok=True)


@contextmanager
def locked(folder: Path, seconds: float) -> Iterator[None]:
    """Keep others from starting or stopping the folder's sandbox; LocalError if another does so for long."""
    number = _opened(folder / _LOCK)
    try:
        if not within(seconds, lambda: _taken(number)):
            raise LocalError(
                f"another command has been starting or stopping the sandbox of {folder} for {seconds:.0f} s: "
                "end it, and try again"
            )
        yield
    finally:
        os.close(number)


def hold(folder: Path) -> int | None:
    """Return a locked descriptor of the folder, for the process that will hold it; None if another does."""
    number = _opened(folder / _PID)
    if within(_LOOK_SECONDS, lambda: _taken(number)):
        return number
    os.close(number)
    return None


def note_holder(number: int) -> None:
    """Write this process's number to its locked descriptor."""
    os.ftruncate(number, 0)
    os.pwrite(number, str(os.getpid()).encode(), 0)


def holder(folder: Path) -> int | None:
    """Return the number of the process that holds the folder; None if there is none."""
    if not (folder / _PID).exists():
        return None
    number = _opened(folder / _PID)
    try:
        if _taken(number, fcntl.LOCK_SH):  # shared: others may check at the same time
            return None
        text = os.pread(number, 32, 0)
        return int(text) if text.isdigit() else 0
    finally:
        os.close(number)


def within(seconds: float, done: Callable[[], bool]) -> bool:
    """Whether *done* becomes true in that time."""
    until = time.monotonic() + seconds
    while not done():
        if time.monotonic() > until:
            return False
        time.sleep(_PAUSE)
    return True


def _opened(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | _OURS, 0o600)
    except OSError as error:
        raise _foreign(path) from error


def _taken(number: int, how: int = fcntl.LOCK_EX) -> bool:
    try:
        fcntl.flock(number, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _foreign(path: Path) -> LocalError:
    return LocalError(f"{path} is not a file that only you can read: remove it, and see who put it there")
