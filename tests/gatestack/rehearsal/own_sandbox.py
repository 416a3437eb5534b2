"""Users whose sandbox is their own, as `gatestack local start` starts it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.command import User

BIN = str(Path(sys.executable).parent)


def somebody(folder: Path, **variables: str) -> User:
    """Return a user below *folder* whose shell finds gatestack; no sandbox runs."""
    path = f"{BIN}:{os.environ['PATH']}"
    return User.at(folder / "here", PATH=path, GATESTACK_POLL_INTERVAL="0.05", **variables)


@contextmanager
def started(folder: Path, **variables: str) -> Iterator[User]:
    """Give a user below *folder* whose sandbox runs, and is fast, while the block lasts."""
    user = somebody(folder, **variables)
    assert user.run("local", "start", "--speed", "20000").code == 0
    yield user
    user.run("local", "stop")
