"""What a preflight reads from AWS: frozen facts and the `Account` protocol. Decides nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class Identity:
    """Who the credentials are (STS, GetCallerIdentity)."""

    account: str
    arn: str
    ends: datetime | None = None
    """When they end, where they say so and nothing renews them."""


@dataclass(frozen=True)
class Metric:
    """Where CloudWatch counts what a quota limits (Service Quotas, "MetricInfo")."""

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    statistic: str = "Maximum"


@dataclass(frozen=True)
class Limit:
    """A quota as the account has it."""

    value: float
    metric: Metric | None = None


@dataclass(frozen=True)
class Request:
    """One action on one resource, as IAM judges it; frozen, so that equal ones are asked once."""

    action: str
    """``ec2:CreateVpc``."""
    resource: str
    """An ARN, or ``*``."""
    why: str = ""
    """The resource type, or the command, that asks for it."""


@dataclass(frozen=True)
class Decision:
    """What IAM has simulated for one request (API Reference, "EvaluationResult")."""

    action: str
    resource: str
    allowed: bool
    explicit: bool = False
    """Whether a policy denies it, in place of none allowing it."""
    organization: bool = True
    """Whether the organization's policies allow it."""
    boundary: bool = True
    """Whether the permissions boundary allows it."""
    missing: tuple[str, ...] = ()
    """Condition keys that policies ask for and the request did not have."""
    policies: tuple[str, ...] = ()
    """Ids of the policies with a statement that matched."""


class Account(Protocol):
    """
    The account and region to check; every call only reads.

    Every method may raise `NotAllowed`, `LostSight`, `Transient`, `NotOffered` or `CloudError`, as those of
    `deployer.cloud.Cloud` do.
    """

    def identity(self) -> Identity:
        """Return who the credentials are."""

    def region_status(self) -> str | None:
        """Return ``opt-in-not-required``, ``opted-in``, ``not-opted-in``; None: there is no such region."""

    def offered(self, services: Collection[str]) -> frozenset[str]:
        """Return which of *services* the region has, by AWS's names of them (``ecs``)."""

    def role_arn(self, name: str) -> str | None:
        """Return the ARN of an IAM role with its path; None where there is none of that name."""

    def simulate(
        self, source: str, requests: Sequence[Request], context: Mapping[str, tuple[str, ...]]
    ) -> tuple[Decision, ...]:
        """Return IAM's decisions on *requests* of the role or user *source*; none is carried out."""

    def limit(self, service: str, code: str) -> Limit | None:
        """Return a quota's value in this account; None where only AWS's default is known."""

    def used(self, what: str, metric: Metric | None) -> float | None:
        """Return how much of *what* (`deployer.preflight.quota_table`) exists; None if it is not counted."""

    def database_limits(self) -> Mapping[str, tuple[float, float]]:
        """Return used and most of RDS's own quotas, by its names (``DBInstances``)."""

    def role_limits(self) -> Mapping[str, tuple[float, float]]:
        """Return used and most of IAM's own quotas, by its names (``Roles``)."""

    def orderable(self, engine: str, version: str, instance_class: str) -> bool | None:
        """Whether the region sells that class for the engine; None where an emulated endpoint cannot tell."""

    def snapshot(self, identifier: str, *, cluster: bool) -> bool | None:
        """Whether a database snapshot is there; None where an emulated endpoint cannot tell."""

    def long_arns(self) -> bool | None:
        """Whether ECS gives services the ARNs that can be tagged; None if unknown."""
