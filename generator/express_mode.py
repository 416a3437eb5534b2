"""The operations of a stack that CloudFormation may end before its resources are ready. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

UNSEEN = frozenset({"AWS::CertificateManager::Certificate", "AWS::CloudFront::Distribution"})
"""
Types that CloudFormation has to wait for, since the deployer cannot check whether they are ready.

A listener takes a certificate only once it is issued (Elastic Load Balancing API Reference, CreateListener,
UnsupportedCertificate), and a distribution takes minutes to reach its edges.
"""
SCHEDULE = "AWS::SecretsManager::RotationSchedule"


def express(template: Mapping[str, Any]) -> Literal["never", "updates", "always"]:
    """
    Return which operations of the stack of *template* may be in express mode.

    A new rotation schedule rotates at once: where CloudFormation does not wait for the database beside it,
    the function cannot log in, and Secrets Manager gives up after a few attempts.
    """
    resources = template.get("Resources", {}).values()
    if any(one["Type"] in UNSEEN for one in resources):
        return "never"
    schedules = (one.get("Properties", {}) for one in resources if one["Type"] == SCHEDULE)
    return "updates" if any(one.get("RotateImmediatelyOnUpdate", True) for one in schedules) else "always"
