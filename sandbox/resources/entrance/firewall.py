"""AWS WAF: web ACLs with their capacity, IP sets, logging, and associations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.provisioning import Provisioned, ProvisionError
from sandbox.resources.handler import Call, Handler, unchanged

MOST_CAPACITY = 5000
"""Web ACL capacity units of one ACL (AWS WAF Developer Guide, "AWS WAF quotas", November 2026)."""

_STATEMENTS: Mapping[str, int] = {
    "AsnMatchStatement": 1,
    "ByteMatchStatement": 10,
    "GeoMatchStatement": 1,
    "IPSetReferenceStatement": 1,
    "LabelMatchStatement": 1,
    "RateBasedStatement": 2,
    "RegexMatchStatement": 3,
    "RegexPatternSetReferenceStatement": 25,
    "SizeConstraintStatement": 1,
    "SqliMatchStatement": 30,
    "XssMatchStatement": 40,
}
"""The most that a statement costs, without its content ("Using rule statements in AWS WAF", 2026-11)."""
_GROUPS: Mapping[str, int] = {
    "AWSManagedRulesAdminProtectionRuleSet": 100,
    "AWSManagedRulesAmazonIpReputationList": 25,
    "AWSManagedRulesAnonymousIpList": 50,
    "AWSManagedRulesCommonRuleSet": 700,
    "AWSManagedRulesKnownBadInputsRuleSet": 200,
    "AWSManagedRulesLinuxRuleSet": 200,
    "AWSManagedRulesSQLiRuleSet": 200,
    "AWSManagedRulesUnixRuleSet": 100,
}
"""The managed groups ("AWS Managed Rules rule groups list", November 2026)."""
_TRANSFORMATION, _CUSTOM_KEY = 10, 30
_LOG_GROUPS = "aws-waf-logs-"


def capacity(rules: Any) -> int:
    """Return the capacity units of *rules*, at most: AWS may charge a transformation once for several."""
    return sum(_cost(name, value) for name, value in _parts(rules))


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for name, one in value.items():
            yield name, one
            yield from _parts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _parts(one)


def _cost(name: str, value: Any) -> int:
    if name == "ManagedRuleGroupStatement":
        return _GROUPS.get(str(value["Name"]), 0)
    if name == "CustomKeys":
        return _CUSTOM_KEY * len(value)
    if name == "TextTransformations":
        return _TRANSFORMATION * len([one for one in value if one["Type"] != "NONE"])
    return _STATEMENTS.get(name, 0)


def _create_acl(call: Call) -> Provisioned:
    _try_rules(call)
    name = call.name("Name", 128)
    made = call.apply("wafv2", "create_web_acl", Name=name, Tags=call.tags or None)["Summary"]
    return Provisioned(_identifier(call, name, made), _acl_attributes(call, name, made))


def _identifier(call: Call, name: str, made: Mapping[str, Any]) -> str:
    return f"{name}|{made['Id']}|{call.properties['Scope']}"


def _acl_attributes(call: Call, name: str, acl: Mapping[str, Any]) -> dict[str, Any]:
    label = f"awswaf:{call.request.account}:webacl:{name}:"
    units = capacity(call.properties.get("Rules", []))
    return {"Arn": acl["ARN"], "Id": acl["Id"], "Capacity": units, "LabelNamespace": label}


def _try_rules(call: Call) -> None:
    """Refuse rules that exceed the capacity, and missing sets of addresses."""
    rules = call.properties.get("Rules", [])
    if capacity(rules) > MOST_CAPACITY:
        raise _refused(f"WAFLimitsExceededException: {capacity(rules)} WCU exceed {MOST_CAPACITY}")
    known = {one.arn for one in call.services.backend("wafv2", call.request.region).ip_sets.values()}
    for name, value in _parts(rules):
        if name == "IPSetReferenceStatement" and value["Arn"] not in known:
            raise call.not_found("IP set", value["Arn"])


def _refused(message: str) -> ProvisionError:
    return ProvisionError(f"{message} (Service: Wafv2, Status Code: 400) (HandlerErrorCode: InvalidRequest)")


def _which(current: Provisioned) -> dict[str, str]:
    name, identity, scope = current.physical_id.split("|")
    return {"Name": name, "Id": identity, "Scope": scope}


def _changed(call: Call, current: Provisioned, kind: str) -> None:
    """Update *current*, a ``web_acl`` or an ``ip_set``, with the token of its last read."""
    which = _which(current)
    token = call.ask("wafv2", f"get_{kind}", **which)["LockToken"]
    call.apply("wafv2", f"update_{kind}", **which, LockToken=token)
    call.retag("wafv2", "tag_resource", "untag_resource", ResourceARN=current.attributes["Arn"])


def _deleted(call: Call, current: Provisioned, kind: str) -> None:
    """Delete *current*, a ``web_acl`` or an ``ip_set``."""
    which = _which(current)
    token = call.ask("wafv2", f"get_{kind}", **which)["LockToken"]
    call.ask("wafv2", f"delete_{kind}", **which, LockToken=token)


def _update_acl(call: Call, old: Mapping[str, Any], current: Provisioned) -> Provisioned:
    del old
    _try_rules(call)
    _changed(call, current, "web_acl")
    return Provisioned(
        current.physical_id,
        {**current.attributes, "Capacity": capacity(call.properties.get("Rules", []))},
    )


def _delete_acl(call: Call, current: Provisioned) -> None:
    _deleted(call, current, "web_acl")


def _associate(call: Call) -> Provisioned:
    call.apply("wafv2", "associate_web_acl")
    return Provisioned(f"{call.properties['ResourceArn']}|{call.properties['WebACLArn']}")


def _disassociate(call: Call, current: Provisioned) -> None:
    call.ask("wafv2", "disassociate_web_acl", ResourceArn=current.physical_id.split("|")[0])


def _create_set(call: Call) -> Provisioned:
    """AWS WAF API Reference, "IPSet": every range but /0."""
    _try_addresses(call)
    name = call.name("Name", 128)
    made = call.apply("wafv2", "create_ip_set", Name=name, Tags=call.tags or None)["Summary"]
    return Provisioned(_identifier(call, name, made), {"Arn": made["ARN"], "Id": made["Id"]})


def _try_addresses(call: Call) -> None:
    for one in call.properties["Addresses"]:
        if one.endswith("/0"):
            raise _refused(f"WAFInvalidParameterException: field: IP_ADDRESS, parameter: {one}")


def _update_set(call: Call, old: Mapping[str, Any], current: Provisioned) -> Provisioned:
    del old
    _try_addresses(call)
    _changed(call, current, "ip_set")
    return current


def _delete_set(call: Call, current: Provisioned) -> None:
    """Refuse it while a rule names the set (AWS WAF API Reference, "DeleteIPSet")."""
    acls = call.services.backend("wafv2", call.request.region).wacls.values()
    used = {value for acl in acls for name, value in _parts(acl.to_dict()["Rules"]) if name == "ARN"}
    if current.attributes["Arn"] in used:
        raise _refused("WAFAssociatedItemException: AWS WAF couldn't perform the operation: it is in use")
    _deleted(call, current, "ip_set")


def _put_log(call: Call) -> Provisioned:
    """
    Let an ACL log to an existing log group with the name prefix that WAF requires.

    AWS WAF Developer Guide, "Sending protection pack (web ACL) traffic logs to a CloudWatch Logs log group".
    """
    groups = call.services.backend("logs", call.request.region).groups
    for destination in call.properties["LogDestinationConfigs"]:
        name = destination.rpartition(":log-group:")[2]
        if not name.startswith(_LOG_GROUPS):
            raise _refused(
                "WAFInvalidParameterException: The ARN isn't valid., "
                f"field: LOG_DESTINATION, parameter: {destination}"
            )
        if name not in groups:
            raise _refused(f"WAFLogDestinationPermissionIssueException: no log group {name}")
    given = {name: value for name, value in call.properties.items() if name != "ManagedByFirewallManager"}
    call.ask("wafv2", "put_logging_configuration", LoggingConfiguration=given)
    return Provisioned(call.properties["ResourceArn"])


def _update_log(call: Call, old: Mapping[str, Any], current: Provisioned) -> Provisioned:
    del old
    _put_log(call)
    return current


def _delete_log(call: Call, current: Provisioned) -> None:
    call.ask("wafv2", "delete_logging_configuration", ResourceArn=current.physical_id)


HANDLERS: Mapping[str, Handler] = {
    "AWS::WAFv2::IPSet": Handler(_create_set, _update_set, _delete_set),
    "AWS::WAFv2::LoggingConfiguration": Handler(_put_log, _update_log, _delete_log),
    "AWS::WAFv2::WebACL": Handler(_create_acl, _update_acl, _delete_acl),
    "AWS::WAFv2::WebACLAssociation": Handler(_associate, unchanged, _disassociate),
}
