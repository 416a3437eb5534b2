"""
`rollout --image-tag`: another image through CloudFormation, so that stacks stay in sync. Renders
templates.

Only the image changes; other changes in the environment's file wait for `deploy` or `--all-changes`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import click

from deployer import report
from deployer.changes.planfile import PlanFile
from deployer.cloud import Cloud
from deployer.day2.image_alone import running_tag, with_image
from deployer.day2.rollout import Roller, Rollout, Status
from deployer.day2.service import SERVICE_STACK, Service
from deployer.errors import DeployError, Protected
from deployer.options import Host
from deployer.options import Options as RunOptions
from deployer.progress import Result, StackResult, again
from deployer.run.backoff import with_backoff
from gatestack import review, telling
from gatestack.account import connect
from gatestack.changes import executed, run_options
from gatestack.ending.facts import ending
from gatestack.ending.printed import told
from gatestack.environment import Environment, retagged, tagged
from gatestack.options import Options
from gatestack.policy.kept import kept_manifest
from gatestack.progress import shown
from gatestack.rolling import Rolled, as_json, ended, rolled, rollers_for
from gatestack.signals import host
from generator.manifest import Manifest, StackSpec

STACKS = frozenset({"security", "database", SERVICE_STACK})
"""
The security stack says which tag runs (its SSM parameter); the database's defines the migration, which runs
before the service's tasks change.
"""

ANOTHER_TAG = "another"
"""Any tag but the wanted one: the difference between the two shows the tag's places."""


def retag(
    options: Options,
    environment: Environment,
    env: str,
    tag: str,
    minutes: float,
    style: str,
    *,
    all_changes: bool,
    yes: bool,
) -> int:
    """
    Deploy *environment* with the image tag *tag* and follow its new tasks; returns the exit code.

    *all_changes*: with all changes of the environment's file, else with the image alone.

    Raises:
        UsageError: the environment is a rendered folder.
        SettingsRefused: an environment file could not say that tag.
        NotConfirmed: the user did not confirm.
        Protected: the image cannot be changed apart from other changes of the file.
        DeployError: there is no service yet, or AWS refused.

    """
    changed, called = retagged(environment, tag), options.called(env)
    changed.warn()
    if not yes:
        review.check_terminal()
    cloud = connect(environment, options)
    with shown(options) as tell, host(tell) as here:
        rollers_for(environment, called, cloud, options, here, minutes)  # refuses if nothing was deployed
    resume = again("rollout", called, f"--image-tag {tag}", *(["--all-changes"] if all_changes else []))
    chosen = replace(
        run_options(environment, options, STACKS & changed.stack_names.keys(), env), command=resume
    )
    with host(lambda _: None) as here:
        alone = not all_changes
        manifest = (
            _image_alone(environment, changed, called, tag, cloud, here) if alone else kept_manifest(changed)
        )
    try:
        reviewed = None if yes else review.agreed(changed, manifest, cloud, options, chosen)
    except review.NothingToDo:
        click.echo("nothing changes in the stacks", err=True)
        result = None
    else:
        result = _deployed(options, changed, manifest, cloud, chosen, reviewed)
    code = _finished(options, environment, called, cloud, minutes, style, result, resume)
    _warn(environment, env, tag, code)
    return code


def _image_alone(
    environment: Environment, changed: Environment, called: str, tag: str, cloud: Cloud, here: Host
) -> Manifest:
    """
    Return the stacks as deployed, with only the image changed; raises Protected if that is not possible.
    """
    wanted = changed.manifest()
    specs = {spec.name: spec for spec in wanted.stacks if spec.name in STACKS}
    states = with_backoff(here, lambda: cloud.stacks([spec.stack_name for spec in specs.values()]))
    ids = {state.name: state.id for state in states}
    live = {
        name: with_backoff(here, partial(cloud.template, ids[spec.stack_name]))
        for name, spec in specs.items()
        if spec.stack_name in ids
    }
    runs = running_tag(live[SERVICE_STACK]) if SERVICE_STACK in live else None
    another = runs if runs and runs != tag else ANOTHER_TAG
    others = {spec.name: spec for spec in tagged(environment, another).manifest().stacks}
    found: dict[str, StackSpec] = {}
    for name, template in live.items():
        spec = with_image(template, others[name], specs[name], tag)
        if spec is None:
            file = f"the file of {environment.name}"
            what = f"the image of {name} cannot be changed apart from what else {file} changes there"
            raise Protected(
                f"{what}: see `gatestack plan {called}`, and deploy that first: `gatestack deploy {called}`"
            )
        found[name] = spec
    return replace(wanted, stacks=tuple(found.get(spec.name, spec) for spec in wanted.stacks))


def _deployed(
    options: Options,
    environment: Environment,
    manifest: Manifest,
    cloud: Cloud,
    chosen: RunOptions,
    reviewed: PlanFile | None,
) -> Result:
    result = executed(environment, manifest, cloud, options, chosen, reviewed)
    found = ending(result)
    told(found if result.exit_code else replace(found, url="", steps=()))  # its tasks are still to be checked
    return result


def _finished(
    options: Options,
    environment: Environment,
    called: str,
    cloud: Cloud,
    minutes: float,
    style: str,
    result: Result | None,
    resume: str,
) -> int:
    """Report the result of the tasks; if the stacks had that tag already, start new tasks with it."""
    service = next((one for one in result.stacks if one.name == SERVICE_STACK), None) if result else None
    with shown(options) as tell, host(tell) as here:
        rollers, idle = rollers_for(environment, called, cloud, options, here, minutes)
        if result is not None and result.exit_code:
            return _failed(rollers, environment, result, service, style)
        if service is None or service.action == "none":
            rollers[0].say("the stacks have that tag already: new tasks of it are started")
            return ended(rolled(rollers, idle, environment, style), environment, style, resume)
        found = rollers[0].look()
        if found is not None and not found.desired:
            raise DeployError(f"{found.name} runs no tasks: {idle}")
        done = [
            Rolled(each.place.service, Rollout(_newest(each.look()), "COMPLETED", service.seconds))
            for each in rollers
        ]
    return ended(done, environment, style, resume)


def _newest(service: Service | None) -> str:
    """Return the id of the newest deployment of *service*."""
    return service.primary.id if service and service.primary else ""


def _failed(
    rollers: Sequence[Roller],
    environment: Environment,
    result: Result,
    service: StackResult | None,
    style: str,
) -> int:
    """Report that the deployment failed; and the services' own deployments, if ECS can be asked."""
    if style == "json":
        found = [Rolled(each.place.service, _unfinished(each, result, service)) for each in rollers]
        telling.document(as_json(environment.name, found))
    telling.error(report.first_cause(result) or "interrupted")
    return result.exit_code


def _unfinished(roller: Roller, result: Result, service: StackResult | None) -> Rollout:
    status: Status = "FAILED"
    if service is not None and service.status == "UPDATE_ROLLBACK_COMPLETE":
        status = "ROLLED_BACK"
    elif result.exit_code in {5, 130}:
        status = "IN_PROGRESS"
    try:
        found = roller.services.look(roller.place)
    except DeployError:
        found = None
    return Rollout(_newest(found), status, result.seconds)


def _warn(environment: Environment, env: str, tag: str, code: int) -> None:
    assert environment.settings  # noqa: S101 - a folder was refused
    there = environment.settings.service.image_tag
    if code == 0 and there != tag:
        what = f"the file of {env} still says service.image_tag: {there}"
        telling.warning(f"{what}; the next deploy goes back to it, unless {tag} is written there")
