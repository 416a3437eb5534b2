"""`plan --comment`: finds the pull request before planning; a failed comment is reported at the end."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import click

from deployer.scrub import remember

if TYPE_CHECKING:
    from gatestack.comments.places import Place


class NotCommented(click.ClickException):
    """The plan was made and shown, and the comment could not be written."""

    exit_code = 1


def commented_place() -> Place:
    """Return the pull request of this run; raises UsageError where there is none, or no token."""
    from gatestack.comments.places import NoPullRequestError, place  # noqa: PLC0415 - for --comment alone

    remember(os.environ.get("GITHUB_TOKEN"), os.environ.get("SYSTEM_ACCESSTOKEN"))
    try:
        return place(os.environ)
    except NoPullRequestError as error:
        raise click.UsageError(str(error)) from error


def write_comment(where: Place, name: str, markdown: str) -> None:
    """Write the plan of *name* to the pull request; raises NotCommented."""
    from gatestack.comments.sticky import NotCommentedError, comment  # noqa: PLC0415 - as above

    try:
        comment(where, name, markdown, time.sleep)
    except NotCommentedError as error:
        raise NotCommented(f"the plan was made, and its comment was not: {error}") from error
    click.echo(f"the plan of {name} is a comment of pull request {where.number}", err=True)
