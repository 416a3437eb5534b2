"""`make lock-image`: pins the release in image/Dockerfile to the digest that cosign has verified."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from deployer.errors import DeployError, Refused
from gatestack.image import programs
from gatestack.image.base_image import FOLDER, bases, with_digest


def pin(path: Path) -> str:
    """
    Write the digest of the release that the Dockerfile at *path* names into it, and return what to tell.

    Raises:
        Refused: cosign is missing, or the Dockerfile names no single release, or no key.
        DeployError: the release's signature is not verified; the file is as it was.

    """
    text = path.read_text(encoding="utf-8")
    found = bases(text)
    if len(found) != 1:
        raise Refused(f"{path} builds on {len(found)} releases of LiteLLM: one is pinned")
    if found[0].missing:
        raise Refused(f"{path} does not name {found[0].missing}")
    if not programs.has_cosign():
        raise Refused("cosign is not on the PATH to verify the release: install it (`gatestack docs image`)")
    digest = programs.verify(found[0])
    pinned = with_digest(text, digest)
    if pinned is None or bases(pinned)[0].digest != digest:
        raise Refused(
            f"{path} has no place for the digest: write ARG LITELLM_DIGEST= and @${{LITELLM_DIGEST}}"
        )
    path.write_text(pinned, encoding="utf-8")
    return f"{found[0].tagged} is {digest}: {'as it was' if pinned == text else f'written into {path}'}"


def main() -> int:
    """Pin image/Dockerfile and return the exit code."""
    try:
        click.echo(pin(FOLDER / "Dockerfile"))
    except Refused as error:
        click.echo(f"error: {error}", err=True)
        return 2
    except (DeployError, OSError) as error:
        click.echo(f"error: {error}", err=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
