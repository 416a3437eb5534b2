"""A firewall's life on the sandbox: addresses, log and rules that come, change and go."""

from typing import Any

import pytest
import yaml

from sandbox.server import Sandbox
from tests.command import User
from tests.sandbox.sandbox_account import client

FULL: dict[str, Any] = {
    "waf": True,
    "waf_logs": True,
    "waf_rate_key": "authorization",
    "waf_exempt_cidrs": ["192.0.2.0/24"],
    "admin_cidrs": ["192.0.2.0/24"],
}


def deployed(user: User, alb: dict[str, Any], *consent: str) -> None:
    service = {
        "image": "ghcr.io/berriai/litellm-database",
        "providers": ["bedrock"],
        "bedrock_models": ["us.amazon.nova-lite-v1:0"],
    }
    file = {"system": "litellm", "environment": "wall", "region": "us-east-1", "alb": alb, "service": service}
    (user.folder / "environments" / "wall.yaml").write_text(yaml.safe_dump(file, sort_keys=False))
    done = user.run("deploy", "wall", "--yes", *consent)
    assert done.code == 0, done.err


def rules(sandbox: Sandbox) -> list[str]:
    waf = client(sandbox, "wafv2")
    (acl,) = waf.list_web_acls(Scope="REGIONAL")["WebACLs"]
    found = waf.get_web_acl(Scope="REGIONAL", Name=acl["Name"], Id=acl["Id"])["WebACL"]["Rules"]
    return [one["Name"] for one in found]


def sets(sandbox: Sandbox) -> dict[str, list[str]]:
    waf = client(sandbox, "wafv2")
    return {
        one["Name"]: waf.get_ip_set(Scope="REGIONAL", Name=one["Name"], Id=one["Id"])["IPSet"]["Addresses"]
        for one in waf.list_ip_sets(Scope="REGIONAL")["IPSets"]
    }


def logs(sandbox: Sandbox) -> list[str]:
    found = client(sandbox, "wafv2").list_logging_configurations(Scope="REGIONAL")["LoggingConfigurations"]
    return [destination for one in found for destination in one["LogDestinationConfigs"]]


@pytest.mark.deep
def test_a_firewall_is_deployed_changed_and_reduced_to_who_administers(user: User, sandbox: Sandbox) -> None:
    deployed(user, FULL)
    assert rules(sandbox)[:3] == ["RateLimit", "RateLimitWithoutHeader", "Administration"]
    (log,) = logs(sandbox)
    assert log.endswith(":log-group:aws-waf-logs-wall-litellm")
    unchanged = user.run("plan", "wall", "--detailed-exitcode")
    assert unchanged.code == 0, unchanged.out + unchanged.err
    assert user.run("rotate", "wall", "master-key").code == 0
    assert "failed" not in user.run("verify", "wall").out

    deployed(user, {"admin_cidrs": ["198.51.100.0/24"]}, "--allow-replace", "FirewallLogGroup")
    assert rules(sandbox) == ["Administration"]
    assert sets(sandbox) == {"wall-litellm-admin": ["198.51.100.0/24"]}
    assert logs(sandbox) == []

    deployed(user, {})
    assert sets(sandbox) == {}
