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
"""The region of a shell with `local env`: that of environments/local.yaml."""

RUNS_NOTHING = (
    "No container runs here: `gatestack local start --gateway --replace`, then deploy again, makes it answer."
)
"""How to make the URL of a sandbox without a gateway answer."""
GATEWAY = "gateway"
"""Folder of the state folder for what the sandbox's gateway keeps."""


class SandboxRefused(click.ClickException):
    """The sandbox cannot be used, or none is running; nothing was changed."""

    exit_code = 2


def state_folder() -> Path:
    """
    Return where the state of this user's one sandbox is, whatever the working directory.

    Below XDG_STATE_HOME, which counts where it is absolute, or ~/.local/state (XDG Base Directory
    Specification 0.8). Two sandboxes need two of it.
    """
    named = Path(os.environ.get("XDG_STATE_HOME", ""))
    return (named if named.is_absolute() else _home() / ".local" / "state") / "gatestack"


def authority() -> Path | None:
    """Return the file of the CA of the sandbox's load balancers, if there is one."""
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
    """Raise SandboxRefused, with one sentence on why this user's sandbox cannot be used."""
    try:
        yield
    except sandbox.LocalError as error:
        raise SandboxRefused(str(error)) from error


def none_runs() -> SandboxRefused:
    """Return that no sandbox is running, and the command that starts one."""
    return SandboxRefused(
        f"no sandbox runs ({state_folder()}): start one with `gatestack local start` or "
        "`gatestack deploy local`"
    )


def what_runs() -> list[str]:
    """
    Return a sentence on each container, for the end of a deployment to this user's sandbox.

    Empty if it cannot be asked, which is no failure of the deployment.
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
