"""The quotas of one account: configured values, responses of Service Quotas and RDS, and refusals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from sandbox.errors import ApiError
from sandbox.provisioning import ProvisionError, Request
from sandbox.rules.quotas.table import BY_WORD, QUOTAS, Quota, named
from sandbox.rules.quotas.use import used, wanted
from sandbox.services.json_api import Json, JsonCall, Operation
from sandbox.services.reach import Reach

_TARGET = "ServiceQuotasV20190624."
_RDS = "http://rds.amazonaws.com/doc/2014-10-31/"
_OF_RDS = {"DBInstances": "db-instances", "AllocatedStorage": "db-storage", "DBClusters": "db-clusters"}
"""RDS's names of its quotas (Amazon RDS API Reference, "AccountQuota")."""


class Quotas:
    """The quotas of one account, the same in every region."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._set: dict[str, float] = {}

    @property
    def operations(self) -> Mapping[str, Operation]:
        """The operations answered in front of moto, by X-Amz-Target."""
        return {
            f"{_TARGET}GetServiceQuota": lambda call: self._get(call, defaults=False),
            f"{_TARGET}GetAWSDefaultServiceQuota": lambda call: self._get(call, defaults=True),
            f"{_TARGET}ListServiceQuotas": self._list,
        }

    def value(self, quota: Quota) -> float:
        """Return a quota's value."""
        return self._set.get(quota.word, quota.default)

    def set(self, name: str, value: float) -> None:
        """Set the quota *name*, a word or a code; raises ValueError."""
        quota = named(name)
        if value < 0:
            raise ValueError(f"{quota.word}: a quota is 0 or more")
        self._set[quota.word] = value
        self._tell_iam()

    def clear(self) -> None:
        """Reset all quotas to AWS's defaults."""
        self._set.clear()
        self._tell_iam()

    def described(self) -> list[dict[str, Any]]:
        """Return every quota, as JSON values."""
        return [
            {"name": one.word, "code": one.code, "default": one.default, "value": self.value(one)}
            for one in QUOTAS
        ]

    def check(self, request: Request, old: Mapping[str, Any] | None = None) -> None:
        """Refuse what exceeds a quota; *old* is the resource before. Raises ProvisionError."""
        for quota, message in self._lacking(request, old):
            if quota.handler_error != "NotStabilized":
                told = f"{message} (Service: {quota.service_name}, Status Code: 400)"
                raise ProvisionError(
                    f'Resource handler returned message: "{told}" (HandlerErrorCode: {quota.handler_error})'
                )

    def unstable(self, request: Request) -> str | None:
        """Return the event of an ECS service whose tasks exceed a quota."""
        found = (
            told for quota, told in self._lacking(request, None) if quota.handler_error == "NotStabilized"
        )
        return next(found, None)

    def _lacking(self, request: Request, old: Mapping[str, Any] | None) -> Iterator[tuple[Quota, str]]:
        for one in wanted(self._reach, request, old):
            quota = BY_WORD[one.word]
            if one.total > (most := self.value(quota)):
                yield quota, quota.message.format(most=f"{most:g}", what=one.what)

    def of_rds(self, region: str) -> bytes:
        """Return RDS's response of DescribeAccountAttributes."""
        root = Element("DescribeAccountAttributesResponse", xmlns=_RDS)
        listed = SubElement(SubElement(root, "DescribeAccountAttributesResult"), "AccountQuotas")
        for name, word in _OF_RDS.items():
            entry = SubElement(listed, "AccountQuota")
            SubElement(entry, "AccountQuotaName").text = name
            SubElement(entry, "Used").text = f"{used(self._reach, word, region) or 0:g}"
            SubElement(entry, "Max").text = f"{self.value(BY_WORD[word]):.0f}"
        SubElement(SubElement(root, "ResponseMetadata"), "RequestId").text = "sandbox"
        written: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
        return written

    def _get(self, call: JsonCall, *, defaults: bool) -> Json:
        code, service = call.body.get("QuotaCode"), call.body.get("ServiceCode")
        for one in QUOTAS:
            if (one.code, one.service) == (code, service):
                return {"Quota": _described(one, one.default if defaults else self.value(one), call.region)}
        raise ApiError(
            "NoSuchResourceException", f"The quota {code} of the service {service} does not exist."
        )

    def _list(self, call: JsonCall) -> Json:
        service = call.body.get("ServiceCode")
        found = [_described(one, self.value(one), call.region) for one in QUOTAS if one.service == service]
        return {"Quotas": found}

    def _tell_iam(self) -> None:
        """Set the same number in IAM's GetAccountSummary, which moto answers."""
        summary = self._reach.backend("iam", "aws").account_summary
        summary._roles_quota = int(self.value(BY_WORD["iam-roles"]))  # noqa: SLF001 - moto has no other name for it


def _described(quota: Quota, value: float, region: str) -> Json:
    """Return a quota in the form of the Service Quotas API Reference ("ServiceQuota")."""
    return {
        "ServiceCode": quota.service,
        "QuotaArn": f"arn:aws:servicequotas:{region}::{quota.service}/{quota.code}",
        "QuotaCode": quota.code,
        "QuotaName": quota.name,
        "Value": value,
        "Unit": "None",
        "Adjustable": True,
        "GlobalQuota": quota.service == "iam",
    }
