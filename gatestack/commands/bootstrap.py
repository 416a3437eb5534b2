"""`bootstrap`: creates what pipelines need in an account. An administrator runs it once per account."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import click

from deployer import report
from deployer.cloud import Cloud
from deployer.errors import Protected
from deployer.options import Options as RunOptions
from deployer.progress import Result, again
from gatestack import review, telling
from gatestack.account import connect, poll_interval
from gatestack.changes import YES, executed
from gatestack.ending.printed import ended
from gatestack.environment import Environment, SettingsRefused, resolve
from gatestack.options import ENV, FORMAT, Options
from gatestack.tracing.told import wanted
from generator.manifest import Manifest
from stacks.checking.tasks.task_policy import boundary_advice
from stacks.sections.pipelines import binds_to_approval
from stacks.settings import Settings

SEPARATORS = {"Deploys": " ", "Trusts": " | "}
"""Outputs of the stack that list its users -> the separator of their entries."""


@click.command()
@ENV
@YES
@click.option(
    "--print-template",
    is_flag=True,
    help="Only print the template, for a review by the account's administrators.",
)
@click.option(
    "--narrow",
    is_flag=True,
    help="Allow it to remove access of environments or pipelines that it serves now.",
)
@FORMAT
@click.pass_obj
def bootstrap(
    options: Options, env: str, style: str, *, yes: bool, print_template: bool, narrow: bool
) -> int:
    """
    Set up CI access for ENV: OIDC trust, deploy and plan roles, and a permissions boundary.

    It deploys the stack gatestack-bootstrap, once per account and region, from `pipelines` of ENV's file.
    """
    environment = resolve(env, options.region)
    settings = _settings(environment)
    for said in boundary_advice(settings):
        telling.warning(said)
    manifest = _manifest(settings)
    (spec,) = manifest.stacks
    _warn_of_own_stacks(environment, spec.template)
    if print_template:
        telling.document(json.dumps(json.loads(spec.template), indent=2))
        return 0
    if not yes:
        review.check_terminal(" (see what it creates with --print-template first)")
    cloud = connect(environment, options, starting=True)
    if not narrow:
        _refuse_to_forget(manifest, cloud)
    command = again("bootstrap", options.called(env), *(["--narrow"] if narrow else []))
    interval = poll_interval(environment, options)
    chosen = RunOptions(poll_interval=interval, show_events=not options.quiet or wanted(), command=command)
    try:
        plan = None if yes else review.agreed(_account(environment), manifest, cloud, options, chosen)
    except review.NothingToDo:
        return 0
    result = executed(environment, manifest, cloud, options, chosen, plan)
    return _told(result, settings, style, Path(env).stem)


def _settings(environment: Environment) -> Settings:
    """Return the settings that trust somebody; raises SettingsRefused."""
    if environment.settings is None:
        message = "a rendered folder holds an environment's stacks: give bootstrap the environment's file"
        raise SettingsRefused(message)
    if not environment.settings.pipelines.configured:
        message = (
            f"{environment.name}: its file lets no pipeline deploy. Add pipelines.azure_devops "
            "(organization, organization_id, project, service_connection) or pipelines.github (repository, "
            "environments): `gatestack docs bootstrap`"
        )
        raise SettingsRefused(message)
    return environment.settings


def _manifest(settings: Settings) -> Manifest:
    from generator.bootstrap import render_bootstrap  # noqa: PLC0415 - a refusal does not wait for troposphere

    return render_bootstrap(settings)


def _warn_of_own_stacks(environment: Environment, template: str) -> None:
    """Warn of resources in a team's own stacks that the deploy role may not create, and how to allow it."""
    if not environment.settings or not environment.settings.added.stacks:
        return
    from deployer.preflight.granting import policy, ungranted  # noqa: PLC0415 - few environments have such stacks
    from stacks.wiring import PIPELINE_ROLE  # noqa: PLC0415

    names = {one.name for one in environment.settings.added.stacks}
    found = ungranted([one for one in environment.manifest().stacks if one.name in names], template)
    for one in found:
        actions = ", ".join(one.actions)
        telling.warning(f"{one.stack}: the deploy role is not given what {one.type} takes: {actions}")
    if found:
        role = PIPELINE_ROLE.format("deploy").replace("${AWS::Region}", environment.region)
        name = f"{environment.prefix}-own-stacks"
        telling.warning(
            "to let it, narrow Resource to what is yours, and then: aws iam put-role-policy "
            f"--role-name {role} --policy-name {name} --policy-document {shlex.quote(policy(found))}"
        )


def _account(environment: Environment) -> Environment:
    """Return the target of this command: not the environment's stacks, but the account's one."""
    return replace(environment, name=f"the account, for pipelines in {environment.region}")


def _refuse_to_forget(manifest: Manifest, cloud: Cloud) -> None:
    """
    Refuse to drop entries of the live stack: they may come from another environment's file.

    Raises:
        Protected: an environment or a pipeline would be left out.

    """
    (spec,) = manifest.stacks
    wanted = {key: output["Value"] for key, output in json.loads(spec.template)["Outputs"].items()}
    live = {output.key: output.value for state in cloud.stacks([spec.stack_name]) for output in state.outputs}
    lost = sorted(_lost(live, wanted))
    unapproved = [one for one in lost if _deploys_unapproved(one)]
    if unapproved:
        raise Protected(
            f"{spec.stack_name} lets these deploy without an approval, which is no longer supported:\n"
            f"{_listed(unapproved)}\nlet them plan (plan_pipelines, plan_branches; "
            "`gatestack docs bootstrap`), then give --narrow to take the role from them"
            f"{_others(lost, unapproved)}"
        )
    if lost:
        raise Protected(
            f"{spec.stack_name} also serves what this file does not name:\n{_listed(lost)}\n"
            "environments that share an account and region say the same under pipelines: add it, or give "
            "--narrow to leave it out"
        )


def _deploys_unapproved(said: str) -> bool:
    """Whether *said*, of the output `Trusts`, is a deploying subject that binds to no approval."""
    role, _, subject = said.partition(" ")
    return role == "deploy" and not binds_to_approval(subject)


def _others(lost: list[str], unapproved: list[str]) -> str:
    others = [one for one in lost if one not in unapproved]
    return f"; it also leaves out what this file does not name:\n{_listed(others)}" if others else ""


def _listed(lost: list[str]) -> str:
    return "\n".join(f"  {one}" for one in lost)


def _lost(live: Mapping[str, str], wanted: Mapping[str, str]) -> Iterator[str]:
    for key, separator in SEPARATORS.items():
        named = set(wanted[key].split(separator))
        yield from (one for one in live.get(key, "").split(separator) if one and one not in named)


def _told(result: Result, settings: Settings, style: str, name: str) -> int:
    """Print the outputs, the last screen, and where the outputs are entered."""
    if style != "json":
        click.echo(report.outputs_text(result.outputs))
    code = ended(result, style)
    if code == 0:
        found = {output.key: output.value for output in result.outputs}
        click.echo("\n".join(_next(settings, found, name)), err=True)
    return code


def _next(settings: Settings, found: Mapping[str, str], name: str) -> Iterator[str]:
    """Yield where to enter which value; *name* is that of the environment's file."""
    role, plan_role = found.get("DeployRoleArn", ""), found.get("PlanRoleArn", "")
    azure, github = settings.pipelines.azure_devops, settings.pipelines.github
    if azure:
        yield f"Azure DevOps, variable group gatestack-{name}: AWS_DEPLOY_ROLE_ARN = {role}"
    if azure and azure.plan_subjects:
        yield f"Azure DevOps, variable group gatestack-{name}: AWS_PLAN_ROLE_ARN = {plan_role}"
    if azure and azure.service_connection:
        yield f"Azure DevOps, service connection {azure.service_connection} (AWS, OIDC): {role}"
    if azure and azure.plan_service_connection:
        yield f"Azure DevOps, service connection {azure.plan_service_connection} (AWS, OIDC): {plan_role}"
    for one in github.environments if github else ():
        yield f"GitHub, environment {one}: AWS_ROLE_ARN = {role}"
    if github and github.plan_subjects:
        yield f"GitHub, repository variable AWS_PLAN_ROLE_ARN = {plan_role}"
