"""Implements `deployer.preflight.account.Account` on AWS, for one login. Read-only."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any

from deployer.aws import usage
from deployer.aws.endpoint import ask, emulated, partition_of
from deployer.aws.paging import pages
from deployer.aws.sign_in.login import Login
from deployer.aws.simulation import simulated
from deployer.errors import CloudError
from deployer.preflight.account import Decision, Identity, Limit, Metric, Request

HOMES: Mapping[str, str] = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}
"""A region of each partition that all its accounts have; queried about regions that must be enabled."""
PUBLIC = "/aws/service/global-infrastructure/regions/{region}/services/{service}"
"""Systems Manager's public parameters (User Guide, "Discovering public parameters")."""
NAMES_AT_ONCE = 10
"""Names in one GetParameters."""


class OnAws:
    """An account on AWS, or on anything that speaks its protocol."""

    def __init__(self, login: Login) -> None:
        self._login = login
        self._clients = login.client
        self._region = login.region

    def identity(self) -> Identity:
        """Return who the credentials are, called in a region that every account of the partition has."""
        found = ask(self._at_home("sts"), "get_caller_identity")
        return Identity(str(found["Account"]), str(found["Arn"]), self._login.ends())

    def region_status(self) -> str | None:
        """Return the region's status from EC2, called in another region, as this one may be disabled."""
        question = {"AllRegions": True, "RegionNames": [self._region]}
        try:
            found = ask(self._at_home("ec2"), "describe_regions", **question)["Regions"]
        except CloudError as error:
            if error.code == "InvalidParameterValue":
                return None
            raise
        return str(found[0].get("OptInStatus", "opt-in-not-required")) if found else None

    def _at_home(self, service: str) -> Any:
        home = HOMES.get(partition_of(self._region), self._region)
        client = self._clients(service)
        return client if emulated(client) else self._login.elsewhere(home)(service)

    def offered(self, services: Collection[str]) -> frozenset[str]:
        """Return which services have a public parameter for the region."""
        names = {PUBLIC.format(region=self._region, service=one): one for one in sorted(services)}
        asked, found = list(names), set()
        for start in range(0, len(asked), NAMES_AT_ONCE):
            answer = ask(self._clients("ssm"), "get_parameters", Names=asked[start : start + NAMES_AT_ONCE])
            found |= {names[one["Name"]] for one in answer["Parameters"]}
        return frozenset(found)

    def role_arn(self, name: str) -> str | None:
        """Return a role's ARN."""
        try:
            return str(ask(self._clients("iam"), "get_role", RoleName=name)["Role"]["Arn"])
        except CloudError as error:
            if error.code in {"NoSuchEntity", "NoSuchEntityException"}:
                return None
            raise

    def simulate(
        self, source: str, requests: Sequence[Request], context: Mapping[str, tuple[str, ...]]
    ) -> tuple[Decision, ...]:
        """Return IAM's decisions."""
        return simulated(self._clients("iam"), source, requests, context)

    def limit(self, service: str, code: str) -> Limit | None:
        """Return a quota's value."""
        return usage.limit(self._clients, service, code)

    def used(self, what: str, metric: Metric | None) -> float | None:
        """Return the current usage."""
        return usage.used(self._clients, what, metric)

    def database_limits(self) -> Mapping[str, tuple[float, float]]:
        """Return RDS's own quotas."""
        found = ask(self._clients("rds"), "describe_account_attributes")["AccountQuotas"]
        return {one["AccountQuotaName"]: (float(one["Used"]), float(one["Max"])) for one in found}

    def role_limits(self) -> Mapping[str, tuple[float, float]]:
        """Return IAM's own quotas; the summary has each next to its usage."""
        summary = ask(self._clients("iam"), "get_account_summary")["SummaryMap"]
        return {
            name: (float(summary[name]), float(summary[f"{name}Quota"]))
            for name in summary
            if f"{name}Quota" in summary
        }

    def orderable(self, engine: str, version: str, instance_class: str) -> bool | None:
        """Whether the region sells that class for the engine."""
        client = self._clients("rds")
        if emulated(client):
            return None
        which = {"Engine": engine, "DBInstanceClass": instance_class}
        question = partial(
            ask,
            client,
            "describe_orderable_db_instance_options",
            **which,
            **({"EngineVersion": version} if version else {}),
        )
        found = pages(question, "rds describe_orderable_db_instance_options", "Marker")
        return any(page["OrderableDBInstanceOptions"] for page in found)

    def snapshot(self, identifier: str, *, cluster: bool) -> bool | None:
        """Whether a snapshot exists and can be restored."""
        kind = "DBClusterSnapshot" if cluster else "DBSnapshot"
        method = "describe_db_cluster_snapshots" if cluster else "describe_db_snapshots"
        which = {f"{kind}Identifier": identifier}
        shared = {"IncludeShared": True} if identifier.startswith("arn:") else {}
        try:
            found = ask(self._clients("rds"), method, **which, **shared)[f"{kind}s"]
        except CloudError as error:
            if error.code in {f"{kind}NotFound", f"{kind}NotFoundFault"}:
                return False
            raise
        return any(one.get("Status") == "available" for one in found)

    def long_arns(self) -> bool | None:
        """Whether ECS gives services long ARNs."""
        name = "serviceLongArnFormat"
        found = ask(self._clients("ecs"), "list_account_settings", name=name, effectiveSettings=True)
        values = [one["value"] for one in found["settings"] if one["name"] == name]
        return values[0] != "disabled" if values else None
