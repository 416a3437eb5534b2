"""The entry points of a run, `deploy` and `destroy`: they refuse what they can before anything changes."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, replace

from deployer.changes.phases import deploy_in_phases
from deployer.checks.check import check_existing
from deployer.checks.taking import looked_around
from deployer.cloud import Cloud
from deployer.errors import CloudError, Protected, Refused
from deployer.graph import Graph, graph
from deployer.kept import Kept, kept
from deployer.options import Host, Options
from deployer.progress import Notice, Result, Tell
from deployer.run.backoff import with_backoff
from deployer.run.change_sets import check_sizes, check_uploads
from deployer.run.leftovers import for_removal, scope, tags_of_environment
from deployer.run.loop import Run
from deployer.states import StackState
from deployer.statuses import RESOURCE_GONE
from generator.manifest import Manifest, StackSpec


def deploy(manifest: Manifest, cloud: Cloud, options: Options, host: Host) -> Result:
    """
    Create or update the stacks of *manifest*.

    Raises:
        Refused: it cannot work as it is; nothing was changed.
        CloudError: AWS could not be asked at all; nothing was changed.

    """
    order = with_backoff(host, lambda: check(manifest, cloud, options.only, host.tell))
    found = with_backoff(host, lambda: scope(manifest, order, cloud, whole=not options.only))
    whole = with_backoff(host, lambda: looked_around(found, cloud, host.tell, fresh=options.fresh))
    return deploy_in_phases(whole, cloud, options, host)


def destroy(manifest: Manifest, cloud: Cloud, options: Options, host: Host) -> Result:
    """
    Delete the stacks of *manifest*, and those it no longer has, consumers before producers.

    Raises:
        Protected: a production environment, or a stack with termination protection, without ``force``.
        Refused: stacks that stay import from those that go; nothing was changed.
        CloudError: AWS could not be asked at all; nothing was changed.

    """
    check_force(manifest, options)
    with_backoff(host, lambda: _check_account(manifest, cloud))
    specs = chosen(manifest, options.only)
    with_backoff(host, lambda: _check_consumers(manifest, cloud, specs))
    ours = replace(manifest, stacks=specs)
    found = with_backoff(host, lambda: scope(ours, graph(specs), cloud, whole=not options.only))
    _check_protection(found.states or (), options)
    return Run(for_removal(found), goal="destroy", cloud=cloud, options=options, host=host).run()


def check_force(manifest: Manifest, options: Options) -> None:
    """
    Refuse to destroy production by accident.

    Raises:
        Protected: a production environment without ``force``.

    """
    if manifest.production and not options.force:
        raise Protected(f"{manifest.environment} is a production environment: destroying it needs --force")


@dataclass(frozen=True)
class Going:
    """A stack that `destroy` deletes."""

    stack_name: str
    resources: int
    """How many go."""
    kept: tuple[Kept, ...] = ()
    """What stays after it; a final snapshot with the GiB of its database, where AWS tells them."""


def check_removal(manifest: Manifest, cloud: Cloud, options: Options, tell: Callable[[Going], None]) -> None:
    """
    Report what `destroy` would delete and what it would keep, by stack; then refuse what it refuses.

    Read-only, and before the prompt: no consent is asked for that is not enough.

    Raises:
        Protected: a production environment, or a stack with termination protection, without ``force``.
        Refused: another account, stacks that stay import from those that go, or no such stack.
        CloudError: AWS could not be asked.

    """
    _check_account(manifest, cloud)
    specs = chosen(manifest, options.only)
    tags = None if options.only else tags_of_environment(manifest)
    states = cloud.stacks(sorted(spec.stack_name for spec in specs), (), tags)
    for state in sorted(states, key=lambda one: one.name):
        if state.status != "DELETE_COMPLETE":
            tell(_going(state, cloud))
    check_force(manifest, options)
    _check_consumers(manifest, cloud, specs)
    _check_protection(states, options)


def _going(state: StackState, cloud: Cloud) -> Going:
    if state.status == "REVIEW_IN_PROGRESS":
        return Going(state.name, 0)
    resources = [one for one in cloud.resources(state.id) if one.status not in RESOURCE_GONE]
    stays = kept(cloud.template(state.id), resources, state.id)
    count = len(resources) - sum(not one.snapshot for one in stays)
    return Going(state.name, count, tuple(_measured(one, cloud) for one in stays))


def _measured(one: Kept, cloud: Cloud) -> Kept:
    """Return *one* with the size of the database that its snapshot is taken of, if known."""
    if not one.snapshot or one.type != "AWS::RDS::DBInstance":
        return one
    with suppress(CloudError):
        return replace(one, gib=cloud.database_storage(one.physical_id) or 0)
    return one


def _check_protection(states: Collection[StackState], options: Options) -> None:
    names = sorted(one.name for one in states if one.protected and one.status != "DELETE_COMPLETE")
    if names and not options.force:
        what = f"termination protection of {', '.join(names)}"
        raise Protected(f"{what}: `destroy --force` switches it off")


def check(manifest: Manifest, cloud: Cloud, only: Collection[str], tell: Tell) -> Graph:
    """
    Return the order of the chosen stacks, checked against the account and the region.

    Raises:
        Refused: wrong account, unknown stack, template too big, exports and imports that do not fit, or
            something is missing that the environment depends on.

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


def _check_consumers(manifest: Manifest, cloud: Cloud, specs: Collection[StackSpec]) -> None:
    whole, going = graph(manifest.stacks), {spec.name for spec in specs}
    staying = [spec for spec in manifest.stacks if spec.name not in going]
    if not staying:
        return
    there = {state.name for state in cloud.stacks([spec.stack_name for spec in staying])}
    for spec in staying:
        blocked = sorted(whole.needs[spec.name] & going)
        if blocked and spec.stack_name in there:
            raise Refused(f"{spec.name} imports from {', '.join(blocked)}: destroy {spec.name} as well")
