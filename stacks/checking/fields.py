"""Types of values of keys, each with its check and its part of the JSON Schema. Independent of any key."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Network, ip_network
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from stacks.checking import limits, regions, zones

Check = Callable[[Any], Any]


@dataclass(frozen=True)
class Checked:
    """A check behind the type's own: raises ValueError with what is wrong and what to write instead."""

    check: Check
    schema: tuple[tuple[str, Any], ...] = ()

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return handler(schema) | dict(self.schema)


def _no_boolean(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError(f"expected a whole number, found the boolean {str(value).lower()}")  # noqa: TRY004  # pydantic's
    return value


NUMBER = BeforeValidator(_no_boolean)
"""For Literal[0, 1], which takes true for 1."""


def shape(pattern: str, message: str) -> Checked:
    """Text that matches *pattern* as a whole; *message* says what it must be."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(f"{text!r} is not {message}")
        return text

    return Checked(check, (("pattern", f"^(?:{pattern})$"),))


def between(low: int, high: int, unit: str = "") -> Checked:
    """Whole number from *low* to *high*, both included."""

    def check(number: int) -> int:
        if not low <= number <= high:
            raise ValueError(f"{number} is out of range; {low} to {high}{unit and ' '}{unit}")
        return number

    return Checked(check, (("minimum", low), ("maximum", high)))


def one_of(values: tuple[int, ...], message: str) -> Checked:
    """One of the whole numbers that AWS has; *message* says for what."""

    def check(number: int) -> int:
        if number not in values:
            raise ValueError(f"{number} is not {message}: {', '.join(map(str, values))}")
        return number

    return Checked(check, (("enum", list(values)),))


def _capacity(least: int) -> Check:
    """
    Return a check of Aurora's capacity from *least* on (Aurora User Guide, "Aurora Serverless v2 capacity").

    From 0 on only where the version can pause: 15.7, 16.3 and later, so all that can be created.
    """

    def check(units: float) -> float:
        if not (least <= units <= limits.MOST_ACU and (units * 2).is_integer()):
            raise ValueError(f"{units:g} is not a capacity; {least} to {limits.MOST_ACU} in steps of 0.5")
        return units

    return check


def _environment(name: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,15}", name):
        raise ValueError(
            f"{name!r} must be 1 to 16 lower-case letters, digits and hyphens, beginning with a letter"
        )
    if name.endswith("-") or "--" in name:
        raise ValueError(f"{name!r}: RDS and ECR take no hyphen at the end and no two in a row")
    for prefix, what in limits.RESERVED_PREFIXES.items():
        if f"{name}-".startswith(prefix):
            raise ValueError(f"{name!r}: {what} would begin with {prefix}, which AWS keeps; choose another")
    return name


def network_of(text: str) -> IPv4Network:
    """Return *text* as an IPv4 network; raises ValueError with the network address to write instead."""
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f"{text!r} is not an IPv4 range like 10.0.0.0/16") from None
    if not isinstance(network, IPv4Network) or "/" not in text:
        raise ValueError(f"{text!r} is not an IPv4 range like 10.0.0.0/16")
    if str(network) != text:
        raise ValueError(f"{text!r} is not a network address; write {network}")
    return network


def _non_empty(items: tuple[str, ...]) -> tuple[str, ...]:
    if not items:
        raise ValueError("the list is empty; it needs one entry at least")
    return items


def at_most(count: int, what: str) -> Checked:
    """A list of *count* entries at most."""

    def check(items: tuple[str, ...]) -> tuple[str, ...]:
        if len(items) > count:
            raise ValueError(f"the list has {len(items)} {what}; CloudFormation takes {count}")
        return items

    return Checked(check, (("maxItems", count),))


def _cidr(text: str) -> str:
    network_of(text)
    return text


def _vpc_range(text: str) -> str:
    size = network_of(text).prefixlen
    if not limits.LARGEST_NETWORK <= size <= limits.SMALLEST_NETWORK:
        raise ValueError(
            f"{text!r}: a VPC and its subnets are /{limits.LARGEST_NETWORK} to /{limits.SMALLEST_NETWORK}"
        )
    return text


def _image(name: str) -> str:
    tag = re.search(r"[:@][^/]*$", name)
    if tag:
        raise ValueError(f"{name!r}: write the tag or digest as service.image_tag, not behind the image")
    if name != "ecr" and not re.fullmatch(limits.IMAGE_NAME, name):
        raise ValueError(f"{name!r} is neither ecr nor an image like ghcr.io/berriai/litellm-database")
    return name


CIDR_SCHEMA = (("pattern", r"^(\d{1,3}\.){3}\d{1,3}/\d{1,2}$"),)

EnvironmentName = Annotated[str, Checked(_environment, (("pattern", "^[a-z][a-z0-9-]{0,15}$"),))]
Cidr = Annotated[str, Checked(_cidr, CIDR_SCHEMA)]
NetworkCidr = Annotated[str, Checked(_vpc_range, CIDR_SCHEMA)]
Cidrs = Annotated[tuple[Cidr, ...], Field(strict=False)]
SubnetPair = Annotated[tuple[NetworkCidr, NetworkCidr], Field(strict=False)]
AvailabilityZone = Annotated[
    str,
    shape(
        f"{zones.ID}|{zones.NAME}", "an availability zone: its id like use1-az4, or its name like us-east-1a"
    ),
]
ZonePair = Annotated[tuple[AvailabilityZone, AvailabilityZone], Field(strict=False)]
NonEmpty = Checked(_non_empty, (("minItems", 1),))
Region = Annotated[str, Checked(regions.checked, (("enum", sorted(regions.KNOWN)),))]
Account = Annotated[str, shape(r"[0-9]{12}", "an account: exactly twelve digits, in quotes")]
VpcId = Annotated[
    str, shape(r"vpc-([0-9a-f]{8}|[0-9a-f]{17})", "the id of a VPC, vpc- and 8 or 17 hex digits")
]
SubnetId = Annotated[
    str, shape(r"subnet-([0-9a-f]{8}|[0-9a-f]{17})", "the id of a subnet, subnet- and 8 or 17 hex digits")
]
SubnetIds = Annotated[tuple[SubnetId, ...], Field(strict=False)]
CertificateArn = Annotated[
    str,
    shape(
        rf"arn:aws[a-z-]*:acm:{limits.REGION}:[0-9]{{12}}:certificate/[0-9a-f-]{{36}}",
        "the ARN of an ACM certificate, arn:aws:acm:<region>:<account>:certificate/<id>",
    ),
]
DomainName = Annotated[str, shape(limits.DOMAIN, "a domain name like llm.example.com (lower case)")]
HostedZoneId = Annotated[
    str, shape(r"Z[0-9A-Z]{1,31}", "the id of a Route 53 hosted zone, like Z0123456789ABCDEFGHIJ")
]
Email = Annotated[str, shape(limits.EMAIL, "an e-mail address")]
RollbackAlarms = Annotated[
    tuple[
        Annotated[
            str,
            shape(
                rf"arn:aws[a-z-]*:cloudwatch:{limits.REGION}:[0-9]{{12}}:alarm:.{{1,255}}|[^:]{{1,255}}",
                "an alarm's name or ARN, arn:aws:cloudwatch:<region>:<account>:alarm:<name>",
            ),
        ],
        ...,
    ],
    Field(strict=False),
    at_most(limits.ROLLBACK_TRIGGERS, "alarms"),
]
Path = Annotated[str, shape(r"/[!-~]{0,1023}", "a path that begins with /, without spaces")]
ParameterName = Annotated[
    str, shape(r"[a-z][a-z0-9-]{0,62}", "a parameter's name: lower-case letters, digits and hyphens")
]
Parameters = dict[ParameterName, Annotated[str, shape(r"(?s).{1,4096}", "1 to 4096 characters")]]
Endpoint = Annotated[
    str, shape(r"https?://[!-~]{1,2000}|/[!-~]{1,1023}", "a URL, or a path that begins with /")
]
InstanceClass = Annotated[
    str,
    shape(
        r"db\.[a-z][a-z0-9]*\.[a-z0-9]+(-metal)?", "an instance class of RDS for PostgreSQL, like db.t3.small"
    ),
]
CacheNodeType = Annotated[
    str, shape(r"cache\.[a-z][a-z0-9]*\.[a-z0-9]+", "a node type of ElastiCache, like cache.t4g.micro")
]
HostName = Annotated[
    str,
    shape(
        r"(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)+"
        r"|[0-9]{1,3}(\.[0-9]{1,3}){3}",
        "a host name like db.internal.example.com, without scheme, port and path",
    ),
]
SecretArn = Annotated[
    str,
    shape(
        limits.WHOLE_SECRET_ARN,
        "the whole ARN of a secret, arn:aws:secretsmanager:<region>:<account>:secret:<name>-<6 characters>",
    ),
]
KmsKeyArn = Annotated[
    str,
    shape(
        limits.KMS_KEY_ARN,
        "the ARN of a KMS key, arn:aws:kms:<region>:<account>:key/<id>",
    ),
]
SecretKey = Annotated[str, shape(r"[A-Za-z0-9_.-]{1,128}", "a key of a JSON secret, like password")]
DatabaseName = Annotated[
    str, shape(r"[A-Za-z_][A-Za-z0-9_$-]{0,62}", "the name of a PostgreSQL database, 63 characters at most")
]
MinAcu = Annotated[float, Checked(_capacity(0), (("minimum", 0), ("maximum", 256), ("multipleOf", 0.5)))]
MaxAcu = Annotated[float, Checked(_capacity(1), (("minimum", 1), ("maximum", 256), ("multipleOf", 0.5)))]
EngineVersion = Annotated[
    str, shape(r"[0-9]{1,2}(\.[0-9]{1,2})?", 'a PostgreSQL version like "15" or "15.15"')
]
SnapshotId = Annotated[
    str,
    shape(
        r"(arn:aws[a-z-]*:rds:[^\s]{1,200}|(rds:)?[A-Za-z](-?[A-Za-z0-9]){0,254})",
        "a snapshot: letters, digits and single hyphens, beginning with a letter, or its ARN",
    ),
]
ImageName = Annotated[str, Checked(_image, (("maxLength", 255),))]
ImageTag = Annotated[
    str,
    shape(
        r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}|sha256:[0-9a-f]{64}",
        "a tag like v1.108.7 or a digest sha256:<64 hex>",
    ),
]
BedrockModel = Annotated[
    str,
    shape(
        r"[a-z0-9][A-Za-z0-9-]*\.[A-Za-z0-9][A-Za-z0-9.:-]{0,139}", "a Bedrock model or inference-profile id"
    ),
]
BedrockModels = Annotated[
    tuple[BedrockModel, ...], Field(strict=False), at_most(limits.BEDROCK_MODELS, "models")
]
Guid = Annotated[
    str,
    shape(
        r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
        "a GUID in lower case, like 61c028b9-510c-4f84-bfb2-f48d33b6b542",
    ),
]
AzureOrganization = Annotated[
    str,
    shape(
        r"[A-Za-z0-9]([A-Za-z0-9-]{0,48}[A-Za-z0-9])?",
        "an organization's name: letters, digits and hyphens; without https://dev.azure.com/",
    ),
]
AzureName = Annotated[
    str,
    shape(
        r"(?! )[^\x00-\x1f\x7f/:\\~&%;@'\"?<>|#$*}{,+=\[\]]{1,128}(?<! )",
        "a name in Azure DevOps: 1 to 128 characters, without wildcards, slashes, colons and quotes",
    ),
]
Repository = Annotated[
    str,
    shape(
        r"[A-Za-z0-9][A-Za-z0-9-]{0,38}(@\d+)?/[A-Za-z0-9._-]{1,100}(@\d+)?",
        "a repository of GitHub, owner/name or owner@123/name@456",
    ),
]
GitHubName = Annotated[
    str, shape(r"[A-Za-z0-9._/-]{1,255}", "a name of letters, digits and . _ / - (no wildcard)")
]
ProviderArn = Annotated[
    str,
    shape(
        r"arn:aws[a-z-]*:iam::[0-9]{12}:oidc-provider/[!-~]{1,255}",
        "the ARN of an OIDC provider, arn:aws:iam::<account>:oidc-provider/<issuer without https://>",
    ),
]
Deployed = Annotated[
    str,
    shape(
        r"(\*|[a-z][a-z0-9-]{0,15})-(litellm|litellm-benchmark|llm-proxy|llm-testing)",
        "an environment and its system, like dev-litellm, or *-litellm",
    ),
]
Boundary = Annotated[
    str,
    shape(
        r"gatestack|arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/[!-~]{1,512}",
        "gatestack or the ARN of a managed policy",
    ),
]
LogRetention = Annotated[int, one_of(limits.LOG_RETENTION_DAYS, "a retention that CloudWatch Logs has")]
FargateCpu = Annotated[int, one_of(tuple(limits.FARGATE_MEMORY_MB), "a CPU size of Fargate")]
