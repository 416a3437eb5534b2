"""What availability zones lack but no API reports, as data, each with its source. Read 2026-11-28."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

FARGATE_ONLY_IN: Final[Mapping[str, frozenset[str]]] = {
    "us-west-1": frozenset({"usw1-az1", "usw1-az3"}),
    "ap-northeast-1": frozenset({"apne1-az1", "apne1-az2", "apne1-az4"}),
    "cn-north-1": frozenset({"cnn1-az1", "cnn1-az2"}),
}
"""
Region -> the zones that Fargate is in; in other regions it is in all of them.

Source: Amazon ECS Developer Guide, "Supported Regions for Amazon ECS on AWS Fargate", Linux containers.
"""

NO_ARM_TASKS: Final = frozenset({"use1-az3"})
"""Zones without ARM tasks (Amazon ECS Developer Guide, "Task definitions for 64-bit ARM workloads")."""

NO_NAT: Final = frozenset({"apne1-az3"})
"""Zones that refuse NAT gateways, as users of AWS CDK have reported; AWS has no list of them."""
