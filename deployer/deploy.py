"""The two ways into a run, `deploy` and `destroy`: what can be refused is refused here, untouched."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from deployer.cloud import Cloud
from deployer.errors import Protected, Refused
from deployer.existing.check import check_existing
from deployer.existing.taking import looked_around
from deployer.exports.phases import deploy_in_phases
from deployer.graph import Graph, graph
from deployer.kept import kept
from deployer.loop.leftovers import for_removal, scope, tags_of_environment
from deployer.loop.patience import patiently
from deployer.loop.prepare import check_sizes, check_uploads
from deployer.loop.run import Run
from deployer.options import Host, Options
from deployer.progress import Notice, Result, Tell
from deployer.statuses import RESOURCE_GONE
from generator.manifest import Manifest, StackSpec


def deploy(manifest: Manifest, cloud: Cloud, options: Options, host: Host) -> Result:
    """
    Bring the stacks of *manifest* to what it says.

    Raises:
        Refused: it cannot work as it is; nothing was touched.
        CloudError: AWS could not be asked at all; nothing was touched.

    """
    order = patiently(host, lambda: check(manifest, cloud, options.only, host.tell))
    found = patiently(host, lambda: scope(manifest, order, cloud, whole=not options.only))
    whole = patiently(host, lambda: looked_around(found, cloud, host.tell, fresh=options.fresh))
    return deploy_in_phases(whole, cloud, options, host)


def destroy(manifest: Manifest, cloud: Cloud, options: Options, host: Host) -> Result:
    """
    Delete the stacks of *manifest*, and those it no longer has, consumers before producers.

    Raises:
        Protected: a production environment without ``force``.
        Refused: stacks that stay import from those that go; nothing was touched.
        CloudError: AWS could not be asked at all; nothing was touched.

    """
    check_force(manifest, options)
    patiently(host, lambda: _check_account(manifest, cloud))
    specs = chosen(manifest, options.only)
    whole = graph(manifest.stacks)
    going = {spec.name for spec in specs}
    patiently(host, lambda: _check_consumers(manifest, cloud, whole, going))
    ours = replace(manifest, stacks=specs)
    found = patiently(host, lambda: scope(ours, graph(specs), cloud, whole=not options.only))
    return Run(for_removal(found), goal="destroy", cloud=cloud, options=options, host=host).run()


def check_force(manifest: Manifest, options: Options) -> None:
    """
    Refuse to destroy production by accident.

    Raises:
        Protected: a production environment without ``force``.

    """
    if manifest.production and not options.force:
        raise Protected(f"{manifest.environment} is a production environment: destroying it needs --force")


def going(manifest: Manifest, cloud: Cloud, only: Collection[str]) -> tuple[str, ...]:
    """
    Return what `destroy` would take away and what it would keep, a line each; reads, touches nothing.

    Raises:
        Refused: a name in *only* that is no stack.
        CloudError: AWS could not be asked.

    """
    lines = []
    names = {spec.stack_name for spec in chosen(manifest, only)}
    tags = None if only else tags_of_environment(manifest)
    states = [one for one in cloud.stacks(sorted(names), (), tags) if one.status != "DELETE_COMPLETE"]
    for state in sorted(states, key=lambda one: one.name):
        if state.status == "REVIEW_IN_PROGRESS":
            lines.append(f"deletes {state.name}: it holds nothing")
            continue
        resources = [one for one in cloud.resources(state.id) if one.status not in RESOURCE_GONE]
        stays = kept(cloud.template(state.id), resources, state.id)
        count = len(resources) - sum(not one.snapshot for one in stays)
        lines.append(f"deletes {state.name}: {count} resource{'' if count == 1 else 's'}")
        lines += [f"  keeps {one}" for one in stays]
    return tuple(lines)


def check(manifest: Manifest, cloud: Cloud, only: Collection[str], tell: Tell) -> Graph:
    """
    Return the order of the chosen stacks, checked against the account and the region.

    Raises:
        Refused: wrong account, unknown stack, template too big, exports and imports that do not fit, or
            something is not there that the environment takes for granted.

    """
    _check_account(manifest, cloud)
    specs = chosen(manifest, only)
    check_sizes(replace(manifest, stacks=specs))
    check_uploads(replace(manifest, stacks=specs))
    graph(manifest.stacks)
    order = graph(specs, cloud.exports())
    for warning in check_existing(manifest, cloud, only):
        tell(Notice(warning, warning=True))
    return order


def chosen(manifest: Manifest, only: Collection[str]) -> tuple[StackSpec, ...]:
    """
    Return the stacks named in *only*, all of them when it is empty.

    Raises:
        Refused: a name that is no stack of the manifest.

    """
    names = [spec.name for spec in manifest.stacks]
    if unknown := sorted(set(only) - set(names)):
        raise Refused(f"{', '.join(unknown)}: no such stack; there are {', '.join(names)}")
    return tuple(spec for spec in manifest.stacks if not only or spec.name in only)


def _check_account(manifest: Manifest, cloud: Cloud) -> None:
    if manifest.account is None:
        return
    account = cloud.account()
    if account != manifest.account:
        name = manifest.environment
        what = f"the credentials are those of account {account}, {name} is for account {manifest.account}"
        raise Refused(f"{what}: log in to {manifest.account}, or correct the environment's file")


def _check_consumers(manifest: Manifest, cloud: Cloud, whole: Graph, going: Collection[str]) -> None:
    staying = [spec for spec in manifest.stacks if spec.name not in going]
    if not staying:
        return
    there = {state.name for state in cloud.stacks([spec.stack_name for spec in staying])}
    for spec in staying:
        blocked = sorted(whole.needs[spec.name] & set(going))
        if blocked and spec.stack_name in there:
            raise Refused(f"{spec.name} imports from {', '.join(blocked)}: destroy {spec.name} as well")
