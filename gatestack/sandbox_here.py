"""The sandbox of this folder, for `local` and for every command on ENV=local."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from sandbox import local as sandbox

SANDBOX_FOLDER = Path(".gatestack")
"""Of this folder: two checkouts have two sandboxes."""
REGION = "us-east-1"
"""Of a shell that has `local env`: where environments/local.yaml deploys to."""


class SandboxRefused(click.ClickException):
    """The sandbox cannot be used, or there is none; nothing was changed."""

    exit_code = 2


@contextmanager
def refusing() -> Iterator[None]:
    """Tell in one sentence why this folder's sandbox cannot be used; raises SandboxRefused."""
    try:
        yield
    except sandbox.LocalError as error:
        raise SandboxRefused(str(error)) from error


def none_runs() -> SandboxRefused:
    """Return that there is no sandbox here, and what starts one."""
    return SandboxRefused(
        f"no sandbox runs in this folder ({Path.cwd()}): go to the folder where yours does, or start one "
        "here with `gatestack deploy local`"
    )


def asked(page: str, given: Any = None, method: str = "") -> Any:
    """
    Return what this folder's sandbox answers on a control page.

    Raises:
        SandboxRefused: none runs, or it cannot be used, or it refuses *given*.

    """
    with refusing():
        found = sandbox.status(SANDBOX_FOLDER)
    if found.endpoint is None or found.key is None:
        raise none_runs()
    try:
        return sandbox.ask(found.endpoint, found.key, page, given, method=method)
    except ValueError as error:
        raise SandboxRefused(str(error)) from error
    except OSError as error:
        raise SandboxRefused(f"the sandbox at {found.endpoint} does not answer any more: {error}") from error
