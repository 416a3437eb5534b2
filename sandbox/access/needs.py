"""
IAM permissions that CloudFormation's handlers need to create, read, update or delete a resource.

The actions are in the type's provider schema (`handlers.*.permissions`), the resources they apply to in the
Service Authorization Reference. Independent of policies. A referenced resource with neither ARN nor id is
assumed to belong to the same owner: named as the stack is, without the last part of its name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from sandbox.access.handlers import (
    ACTIONS,
    ALSO,
    ARNS,
    KINDS,
    LINKED,
    MAKES,
    PASSED_TO,
    ROLE_PROPERTIES,
    TAGS,
    Kind,
    excused,
)
from sandbox.access.policies import Request, Values
from sandbox.resources.handler import generated_name

VIA_CLOUDFORMATION = {"aws:CalledVia": ["cloudformation.amazonaws.com"]}
"""Of a request in a forward access session (IAM User Guide, "Forward access sessions")."""
_IDS = {
    "ec2:vpc": "vpc-",
    "ec2:subnet": "subnet-",
    "ec2:route-table": "rtb-",
    "ec2:security-group": "sg-",
    "ec2:elastic-ip": "eipalloc-",
    "ec2:internet-gateway": "igw-",
    "ec2:natgateway": "nat-",
}
"""Prefixes of ids, by kind."""


class Surroundings(Protocol):
    """Data on the account of the resource."""

    def tags(self, arn: str) -> Mapping[str, str] | None:
        """Return the effective tags of the resource *arn*; None if it is unknown."""

    def boundary(self, role: str) -> str | None:
        """Return the ARN of the boundary of the role of that name."""


@dataclass(frozen=True)
class Resource:
    """One resource of a stack, for its type's handlers."""

    type: str
    title: str
    stack_name: str
    properties: Mapping[str, Any]
    tags: Mapping[str, str]
    """The requested tags."""
    own_tags: Mapping[str, str] | None
    """Its effective tags; None if it does not exist yet."""
    around: Surroundings
    account: str
    region: str
    partition: str = "aws"
    physical_id: str = ""

    def needs(self, operation: str, schema: Mapping[str, Any]) -> Iterator[Request]:
        """
        Yield the requests of the handler of *operation* (``create``, ``read`` ...) of the type's *schema*.
        """
        for permission in schema.get("handlers", {}).get(operation, {}).get("permissions", ()):
            service, _, name = permission.partition(":")
            action = f"{service.lower()}:{name}"
            if not excused(action):
                yield from self.requests(action, operation)

    @property
    def prefix(self) -> str:
        """The common prefix of the same owner's names."""
        return self.stack_name.rpartition("-")[0]

    def requests(self, action: str, operation: str) -> Iterator[Request]:
        """Yield the requests of *action*."""
        if action == "iam:PassRole":
            yield from self._passed(operation)
        elif action == "iam:CreateServiceLinkedRole":
            yield from self._linked(operation)
        elif action == "iam:AttachRolePolicy":
            yield from self._attached(operation)
        elif self._asks(action):
            for arn in self._resources(action):
                yield Request(action, arn, self._context(action, arn, operation), self._why(operation))

    def _asks(self, action: str) -> bool:
        """Whether the handler uses *action*; types of IAM use those on policies of roles."""
        if self.type == "AWS::WAFv2::LoggingConfiguration":
            return action.startswith(("wafv2:", "logs:"))  # it logs to a log group
        if action == "iam:DetachRolePolicy":
            return self.type == "AWS::IAM::Role"
        return action != "iam:PutRolePolicy" or self.type.startswith("AWS::IAM::")

    def _why(self, operation: str) -> str:
        return f"to {operation} {self.stack_name}'s {self.title}, {self.type}"

    def _resources(self, action: str) -> list[str]:
        """Return the ARNs of the resources of *action*, ``*`` if IAM supports none."""
        row = ACTIONS.get(action)
        if not row:
            return ["*"]
        service = action.partition(":")[0]
        own = KINDS.get(self.type, Kind("")).name
        kinds = [f"{service}:{kind}" for kind in row.get("required", ())]
        optional = [f"{service}:{kind}" for kind in row.get("optional", ())]
        kinds += [kind for kind in optional if kind == own]
        kinds += [kind for kind in ALSO.get(action, ()) if kind not in kinds]
        return [self._arn(kind, own) for kind in kinds or optional[:1]]

    def _arn(self, kind: str, own: str) -> str:
        return self._own_arn(kind) if kind == own else self._other_arn(kind)

    def _own_arn(self, kind: str) -> str:
        shape = self._shape(kind)
        if fitting(shape).fullmatch(self.physical_id):
            return self.physical_id
        name = self._name()
        if kind == "ecs:service":
            shape = shape.replace("${ClusterName}", self._cluster())
        if kind == "kms:alias":
            return shape.replace("alias/${Alias}", name)
        return _filled(shape, name)

    def _other_arn(self, kind: str) -> str:
        """Return the ARN of *kind* in the properties, else one of the same owner."""
        shape = self._shape(kind)
        pattern, beginning = fitting(shape), _IDS.get(kind)
        for text in _texts(self.properties):
            if pattern.fullmatch(text):
                return text
            if beginning and re.fullmatch(rf"{beginning}[0-9A-Za-z]{{8,}}", text):
                return _filled(shape, text)
        name = self._other(kind)
        if kind == "ecs:service":
            shape = shape.replace("${ClusterName}", self.prefix)
        return shape.replace("alias/${Alias}", name) if kind == "kms:alias" else _filled(shape, name)

    def _shape(self, kind: str) -> str:
        text = ARNS[kind]
        for place, value in (
            ("Partition", self.partition),
            ("Region", self.region),
            ("Account", self.account),
            ("Scope", "regional"),
        ):
            text = text.replace(f"${{{place}}}", value)
        return text

    def _cluster(self) -> str:
        named = self.properties.get("Cluster")
        return named.rpartition("/")[2] if isinstance(named, str) else self.prefix

    def _name(self) -> str:
        kind = KINDS[self.type]
        name = self.properties.get(kind.property) if kind.property else None
        if isinstance(name, str):
            return name.removeprefix("/") if kind.name == "ssm:parameter" else name
        return self.physical_id or self._generated(kind.name)

    def _generated(self, kind: str) -> str:
        if kind.startswith(("ec2:", "kms:", "acm:", "application-autoscaling:")):
            return "0123456789abcdef0"
        if kind == "elasticloadbalancing:targetgroup":
            return f"{self.stack_name[:6]}-Targe-ABCDEFGHIJKL"
        if kind.startswith("elasticloadbalancing:"):
            return self.prefix
        limit = {"iam:role": 64, "s3:bucket": 63}.get(kind, 255)
        name = generated_name(self.stack_name, self.title, limit)
        return name if kind in {"iam:role", "logs:log-group"} else name.lower()

    def _other(self, kind: str) -> str:
        """Return the name of another resource of the action: of the same environment."""
        zone = self.properties.get("HostedZoneId")
        if kind == "route53:hostedzone" and isinstance(zone, str):
            return zone
        roles = self.properties.get("Roles")
        if kind == "iam:role" and isinstance(roles, list) and all(isinstance(one, str) for one in roles):
            return str(roles[0])
        if kind.startswith(("ec2:", "kms:key", "acm:", "application-autoscaling:")):
            return "0123456789abcdef0"
        return {
            "rds:og": "default:postgres-16",
            "kms:alias": f"alias/{self.prefix}",
            "ecs:cluster": self.prefix,
            "ecs:service-deployment": self.prefix,
            "ecs:capacity-provider": "FARGATE",
            "ecr:repository": self.prefix,
            "elasticloadbalancing:loadbalancer/app/": self.prefix,
            "elasticloadbalancing:listener/app": self.prefix,
            "elasticloadbalancing:targetgroup": "dev-li-Targe-ABCDEFGHIJKL",
            "wafv2:loadbalancer/app/": self.prefix,
            "wafv2:ipset": f"{self.prefix}-admin",
            "wafv2:webacl": self.prefix,
            "wafv2:managedruleset": "AWSManagedRulesCommonRuleSet",
            "secretsmanager:Secret": f"{self.prefix}/database",
            "logs:log-group": f"/ecs/{self.prefix}-proxy",
            "logs:log-stream": f"/ecs/{self.prefix}-proxy",
            "cloudwatch:alarm": f"TargetTracking-service/{self.prefix}/{self.prefix}-proxy-AlarmHigh-x",
            "route53:hostedzone": "Z0123456789ABCDEFGHIJ",
            "route53:change": "C1",
        }.get(kind, f"{self.stack_name}-other-abcdefghijkl")

    def _context(self, action: str, arn: str, operation: str) -> dict[str, Values]:
        """Return the condition keys of the request: requested tags, and existing ones."""
        own_kind = KINDS.get(self.type, Kind("")).name
        own = bool(own_kind) and arn == self._own_arn(own_kind)
        new = own and operation == "create" and action in MAKES | TAGS
        context: dict[str, Values] = {**VIA_CLOUDFORMATION, "aws:ResourceAccount": self.account}
        if action in MAKES | TAGS:
            context |= {f"aws:RequestTag/{key}": value for key, value in self.tags.items()}
            context["aws:TagKeys"] = list(self.tags)
        if not new and action not in {"kms:CreateKey", "acm:RequestCertificate"}:
            there = (self.own_tags or {}) if own else self._others_tags(arn)
            context |= {f"aws:ResourceTag/{key}": value for key, value in there.items()}
        if new and action in {"ec2:CreateTags", "elasticloadbalancing:AddTags"}:
            service = action.partition(":")[0]
            context[f"{service}:CreateAction"] = self._maker()
        context |= self._asked(action)
        if action.startswith("application-autoscaling:"):
            context["application-autoscaling:service-namespace"] = "ecs"
        if action.startswith("iam:"):
            context |= self._bounded(arn)
        return context

    def _others_tags(self, arn: str) -> Mapping[str, str]:
        """Return the tags of the resource *arn*: the same owner's, if it is unknown."""
        known = self.around.tags(arn)
        return self.tags if known is None else known

    def _bounded(self, arn: str) -> dict[str, Values]:
        asked = self.properties.get("PermissionsBoundary")
        there = self.around.boundary(arn.rpartition("/")[2])
        boundary = there or (asked if isinstance(asked, str) else None)
        return {"iam:PermissionsBoundary": boundary} if boundary else {}

    def _asked(self, action: str) -> dict[str, Values]:
        """Return the request's parameters that conditions can check."""
        if action == "lambda:AddPermission":
            return {"lambda:Principal": self.properties.get("Principal", "secretsmanager.amazonaws.com")}
        if action == "cloudwatch:PutMetricAlarm" and self.type == "AWS::CloudWatch::Alarm":
            own = f"arn:{self.partition}:sns:{self.region}:{self.account}:{self.prefix}-alarms"
            topics = self.properties.get("AlarmActions", [])
            return {"cloudwatch:AlarmActions": [one if isinstance(one, str) else own for one in topics]}
        return {}

    def _maker(self) -> str:
        made_by = {
            "EIP": "AllocateAddress",
            "FlowLog": "CreateFlowLogs",
            "VPC": "CreateVpc",
            "VPCEndpoint": "CreateVpcEndpoint",
        }
        name = self.type.rpartition("::")[2]
        return made_by.get(name, f"Create{name}")

    def _passed(self, operation: str) -> Iterator[Request]:
        if self.type not in PASSED_TO:
            return
        to = f"{PASSED_TO[self.type]}.amazonaws.com"
        context: dict[str, Values] = {"iam:PassedToService": to, **VIA_CLOUDFORMATION}
        for role in _roles(self.properties):
            guessed = (
                f"arn:{self.partition}:iam::{self.account}:role/{self.prefix}-security-Role-ABCDEFGHIJKL"
            )
            arn = role if isinstance(role, str) else guessed
            yield Request("iam:PassRole", arn, context, self._why(operation))

    def _linked(self, operation: str) -> Iterator[Request]:
        if self.type not in LINKED:
            return
        service = f"{LINKED[self.type]}.amazonaws.com"
        arn = f"arn:aws:iam::{self.account}:role/aws-service-role/{service}/AWSServiceRoleForIt"
        yield Request(
            "iam:CreateServiceLinkedRole", arn, {"iam:AWSServiceName": service}, self._why(operation)
        )

    def _attached(self, operation: str) -> Iterator[Request]:
        for policy in self.properties.get("ManagedPolicyArns", ()):
            text = policy if isinstance(policy, str) else policy["Fn::Sub"]
            managed = f"arn:{self.partition}:iam::aws:policy/{text.rpartition('/')[2]}"
            arn = self._arn("iam:role", "iam:role")
            context = {**self._bounded(arn), "iam:PolicyARN": managed}
            yield Request("iam:AttachRolePolicy", arn, context, self._why(operation))


def fitting(shape: str) -> re.Pattern[str]:
    """Return a pattern for ARNs of *shape*: anything in each of its places."""
    return re.compile(".+".join(re.escape(part) for part in re.split(r"\$\{[A-Za-z]*\}", shape)))


def _filled(shape: str, name: str) -> str:
    """Return *shape* with *name* in its first place, and an id in each that follows."""
    place = re.compile(r"\$\{[A-Za-z]*\}")
    return place.sub("0123456789abcdef", place.sub(lambda _: name, shape, count=1))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for one in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(one)


def _roles(value: Any) -> Iterator[Any]:
    """Yield what the properties that name a role have."""
    if isinstance(value, Mapping):
        for key, one in value.items():
            if ROLE_PROPERTIES.search(key):
                yield one
            else:
                yield from _roles(one)
    elif isinstance(value, list):
        for one in value:
            yield from _roles(one)
