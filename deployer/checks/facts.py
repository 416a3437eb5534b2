"""What AWS reports about existing resources (VPC, certificate, hosted zone, database, cache). Frozen data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Asked = Literal[
    "vpc",
    "dns",
    "subnets",
    "routes",
    "endpoints",
    "interfaces",
    "groups",
    "certificate",
    "bundle",
    "zone",
    "records",
    "servers",
    "secrets",
    "names",
]


@dataclass(frozen=True)
class Vpc:
    """A VPC as DescribeVpcs tells it."""

    id: str
    state: str
    cidrs: tuple[str, ...]
    """Its IPv4 ranges, those that are associated."""
    tenancy: str = "default"


@dataclass(frozen=True)
class Dns:
    """The VPC's two attributes about names."""

    support: bool
    hostnames: bool


@dataclass(frozen=True)
class Subnet:
    """A subnet as DescribeSubnets tells it."""

    id: str
    vpc_id: str
    zone: str
    cidr: str
    free: int
    """AvailableIpAddressCount."""
    outpost: bool = False


@dataclass(frozen=True)
class Route:
    """One route to IPv4 addresses."""

    destination: str
    target: str
    """Id of the gateway or interface: ``igw-…``, ``nat-…``, ``local``."""
    active: bool = True
    """Not where the target is gone (a blackhole)."""


@dataclass(frozen=True)
class RouteTable:
    """A route table with the subnets that name it."""

    id: str
    main: bool = False
    """Whether it is that of every subnet which names none."""
    subnets: tuple[str, ...] = ()
    routes: tuple[Route, ...] = ()


@dataclass(frozen=True)
class Endpoint:
    """An endpoint that the VPC has."""

    id: str
    service: str
    """In full: ``com.amazonaws.us-east-1.logs``."""
    kind: str
    """``Interface`` or ``Gateway``."""
    private_dns: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)
    tables: tuple[str, ...] = ()
    """The route tables that a gateway endpoint is in."""


@dataclass(frozen=True)
class Certificate:
    """A certificate as DescribeCertificate tells it."""

    status: str
    names: tuple[str, ...]
    algorithm: str
    """Of its key: ``RSA_2048``."""
    ends: datetime | None = None
    imported: bool = False


@dataclass(frozen=True)
class Bundle:
    """A file with certificates of authorities, as it stands in S3."""

    certificates: int
    """How many it has, in PEM."""
    authorities: tuple[datetime, ...] | None
    """When those of them end that may sign others; None: the file cannot be read as PEM."""
    private_key: bool = False
    """Whether it also has a private key."""


@dataclass(frozen=True)
class Zone:
    """A hosted zone as GetHostedZone tells it."""

    name: str
    """Without the dot at its end."""
    private: bool = False
    vpcs: tuple[str, ...] = ()
    """The VPCs that a private zone answers in."""
    servers: tuple[str, ...] = ()
    """The names of its delegation set; a private zone has none."""


@dataclass(frozen=True)
class Record:
    """A record that is in the zone under the environment's own name."""

    type: str
    value: str
    """What it leads to; empty where it leads to several things."""


@dataclass(frozen=True)
class Inbound:
    """What a security group lets in: one rule for TCP."""

    first: int
    last: int
    """Ports, both included."""
    cidrs: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    """Ids of the groups that it lets in."""


@dataclass(frozen=True)
class Server:
    """A database or a cache of this account, found by its host name."""

    id: str
    """``db payments``, as its service calls it."""
    engine: str
    status: str
    port: int
    vpc_id: str
    groups: tuple[str, ...] = ()
    inbound: tuple[Inbound, ...] = ()
    """What its groups let in, all together."""


@dataclass(frozen=True)
class Secret:
    """A secret as DescribeSecret tells it, and which keys its JSON has."""

    kms_key_arn: str | None
    """None: AWS's own key."""
    keys: tuple[str, ...] | None
    """None: it may not be read here; empty: it is no JSON object."""
    deleted: bool = False


@dataclass(frozen=True)
class Facts:
    """Everything that was asked about; None, or nothing in a list, where there is none."""

    region: str
    vpc: Vpc | None = None
    dns: Dns | None = None
    subnets: tuple[Subnet, ...] = ()
    tables: tuple[RouteTable, ...] = ()
    endpoints: tuple[Endpoint, ...] = ()
    interfaces: Mapping[str, int] = field(default_factory=dict)
    """Subnet -> addresses that the environment itself holds there."""
    groups: Mapping[str, str] = field(default_factory=dict)
    """Security group -> the VPC that it is in, of those that the tasks are to have."""
    own_vpc: str | None = None
    """The VPC that the environment has made."""
    certificate: Certificate | None = None
    bundle: Bundle | None = None
    zone: Zone | None = None
    records: tuple[Record, ...] = ()
    servers: Mapping[str, Server] = field(default_factory=dict)
    """Host name -> what this account has under it."""
    secrets: Mapping[str, Secret] = field(default_factory=dict)
    """ARN -> the secret; without those that do not exist."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Host name -> the VPC's private hosted zone that answers for it and has no such record."""
    unknown: Mapping[Asked, str] = field(default_factory=dict)
    """What could not be asked -> why: nothing is concluded from its absence."""

    def subnet(self, subnet_id: str) -> Subnet | None:
        """Return the subnet of that id."""
        return next((one for one in self.subnets if one.id == subnet_id), None)

    def table(self, subnet_id: str) -> RouteTable | None:
        """Return the route table of a subnet: its own, else the main one."""
        own = (one for one in self.tables if subnet_id in one.subnets)
        return next(own, next((one for one in self.tables if one.main), None))

    def known(self, *asked: Asked) -> bool:
        """Whether all of that was answered."""
        return not any(one in self.unknown for one in asked)


@dataclass(frozen=True)
class Problem:
    """Something that is not as the environment needs it."""

    key: str
    """The settings key that says otherwise, or that helps."""
    text: str
    """What is wrong, and what to do."""
    refused: bool = True
    """Whether it cannot work so; else it is a warning."""

    def __str__(self) -> str:
        return f"{self.key}: {self.text}"


Problems = Iterator[Problem]
