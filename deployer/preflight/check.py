"""
Checks in parallel everything that could make AWS refuse a deployment, and reports all problems at once.

Read-only. With the wrong login or region nothing else is checked: every other answer would follow from that.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial

from deployer.checks.check import existing_problems
from deployer.checks.taken import check_keys, conflicts
from deployer.cloud import Cloud
from deployer.day2.health import Question, answers
from deployer.day2.verification import Check, Outcome
from deployer.deploy import chosen
from deployer.errors import DeployError, LostSight, NotAllowed, NotOffered, Refused, Transient
from deployer.graph import graph
from deployer.options import Host
from deployer.preflight import database, login, quotas, region
from deployer.preflight.account import Account
from deployer.preflight.looks import Looks
from deployer.preflight.quota_table import DATABASE, Quota
from deployer.preflight.role_questions import role_questions
from deployer.progress import Event, Notice
from deployer.run.backoff import with_backoff
from deployer.run.change_sets import check_sizes, check_uploads
from deployer.run.parameters import Parameters
from generator.manifest import Manifest

ORDER: tuple[Outcome, ...] = ("refused", "warning", "unknown", "ok", "skipped")
"""What a reader has to see first."""


def preflight(manifest: Manifest, cloud: Cloud, account: Account, host: Host, env: str) -> tuple[Check, ...]:
    """
    Return the checks, refusals first; *env* is how the user names the environment.

    Raises:
        LostSight, CloudError: AWS could not be asked at all.
        Interrupted: a signal came.

    """
    identity = with_backoff(host, account.identity)
    found = [login.account_check(identity, manifest.account, manifest.environment)]
    if found[0].outcome != "refused":
        found += answers([Question("region", partial(_region, manifest.region, account))], host)
    if any(one.outcome == "refused" for one in found):
        return _sorted(found)
    names = [spec.stack_name for spec in manifest.stacks]
    states = with_backoff(host, lambda: cloud.stacks(names))
    looks = Looks(manifest, cloud, account, identity, states, host, env)
    return _sorted([*found, *_merged(answers(list(_questions(looks)), host))])


def _region(name: str, account: Account) -> Sequence[Check]:
    return (region.region_check(name, account.region_status()),)


def _questions(looks: Looks) -> Iterator[Question]:
    """Yield the queries; what several of them share is read before they run in parallel."""
    found = looks.found
    yield Question("session", partial(_session, looks))
    yield Question("templates", partial(_templates, looks))
    yield Question("existing", partial(_existing, looks))
    yield Question("names", partial(_names, looks))
    yield Question("encryption key", partial(_keys, looks))
    yield Question("parameters", partial(_parameters, looks))
    if services := region.services_of(found):
        yield Question("services", partial(_services, looks, services))
    for quota in quotas.needed(found):
        yield Question(f"quota {quota.words}", partial(_quota, looks, quota))
    if any(measure(found) for _, measure in DATABASE.values()):
        yield Question("quota databases", partial(_databases, looks))
    yield Question("quota IAM roles", partial(_roles, looks))
    for snapshot in database.snapshots(found):
        yield Question("snapshot", partial(_snapshot, looks, snapshot))
    if any(one.type == "AWS::ECS::Service" for one in found):
        yield Question("ECS settings", partial(_long_arns, looks))
    yield from role_questions(looks)


def _session(looks: Looks) -> Sequence[Check]:
    seconds = login.expected_seconds(looks.order, looks.found)
    check = login.session_check(looks.identity, seconds, datetime.now(UTC))
    return (check,) if check else ()


def _templates(looks: Looks) -> Sequence[Check]:
    """Check the templates themselves, as `deploy` does, and the exports that they import."""
    manifest = looks.manifest
    try:
        check_sizes(manifest)
        check_uploads(manifest)
        graph(chosen(manifest, ()), looks.cloud.exports())
    except Refused as error:
        what, _, remedy = str(error).rpartition(": ")
        return (Check("templates", "refused", what or remedy, remedy if what else ""),)
    return (Check("templates", "ok", f"{len(manifest.stacks)} stacks"),)


def _existing(looks: Looks) -> Sequence[Check]:
    if looks.manifest.existing is None:
        return ()
    problems, unchecked = existing_problems(looks.manifest, looks.cloud)
    found = []
    for one in problems:
        what, _, remedy = one.text.partition("; ")
        found.append(Check(one.key, "refused" if one.refused else "warning", what, remedy))
    found += [
        Check("existing", "unknown", text, "check it yourself, or allow it to be read") for text in unchecked
    ]
    return found or (Check("existing", "ok", "VPC, certificate and zone are as the file says"),)


def _names(looks: Looks) -> Sequence[Check]:
    taken = conflicts(looks.scope, looks.cloud)
    found: list[Check] = []
    for one in taken:
        what, _, remedy = str(one).rpartition(": ")
        found.append(Check("name", "refused" if one.stops else "ok", what, remedy if one.stops else ""))
    return found or (Check("names", "ok", "none is taken"),)


def _keys(looks: Looks) -> Sequence[Check]:
    try:
        check_keys(looks.scope, looks.cloud)
    except Refused as error:
        what, _, remedy = str(error).removesuffix(" (nothing was changed)").rpartition(": ")
        return (Check("encryption key", "refused", what, remedy),)
    return ()


def _parameters(looks: Looks) -> Sequence[Check]:
    """Look up what `deploy` looks up, image and engine version; then whether the region offers it."""
    told: list[Event] = []
    parameters = Parameters(looks.manifest, looks.cloud, told.append, looks.env)
    states = {state.name: state for state in looks.states}
    found: list[Check] = []
    versions: dict[str, str] = {}
    for spec in looks.manifest.stacks:
        if not spec.lookups:
            continue
        try:
            values = parameters.look_up(spec, states.get(spec.stack_name))
        except (LostSight, NotAllowed, Transient, NotOffered):
            raise
        except DeployError as error:
            what, _, remedy = str(error).partition(": ")
            found.append(Check(f"{spec.name} parameters", "refused", what, remedy))
            continue
        of_engine = (one.parameter for one in spec.lookups if one.rule == "engine-version")
        versions[spec.name] = next((values[parameter] for parameter in of_engine), "")
    for event in told:
        if isinstance(event, Notice):
            what, _, remedy = event.text.partition(": ") if event.warning else (event.text, "", "")
            found.append(
                Check(f"{event.stack} parameters", "warning" if event.warning else "ok", what, remedy)
            )
    found += [_server(looks, one) for one in database.servers(looks.found, versions)]
    return found


def _server(looks: Looks, server: database.Server) -> Check:
    return database.class_check(
        server, looks.account.orderable(server.engine, server.version, server.instance_class)
    )


def _snapshot(looks: Looks, snapshot: database.Snapshot) -> Sequence[Check]:
    there = looks.account.snapshot(snapshot.identifier, cluster=snapshot.cluster)
    return (database.snapshot_check(snapshot, there),)


def _services(looks: Looks, services: Collection[str]) -> Sequence[Check]:
    return (region.services_check(looks.manifest.region, services, looks.account.offered(services)),)


def _quota(looks: Looks, quota: Quota) -> Sequence[Check]:
    limit = looks.account.limit(quota.service, quota.code)
    used = looks.account.used(quota.used, limit.metric if limit else None) if quota.used else None
    return (quotas.room(quota, looks.found, limit, used),)


def _databases(looks: Looks) -> Sequence[Check]:
    return tuple(quotas.database_room(looks.found, looks.account.database_limits()))


def _roles(looks: Looks) -> Sequence[Check]:
    return tuple(quotas.roles_room(looks.found, looks.account.role_limits()))


def _long_arns(looks: Looks) -> Sequence[Check]:
    """Check for long ARNs, which tags need (ECS Developer Guide, "Amazon ECS account settings")."""
    if looks.account.long_arns() is not False:
        return ()
    remedy = "`aws ecs put-account-setting-default --name serviceLongArnFormat --value enabled`"
    return (Check("ECS settings", "refused", "services get short ARNs, which take no tags", remedy),)


def _merged(found: Sequence[Check]) -> tuple[Check, ...]:
    """Merge checks that failed for the same reason; actions of one role are one line."""
    kept: dict[tuple[str, str, str], Check] = {}
    actions = 0
    for one in found:
        if one.outcome == "ok" and one.name.startswith("role "):
            actions += int(one.detail.split()[0])
            kept[("role", "", "")] = Check("role", "ok", f"{actions} actions")
            continue
        once = one.outcome in {"unknown", "skipped"}
        key = (one.outcome, one.detail, one.remedy) if once else (one.name, one.detail, one.remedy)
        kept.setdefault(key, one)
    return tuple(kept.values())


def _sorted(found: Sequence[Check]) -> tuple[Check, ...]:
    return tuple(sorted(found, key=lambda one: ORDER.index(one.outcome)))
