"""Runs the programs that build an image: docker, cosign, git. Passwords are never arguments."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import click

from deployer.aws.stores.registry import RegistryLogin
from deployer.errors import DeployError, Refused
from deployer.scrub import remember, said
from gatestack.image.base_image import Base, verified_digest

SHORT = 12
"""Characters of a commit in a tag: enough for a repository of any size."""


def find_docker() -> None:
    """Refuse if docker is missing."""
    if shutil.which("docker") is None:
        raise Refused("docker is not on the PATH: install it, or build where it is (`gatestack docs image`)")


def commit_of(folder: Path) -> tuple[str, bool]:
    """
    Return the commit that is checked out, and whether *folder* is as it was committed.

    Raises:
        Refused: git is missing, or nothing is checked out here.

    """
    if shutil.which("git") is None:
        raise Refused("git is not on the PATH to name the commit: give --tag")
    found = _ask("git", "rev-parse", f"--short={SHORT}", "HEAD")
    changed = _ask("git", "status", "--porcelain", "--", str(folder))
    if found.returncode or changed.returncode:
        raise Refused(f"git names no commit here, give --tag: {_last(found.stderr or changed.stderr)}")
    return found.stdout.strip(), not changed.stdout.strip()


def has_cosign() -> bool:
    """Return whether signatures can be verified here."""
    return shutil.which("cosign") is not None


def verify(image: Base) -> str:
    """
    Verify the signature of the release *image* and return the digest that its tag stands for.

    Raises:
        DeployError: it is not signed by LiteLLM's key, the key cannot be fetched, or no digest is named.

    """
    click.echo(f"cosign verify --key {image.key} {image.tagged}", err=True)
    done = _ask("cosign", "verify", "--key", image.key, image.tagged)
    click.echo(done.stderr.strip(), err=True)
    if done.returncode:
        raise DeployError(
            f"the signature of {image.tagged} is not verified, nothing is built: take the release and "
            "the commit of its key from the release's notes"
        )
    digest = verified_digest(done.stdout)
    if digest is None:
        what = f"cosign does not say which digest of {image.tagged} it has verified, nothing is built"
        raise DeployError(f"{what}: use the release of cosign that pipelines/cosign.sh names")
    return digest


def log_in(login: RegistryLogin) -> None:
    """Log docker in; the password goes through its stdin."""
    remember(login.password)
    command = ["docker", "login", "--username", login.user, "--password-stdin", login.registry]
    done = subprocess.run(  # noqa: S603 - docker, on the PATH as its users have it
        command, input=login.password, capture_output=True, text=True, errors="replace", check=False
    )
    if done.returncode:
        raise DeployError(f"docker login {login.registry}: {_last(done.stderr)}")


def docker(*arguments: str) -> None:
    """Run docker; its output goes to stderr, as stdout is for the result. Raises DeployError."""
    click.echo(f"docker {' '.join(arguments)}", err=True)
    command = ["docker", *arguments]
    with subprocess.Popen(  # noqa: S603 - as above
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    ) as running:
        assert running.stdout is not None  # noqa: S101 - a pipe was asked for
        for line in running.stdout:
            click.echo(line, nl=False, err=True)
    if running.returncode:
        raise DeployError(
            f"`docker {arguments[0]}` failed with exit code {running.returncode}; see its output above"
        )


def _last(words: str) -> str:
    """Return the last line of a program's output, or that there is none."""
    lines = words.strip().splitlines()
    return said(lines[-1]) if lines else "it says nothing"


def _ask(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - programs of the user's PATH
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False
    )
