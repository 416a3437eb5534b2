"""Whether the deploying role may do what the templates need, by IAM's policy simulation. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from deployer.checks.names import NAMES
from deployer.day2.verification import Check
from deployer.preflight.account import Decision, Identity, Request
from deployer.preflight.demand import Wanted
from deployer.preflight.handlers import actions_of
from deployer.preflight.permissions import CREATES, LOWER, OWN, PASSED, SERVICE_ROLES, ZONE
from deployer.run.leftovers import tags_of_environment
from generator.manifest import Manifest

ID = "0123456789abcdef0"
SHOWN = 6
"""Actions that one line names."""

Context = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Batch:
    """Requests that are simulated in one call: those of one service, with one context."""

    requests: tuple[Request, ...]
    context: Context = field(hash=False)
    certain: bool = True
    """False: the resources of the actions are unknown, so that a denial may be about others."""


@dataclass(frozen=True)
class Place:
    """Where the requests go."""

    partition: str
    region: str
    account: str

    def arn(self, resource: str) -> str:
        """Return the ARN of *resource*: ``ec2:vpc/vpc-1``."""
        service, _, rest = resource.partition(":")
        if service == "s3":
            return f"arn:{self.partition}:s3:::{rest}"
        if service == "route53":
            return f"arn:{self.partition}:route53:::{rest}"
        everywhere = service == "iam" or rest.startswith("dashboard/")
        return f"arn:{self.partition}:{service}:{'' if everywhere else self.region}:{self.account}:{rest}"


def role_name(identity: Identity, region: str) -> str | None:
    """
    Return the name of the role to be judged; None for a user, whose ARN says all.

    Who plans in a pipeline does not deploy: gatestack's other role does (`stacks.bootstrap`).
    """
    kind, _, rest = identity.arn.rpartition(":")[2].partition("/")
    if kind != "assumed-role":
        return None
    name = rest.split("/")[0]
    return f"gatestack-deploy-{region}" if name == f"gatestack-plan-{region}" else name


def batches(manifest: Manifest, found: Sequence[Wanted], place: Place) -> tuple[Batch, ...]:
    """Return what is to be simulated: one batch for each service, one for each service that gets a role."""
    context = _context(manifest, found, place)
    prefix = f"{manifest.environment}-{manifest.system}"
    by_service: dict[str, dict[tuple[str, str], Request]] = defaultdict(dict)
    for one in [*_own(prefix, place), *(ask for each in found for ask in _creating(each, manifest, place))]:
        by_service[one.action.partition(":")[0]].setdefault((one.action, one.why), one)
    made = [Batch(tuple(asked.values()), context) for _, asked in sorted(by_service.items())]
    made += _unlisted(found, context)
    role = place.arn(f"iam:role/{prefix}-security-Role-ABCDEFGHIJKL")
    for service, type_ in sorted({PASSED[one.type]: one.type for one in found if one.type in PASSED}.items()):
        to = {**context, "iam:PassedToService": (f"{service}.amazonaws.com",)}
        made.append(Batch((Request("iam:PassRole", role, type_),), to))
    return tuple(made)


def linking(services: Sequence[str], manifest: Manifest, place: Place) -> tuple[Batch, ...]:
    """Return what is to be simulated for the service-linked roles of *services* that are still to be made."""
    context = _context(manifest, (), place)
    return tuple(
        Batch(
            (Request("iam:CreateServiceLinkedRole", place.arn(f"iam:{_linked(one)}"), one),),
            {**context, "iam:AWSServiceName": (f"{one}.amazonaws.com",)},
        )
        for one in services
    )


def judged(who: str, batch: Batch, decisions: Sequence[Decision]) -> Iterator[Check]:
    """Check the answers to one batch; denials by the same kind of policy are one line; *who*: the role."""
    why = {(one.action, one.resource): one.why for one in batch.requests}
    service = batch.requests[0].action.partition(":")[0]
    grouped: dict[tuple[str, str], list[Decision]] = defaultdict(list)
    for one in decisions:
        if not one.allowed:
            grouped[_power(one, who)].append(one)
    for (power, remedy), denied in grouped.items():
        types = sorted({why.get((one.action, one.resource), "") for one in denied} - {""})
        what = f"{_some(sorted({one.action for one in denied}))} for {_some(types)}"
        unclear = power.startswith("depends") or not batch.certain
        yield Check(f"role {service}", "warning" if unclear else "refused", f"{what}: {power}", remedy)
    if not grouped:
        actions = len({one.action for one in batch.requests})
        yield Check(f"role {service}", "ok", f"{actions} action{'' if actions == 1 else 's'}")


def _power(one: Decision, who: str) -> tuple[str, str]:
    """Return what denies, and what to do."""
    if not one.organization:
        return (
            "a service control policy of the organization refuses it",
            "no policy of this account helps: ask who administers the organization",
        )
    if one.explicit:
        named = f" ({', '.join(one.policies)})" if one.policies else ""
        return f"a policy denies it{named}", f"remove that statement from {who}, or deploy by another role"
    if not one.boundary:
        return "the permissions boundary leaves it out", f"allow it in the permissions boundary of {who}"
    if one.missing:
        return (
            f"depends on {_some(sorted(one.missing))}, unknown before the deployment",
            f"check the conditions of the policies of {who}",
        )
    return "no policy allows it", f"allow it to {who}; `gatestack docs bootstrap` has what deploying takes"


def _own(prefix: str, place: Place) -> Iterator[Request]:
    for resource, actions in OWN.items():
        for action in actions.split():
            where = resource if resource == "*" else place.arn(resource.format(prefix=prefix))
            yield Request(_full(action, resource), where, "gatestack deploy")


def _unlisted(found: Sequence[Wanted], context: Context) -> Iterator[Batch]:
    """
    Yield the requests for types that gatestack does not create itself: the handlers' actions, on everything.
    """
    by_service: dict[str, dict[str, Request]] = defaultdict(dict)
    for one in found:
        for action in actions_of(one.type, "create") if one.type not in CREATES else ():
            by_service[action.partition(":")[0]].setdefault(action, Request(action, "*", one.type))
    for _, asked in sorted(by_service.items()):
        yield Batch(tuple(asked[action] for action in sorted(asked)), context, certain=False)


def _creating(one: Wanted, manifest: Manifest, place: Place) -> Iterator[Request]:
    zone = manifest.existing.hosted_zone_id if manifest.existing else None
    for resource, actions in CREATES.get(one.type, {}).items():
        if resource == ZONE and zone is None:
            continue
        text = resource.format(
            name=_name(one, resource), prefix=f"{manifest.environment}-{manifest.system}", id=ID, zone=zone
        )
        for action in actions.split():
            yield Request(_full(action, resource), text if resource == "*" else place.arn(text), one.type)


def _name(one: Wanted, resource: str) -> str:
    """Return the template's name of *one*, else one as CloudFormation makes it."""
    kind = NAMES.get(one.type)
    name = one.properties.get(kind.property) if kind else None
    if isinstance(name, str):
        return name.lstrip("/") if one.type == "AWS::SSM::Parameter" else name
    made = f"{one.spec.stack_name}-{one.logical_id}-ABCDEFGHIJKL"
    return made.lower() if resource.startswith(LOWER) else made


def _full(action: str, resource: str) -> str:
    return action if ":" in action else f"{resource.partition(':')[0]}:{action}"


def _linked(service: str) -> str:
    name = next(role for linked, role in SERVICE_ROLES.values() if linked == service)
    return f"role/aws-service-role/{service}.amazonaws.com/{name}"


def _context(manifest: Manifest, found: Sequence[Wanted], place: Place) -> Context:
    """
    Return the context keys of such requests that policies of the account or the organization may use.

    The request's and the resource's tags are both included, so that a policy finds either. A key that no
    policy names changes nothing.
    """
    tags = tags_of_environment(manifest)
    prefix = f"{manifest.environment}-{manifest.system}"
    vpc = manifest.existing.vpc_id if manifest.existing else None
    bounds = {_text(one.properties.get("PermissionsBoundary"), place) for one in found} - {""}
    service = {
        "application-autoscaling:service-namespace": "ecs",
        "cloudformation:ChangeSetName": "gatestack-preflight",
        "ec2:CreateAction": "CreateVpc",
        "ecs:cluster": place.arn(f"ecs:cluster/{prefix}"),
        "elasticloadbalancing:CreateAction": "CreateTargetGroup",
        "lambda:Principal": "secretsmanager.amazonaws.com",
        **({"lambda:VpcIds": vpc} if vpc else {}),
        **({"iam:PermissionsBoundary": min(bounds)} if bounds else {}),
    }
    place_of = {
        "aws:RequestedRegion": place.region,
        "aws:ResourceAccount": place.account,
        "aws:SecureTransport": "true",
    }
    tagged = {f"aws:{way}Tag/{key}": value for way in ("Request", "Resource") for key, value in tags.items()}
    several = {"aws:CalledVia": ("cloudformation.amazonaws.com",), "aws:TagKeys": tuple(sorted(tags))}
    return {**{key: (value,) for key, value in {**service, **place_of, **tagged}.items()}, **several}


def _text(value: object, place: Place) -> str:
    """Return an ARN of a template as text."""
    text = value.get("Fn::Sub", "") if isinstance(value, dict) else value
    known = {"Partition": place.partition, "Region": place.region, "AccountId": place.account}
    for name, is_ in known.items():
        text = text.replace(f"${{AWS::{name}}}", is_) if isinstance(text, str) else ""
    return text if isinstance(text, str) else ""


def _some(names: Sequence[str]) -> str:
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")
