"""Makes sure that only what was reviewed is executed: a saved plan, or one confirmed at a terminal."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from deployer import report
from deployer.changes import planfile
from deployer.changes.planfile import PlanFile
from deployer.changes.preview import discard, plan
from deployer.cloud import Cloud
from deployer.errors import DeployError, Protected, Refused
from deployer.facts import texts
from deployer.facts.summary import facts
from deployer.options import Options as RunOptions
from deployer.plan import Plan
from gatestack import telling
from gatestack.environment import Environment, built_folder
from gatestack.options import Options
from gatestack.progress import shown
from gatestack.signals import host, interrupting
from generator.foreign import Foreign
from generator.manifest import Manifest


class NotConfirmed(click.ClickException):
    """The user did not confirm; nothing was changed."""

    exit_code = 4


class NotSaved(click.ClickException):
    """There is no plan file: the plan could not be deployed."""

    exit_code = 1


class NothingToDo(Exception):  # noqa: N818 - named after the outcome
    """The plan that was shown changes nothing."""


def preview(
    manifest: Manifest, cloud: Cloud, options: Options, chosen: RunOptions, *, keep: bool = False
) -> Plan:
    """Return what deploy would do; *keep* leaves its change sets there."""
    with shown(options) as tell, host(tell) as here:
        return plan(manifest, cloud, chosen, here, keep=keep)


def check_place(path: Path) -> None:
    """Refuse a place for a plan file before anything is created; raises BadParameter."""
    if not path.parent.is_dir():
        raise click.BadParameter(f"there is no folder {path.parent}", param_hint="--save")


def save(found: Plan, manifest: Manifest, cloud: Cloud, chosen: RunOptions, path: Path) -> None:
    """
    Write *found*, whose change sets are kept, to *path*.

    Raises:
        NotSaved: it has problems, or the file cannot be written; the change sets are removed again.

    """
    if found.problems:
        _discard(found, cloud)
        raise NotSaved(f"{path} is not written, deploying this plan would fail: {found.problems[0]}")
    try:
        planfile.write(_file(found, manifest, chosen, by=cloud.caller()), path)
    except (OSError, Foreign) as error:
        _discard(found, cloud)
        problem = error.strerror if isinstance(error, OSError) else error
        raise NotSaved(f"{path} cannot be written: {problem}") from error


def read(path: Path, env: str) -> PlanFile:
    """
    Return the plan that was saved to *path*; a built folder *env* has to be the planned one, byte for byte.

    Raises:
        Refused: the file cannot be read.
        Protected: the file, or the folder, is not as it was reviewed.

    """
    reviewed = planfile.read(path)
    if (folder := built_folder(env)) is not None:
        planfile.check_folder(reviewed, folder)
    return reviewed


def check_terminal(hint: str = "") -> None:
    """Refuse if no user can confirm; raises NotConfirmed."""
    if not sys.stdin.isatty():
        raise NotConfirmed(f"stdin is not a terminal: give --yes{hint}")


def agreed(
    environment: Environment, manifest: Manifest, cloud: Cloud, options: Options, chosen: RunOptions
) -> PlanFile | None:
    """
    Show the plan, ask, and return it; None if it cannot be fixed before the deployment.

    Raises:
        NotConfirmed: the answer is no.
        Refused: a name is taken, so a deployment would not begin.
        Protected: it needs a consent that was not given; then there is no prompt.
        NothingToDo: there is nothing to agree to.

    """
    found = preview(manifest, cloud, options, chosen, keep=True)
    try:
        with interrupting():
            from gatestack.costing import with_cost  # noqa: PLC0415 - only where somebody is asked

            found = with_cost(found, manifest, cloud)
            click.echo(report.plan_text(found), err=True)
            _ask(environment, found)
    except BaseException:
        _discard(found, cloud)
        raise
    if found.problems:
        _discard(found, cloud)
        return None
    return _file(found, manifest, chosen)


def _ask(environment: Environment, found: Plan) -> None:
    if not found.changes_anything:
        raise NothingToDo
    if found.refusal:
        raise Refused(found.refusal)
    known = facts(found)
    if found.consents:
        what = "this would lose data" if found.protected else "this is refused without consent"
        raise Protected(f"{what}; nothing was changed; to allow it: {known.consent}")
    click.echo(texts.question(known), err=True)
    if not click.confirm(f"Deploy this to {environment.name}?", err=True):
        raise NotConfirmed("nothing was changed")


def _file(found: Plan, manifest: Manifest, chosen: RunOptions, *, by: str = "") -> PlanFile:
    return planfile.made_from(
        found,
        manifest,
        created=datetime.now(UTC),
        whole=not chosen.only,
        by=by,
        allow_replace=chosen.allow_replace,
        migrate_exports=chosen.migrate_exports,
        revert_drift=chosen.revert_drift,
    )


def _discard(found: Plan, cloud: Cloud) -> None:
    try:
        discard(found, cloud)
    except DeployError as error:
        telling.warning(f"change sets of this plan could not be removed: {error}")
