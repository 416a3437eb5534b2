"""The firewall: rate limit, managed rules, who administers, what it logs."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from sandbox.resources.entrance.firewall import capacity
from stacks.alb import build
from stacks.alb.firewall_log import SECRET_HEADERS
from stacks.alb.managed_rules import COUNTED
from stacks.alb.requests import LONGEST_PATTERN, patterns
from stacks.checking.advice import advice
from stacks.environment import EnvironmentFileError, parse_settings
from stacks.systems import application
from tests.places import ROOT
from tests.stacks.alb.waf_requests import Firewall, Request

WAF = {"waf": True}
PRODUCTION: dict[str, Any] = {"tier": "production"}
DOMAIN = {"domain_name": "llm.example.com", "hosted_zone_id": "Z0123456789ABCDEFGHIJ"}
INCLUDED_CAPACITY = 1500
"""What a web ACL's price includes (AWS WAF pricing, November 2026)."""


def template(alb: dict[str, Any], system: str = "litellm", **more: Any) -> dict[str, Any]:
    file = {"system": system, "environment": "dev", "alb": alb} | more
    found: dict[str, Any] = build(parse_settings(json.dumps(file), Path("dev.yaml"))).template.to_dict()
    return found


def firewall(alb: dict[str, Any], system: str = "litellm", **more: Any) -> Firewall:
    return Firewall.of(template(alb, system, **more))


def kinds(found: dict[str, Any], kind: str) -> dict[str, Any]:
    return {title: one for title, one in found["Resources"].items() if one["Type"] == kind}


# Where it stands


def test_the_firewall_stands_in_front_of_the_load_balancer_only_where_asked_for() -> None:
    assert kinds(template({}), "AWS::WAFv2::WebACL") == {}
    found = template(WAF)
    assert found["Resources"]["WebAclAssociation"]["Properties"] == {
        "ResourceArn": {"Ref": "LoadBalancer"},
        "WebACLArn": {"Fn::GetAtt": ["WebAcl", "Arn"]},
    }
    assert found["Resources"]["WebAcl"]["Properties"]["Scope"] == "REGIONAL"


# Rate limit


def test_the_rate_limit_blocks_an_address_that_asks_too_often() -> None:
    rule = firewall(WAF | {"waf_rate_limit": 1500}).rules["RateLimit"]

    assert rule["Action"] == {"Block": {}}
    assert rule["Statement"] == {
        "RateBasedStatement": {"AggregateKeyType": "IP", "EvaluationWindowSec": 300, "Limit": 1500}
    }


def test_a_company_behind_one_address_is_not_blocked() -> None:
    agents, seconds_between_requests = 200, 2
    rule = firewall(DOMAIN, **PRODUCTION).rules["RateLimit"]["Statement"]["RateBasedStatement"]

    assert rule["Limit"] >= agents / seconds_between_requests * rule["EvaluationWindowSec"]
    assert rule["Limit"] > 6_849  # the window in which an agent fleet behind one address was blocked


def test_exempt_addresses_have_no_rate_limit_and_every_other_rule() -> None:
    one = firewall(WAF | {"waf_exempt_cidrs": ["192.0.2.0/24"]})
    office, stranger = Request(address="192.0.2.9"), Request(address="198.51.100.7")

    assert one.counts("RateLimit", office) is None
    assert one.counts("RateLimit", stranger) == "198.51.100.7"
    managed = [rule for name, rule in one.rules.items() if name in COUNTED]
    assert len(managed) == len(COUNTED)
    assert not [rule for rule in managed if "ScopeDownStatement" in str(rule)]


KEYS = {"authorization": "authorization", "forwarded_ip": "x-forwarded-for"}


@pytest.mark.parametrize(("kind", "header"), KEYS.items())
@pytest.mark.parametrize("exempt", [[], ["203.0.113.0/24"]])
def test_every_request_is_counted_once_whatever_the_limit_counts_by(
    kind: str, header: str, exempt: list[str]
) -> None:
    one = firewall(WAF | {"waf_rate_key": kind, "waf_exempt_cidrs": exempt})
    limits = [name for name, rule in one.rules.items() if "RateBasedStatement" in rule["Statement"]]

    for headers in ({}, {header: "192.0.2.1"}, {header: ""}):
        found = [one.counts(name, Request(headers=headers)) for name in limits]
        assert len([by for by in found if by is not None]) <= 1
        if headers.get(header) != "" or kind == "authorization":
            assert [by for by in found if by is not None]


def test_two_keys_behind_one_address_have_a_limit_each_and_one_key_has_one_from_everywhere() -> None:
    one = firewall(WAF | {"waf_rate_key": "authorization"})

    def counted(key: str, address: str = "192.0.2.1") -> str | None:
        return one.counts("RateLimit", Request(address=address, headers={"authorization": key}))

    assert counted("Bearer sk-1") != counted("Bearer sk-2")
    assert counted("Bearer sk-1") == counted("bearer  sk-1", "198.51.100.1")


def test_a_client_without_the_header_does_not_escape_the_limit() -> None:
    for kind in KEYS:
        one = firewall(WAF | {"waf_rate_key": kind})
        assert one.counts("RateLimit", Request()) is None
        assert one.counts("RateLimitWithoutHeader", Request()) == "198.51.100.7"


# Managed rules


@pytest.mark.parametrize("group", sorted(COUNTED))
def test_the_listed_rules_only_count_and_all_others_block(group: str) -> None:
    rule = firewall(WAF).rules[group]
    statement = rule["Statement"]["ManagedRuleGroupStatement"]

    assert rule["OverrideAction"] == {"None": {}}
    assert (statement["VendorName"], statement["Name"]) == ("AWS", group)
    assert statement["RuleActionOverrides"] == [
        {"Name": name, "ActionToUse": {"Count": {}}} for name in COUNTED[group]
    ]


def test_an_oauth_client_with_a_loopback_redirect_is_not_blocked() -> None:
    common = COUNTED["AWSManagedRulesCommonRuleSet"]

    assert {
        "EC2MetaDataSSRF_QUERYARGUMENTS",
        "GenericRFI_QUERYARGUMENTS",
        "SizeRestrictions_QUERYSTRING",
    } <= {*common}
    assert {
        "CrossSiteScripting_QUERYARGUMENTS",
        "GenericLFI_QUERYARGUMENTS",
        "EC2MetaDataSSRF_URIPATH",
    }.isdisjoint(common)


def test_no_prompt_is_blocked_for_what_is_in_it() -> None:
    bodies = {
        "AWSManagedRulesCommonRuleSet": (
            "CrossSiteScripting EC2MetaDataSSRF GenericLFI GenericRFI SizeRestrictions"
        ),
        "AWSManagedRulesKnownBadInputsRuleSet": "JavaDeserializationRCE Log4JRCE ReactJSRCE",
        "AWSManagedRulesSQLiRuleSet": "SQLi SQLiExtendedPatterns",
    }
    for group, names in bodies.items():
        assert {f"{name}_BODY" for name in names.split()} <= {*COUNTED[group]}


def test_firewall_rules_have_priorities_and_metrics_of_their_own() -> None:
    everything = WAF | {"waf_rate_key": "authorization", "admin_cidrs": ["192.0.2.0/24"]}
    rules = [*firewall(everything).rules.values()]

    assert {rule["Name"] for rule in rules} == {
        "Administration",
        "RateLimit",
        "RateLimitWithoutHeader",
        *COUNTED,
    }
    assert len({rule["Priority"] for rule in rules}) == len(rules)
    assert len({rule["VisibilityConfig"]["MetricName"] for rule in rules}) == len(rules)


@pytest.mark.parametrize(
    ("key", "system"), [*product(["ip", "authorization", "forwarded_ip"], ["litellm", "llm-proxy"])]
)
def test_the_capacity_stays_within_what_the_price_includes(key: str, system: str) -> None:
    ranges = ["192.0.2.0/24"]
    most = {"waf_rate_key": key, "waf_exempt_cidrs": ranges, "admin_cidrs": ranges}

    assert capacity([*firewall(WAF | most, system).rules.values()]) <= INCLUDED_CAPACITY


# Administration

ROUTES = json.loads((ROOT / "tests/stacks/systems/litellm_routes.json").read_text("utf-8"))
OFFICE = ["192.0.2.0/24", "10.0.0.0/8"]


def closed(path: str, address: str = "198.51.100.7", system: str = "litellm") -> bool:
    return _ADMIN[system].blocks("Administration", Request(path=path, address=address))


_ADMIN = {system: firewall({"admin_cidrs": OFFICE}, system) for system in ("litellm", "llm-proxy")}


def test_every_route_that_administers_is_closed_to_strangers() -> None:
    assert len(ROUTES["administers"]) > 400
    assert [one for one in ROUTES["administers"] if not closed(one)] == []
    assert [
        one for one in ("/ui", "/ui/", "/ui/login/index.html", "/openapi.json", "/routes") if not closed(one)
    ] == []


def test_no_route_that_serves_is_closed_to_anybody() -> None:
    assert len(ROUTES["serves"]) > 250
    assert [one for one in ROUTES["serves"] if closed(one)] == []
    open_paths = (
        "/.well-known/oauth-protected-resource/mcp/a",
        "/authorize",
        "/keys",
        "/users/mcp",
        "/userinfo",
    )
    assert [one for one in open_paths if closed(one)] == []


def test_what_administers_is_open_to_the_named_addresses() -> None:
    assert [one for one in ROUTES["administers"] if closed(one, "10.9.9.9") or closed(one, "192.0.2.1")] == []


@pytest.mark.parametrize(
    "path", ["/%6bey/generate", "/key%2Fgenerate", "//key/generate", "/v1/../key/generate", "/./key"]
)
def test_another_spelling_of_a_path_is_no_way_around(path: str) -> None:
    assert closed(path)


def test_the_management_api_of_the_llm_proxy_is_closed_and_its_proxy_is_not() -> None:
    assert closed("/manage/tokens/1", system="llm-proxy")
    assert not closed("/v1/chat/completions", system="llm-proxy")
    assert not closed("/health", system="llm-proxy")


def test_admin_ranges_make_a_firewall_of_one_rule_without_waf() -> None:
    assert set(_ADMIN["litellm"].rules) == {"Administration"}


@pytest.mark.parametrize("strategy", ["rolling", "blue_green"])
@pytest.mark.parametrize("alb", [{}, {"internal": True}, DOMAIN])
def test_it_stands_before_every_listener_whatever_they_are(strategy: str, alb: dict[str, Any]) -> None:
    found = template(alb | {"admin_cidrs": OFFICE}, service={"deployment_strategy": strategy})

    (association,) = kinds(found, "AWS::WAFv2::WebACLAssociation").values()
    assert association["Properties"]["ResourceArn"] == {"Ref": "LoadBalancer"}
    listeners = kinds(found, "AWS::ElasticLoadBalancingV2::Listener").values()
    assert {json.dumps(one["Properties"]["LoadBalancerArn"]) for one in listeners} == {
        '{"Ref": "LoadBalancer"}'
    }


@pytest.mark.parametrize("system", ["litellm", "llm-proxy"])
def test_patterns_are_as_long_as_the_firewall_takes_them(system: str) -> None:
    routes = application(system).administration

    assert all(len(one) <= LONGEST_PATTERN for one in patterns(routes.paths))
    assert len(patterns(routes.open_below)) <= 1
    assert patterns([]) == []


def test_production_lists_its_routes_to_nobody_in_any_spelling() -> None:
    found = firewall(DOMAIN, **PRODUCTION)
    refused = ("/routes", "/routes/", "/%72outes", "//routes", "/ui/../routes")
    served = ("/v1/models", "/routes_of_mine", "/v1/routes", "/router", "/health", "/ui/")

    assert [one for one in refused if not found.blocks("RouteList", Request(path=one))] == []
    assert [one for one in served if found.blocks("RouteList", Request(path=one))] == []


@pytest.mark.parametrize(
    ("alb", "system", "more"),
    [
        (WAF, "litellm", {}),
        (DOMAIN | {"admin_cidrs": OFFICE}, "litellm", PRODUCTION),
        (DOMAIN, "llm-proxy", PRODUCTION),
    ],
    ids=["development", "closed with the rest of the administration", "a system without such a list"],
)
def test_no_rule_is_paid_for_where_there_is_nothing_to_close(
    alb: dict[str, Any], system: str, more: dict[str, Any]
) -> None:
    assert "RouteList" not in firewall(alb, system, **more).rules


# What does not go together


def test_a_beginning_before_all_paths_would_leave_the_administration_open() -> None:
    with pytest.raises(EnvironmentFileError, match="SERVER_ROOT_PATH"):
        template({"admin_cidrs": OFFICE}, service={"environment": {"SERVER_ROOT_PATH": "/llm"}})


@pytest.mark.parametrize("key", ["waf_exempt_cidrs", "admin_cidrs"])
@pytest.mark.parametrize(
    "ranges", [["0.0.0.0/0"], ["192.0.2.0/24", "192.0.2.0/24"], ["192.0.2.1/24"], ["::/0"]]
)
def test_a_range_that_the_firewall_does_not_take_is_refused(key: str, ranges: list[str]) -> None:
    with pytest.raises(EnvironmentFileError, match=rf"alb\.{key}"):
        template({key: ranges})


def test_a_system_without_administration_takes_no_ranges_for_it() -> None:
    with pytest.raises(EnvironmentFileError, match=r"alb\.admin_cidrs"):
        template({"admin_cidrs": OFFICE}, "llm-testing")


@pytest.mark.parametrize(
    ("alb", "said"),
    [
        ({"waf_exempt_cidrs": OFFICE}, ["alb.waf_exempt_cidrs"]),
        ({"waf_rate_key": "authorization"}, ["alb.waf_rate_key"]),
        (WAF | {"waf_rate_key": "forwarded_ip"}, ["alb.waf_rate_key"]),
        (WAF | {"waf_rate_key": "forwarded_ip", "allowed_cidrs": OFFICE}, []),
        ({"drop_invalid_headers": False}, ["alb.drop_invalid_headers"]),
    ],
)
def test_what_has_no_effect_or_can_be_got_around_is_warned_of(alb: dict[str, Any], said: list[str]) -> None:
    made = parse_settings(
        json.dumps({"system": "litellm", "environment": "dev", "alb": alb}), Path("dev.yaml")
    )

    assert [one.partition(":")[0] for one in advice(made) if one.startswith("alb.")] == said


def test_headers_with_underscores_reach_the_tasks_where_the_file_says_so() -> None:
    def dropped(alb: dict[str, Any]) -> str:
        found = template(alb)["Resources"]["LoadBalancer"]["Properties"]["LoadBalancerAttributes"]
        (value,) = [one["Value"] for one in found if "drop_invalid" in one["Key"]]
        return str(value)

    assert (dropped({}), dropped({"drop_invalid_headers": False})) == ("true", "false")


def test_every_https_listener_speaks_the_chosen_tls_policy_and_an_old_one_is_refused() -> None:
    chosen = DOMAIN | {"ssl_policy": "ELBSecurityPolicy-TLS13-1-3-PQ-2025-09"}
    found = template(chosen, service={"deployment_strategy": "blue_green"})
    listeners = kinds(found, "AWS::ElasticLoadBalancingV2::Listener").values()

    spoken = [one["Properties"]["SslPolicy"] for one in listeners if "SslPolicy" in one["Properties"]]
    assert spoken == ["ELBSecurityPolicy-TLS13-1-3-PQ-2025-09"] * 2
    with pytest.raises(EnvironmentFileError, match="ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"):
        template(DOMAIN | {"ssl_policy": "ELBSecurityPolicy-2016-08"})


# Log


def test_production_logs_what_it_blocks_and_dev_logs_nothing() -> None:
    assert kinds(template(WAF), "AWS::WAFv2::LoggingConfiguration") == {}
    found = template(DOMAIN, **PRODUCTION)
    group = found["Resources"]["FirewallLogGroup"]["Properties"]
    log = found["Resources"]["FirewallLog"]["Properties"]

    assert group["LogGroupName"].startswith("aws-waf-logs-")
    assert (group["RetentionInDays"], group["KmsKeyId"]) == (
        90,
        {"Fn::ImportValue": "dev-litellm-security-KmsKeyArn"},
    )
    (destination,) = log["LogDestinationConfigs"]
    assert destination["Fn::Sub"].endswith(f":log-group:{group['LogGroupName']}")
    (kept,) = log["LoggingFilter"]["Filters"]
    assert log["LoggingFilter"]["DefaultBehavior"] == "DROP"
    assert kept["Conditions"] == [{"ActionCondition": {"Action": "BLOCK"}}]


def test_no_key_no_cookie_and_no_query_string_is_in_the_log_or_in_the_samples() -> None:
    found = template(DOMAIN, **PRODUCTION)["Resources"]
    redacted = found["FirewallLog"]["Properties"]["RedactedFields"]
    headers = {one["SingleHeader"]["Name"] for one in redacted if "SingleHeader" in one}
    protected = found["WebAcl"]["Properties"]["DataProtectionConfig"]["DataProtections"]

    assert {
        "authorization",
        "x-api-key",
        "api-key",
        "x-goog-api-key",
        "x-litellm-api-key",
        "cookie",
    } <= headers
    assert {"QueryString": {}} in redacted
    assert [one["Field"] for one in protected] == [
        {"FieldType": "SINGLE_HEADER", "FieldKeys": [*SECRET_HEADERS]},
        {"FieldType": "QUERY_STRING"},
    ]
    assert not any(
        one.get("ExcludeRateBasedDetails") or one.get("ExcludeRuleMatchDetails") for one in protected
    )
