"""This user's sandbox: for `local`, for every command on ENV=local, and for commands with --sandbox."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from sandbox import local as sandbox
from sandbox.gateway import AUTHORITY

REGION = "us-east-1"
"""Of a shell that has `local env`: where environments/local.yaml deploys to."""

RUNS_NOTHING = (
    "No container runs here: `gatestack local start --gateway --replace`, then deploy again, makes it answer."
)
"""Of a sandbox without gateway: what makes the URL answer."""
GATEWAY = "gateway"
"""Folder of the state folder for what the sandbox's gateway keeps."""


class SandboxRefused(click.ClickException):
    """The sandbox cannot be used, or there is none; nothing was changed."""

    exit_code = 2


def state_folder() -> Path:
    """
    Return where the state of this user's one sandbox is, whatever the working directory.

    Below XDG_STATE_HOME, which counts where it is absolute, or ~/.local/state (XDG Base Directory
    Specification 0.8). Who wants two sandboxes gives them two of it.
    """
    named = Path(os.environ.get("XDG_STATE_HOME", ""))
    return (named if named.is_absolute() else _home() / ".local" / "state") / "gatestack"


def authority() -> Path | None:
    """Return the file of who issues the certificates of the sandbox's load balancers, where there is one."""
    file = state_folder() / GATEWAY / AUTHORITY
    return file if file.exists() else None


def _home() -> Path:
    named = Path(os.environ.get("HOME", ""))
    if named.is_absolute():
        return named
    try:
        return Path(pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:
        what = "there is no HOME for the sandbox's state"
        raise SandboxRefused(f"{what}: name a folder of yours in XDG_STATE_HOME") from None


@contextmanager
def refusing() -> Iterator[None]:
    """Tell in one sentence why this user's sandbox cannot be used; raises SandboxRefused."""
    try:
        yield
    except sandbox.LocalError as error:
        raise SandboxRefused(str(error)) from error


def none_runs() -> SandboxRefused:
    """Return that there is no sandbox, and what starts one."""
    return SandboxRefused(
        f"no sandbox runs ({state_folder()}): start one with `gatestack local start` or "
        "`gatestack deploy local`"
    )


def what_runs() -> list[str]:
    """
    Return what the end of a deployment to this user's sandbox says of its containers, a sentence each.

    Nothing where it cannot be asked: that is no fault of the deployment.
    """
    try:
        with refusing():
            runs = sandbox.status(state_folder()).gateway
        return [str(one) for one in asked("notes")] if runs else [RUNS_NOTHING]
    except SandboxRefused:
        return []


def asked(page: str, given: Any = None, method: str = "") -> Any:
    """
    Return what this user's sandbox answers on a control page.

    Raises:
        SandboxRefused: none runs, or it cannot be used, or it refuses *given*.

    """
    with refusing():
        found = sandbox.status(state_folder())
    if found.endpoint is None or found.key is None:
        raise none_runs()
    try:
        return sandbox.ask(found.endpoint, found.key, page, given, method=method)
    except ValueError as error:
        raise SandboxRefused(str(error)) from error
    except OSError as error:
        raise SandboxRefused(f"the sandbox at {found.endpoint} does not answer any more: {error}") from error
