"""Load balancing: ELBv2 load balancers, target groups, listeners and listener rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from sandbox.provisioning import Provisioned, ProvisionError
from sandbox.resources import require
from sandbox.resources.entrance import rules, trust_stores
from sandbox.resources.handler import Call, Handler


def _create_balancer(call: Call) -> Provisioned:
    name = call.name("Name", 32)
    if _named(call, "describe_load_balancers", name):
        raise call.already_exists(name)
    mapped = [each["SubnetId"] for each in call.properties.get("SubnetMappings", [])]
    require.subnets(call, [*call.properties.get("Subnets", []), *mapped])
    require.groups(call, call.properties.get("SecurityGroups", []))
    made = call.apply("elbv2", "create_load_balancer", Name=name, Tags=call.tags or None)["LoadBalancers"][0]
    if call.services.surroundings.endpoint:
        balancer = call.services.backend("elbv2", call.request.region).load_balancers[made["LoadBalancerArn"]]
        balancer.activate = lambda: None  # moto's is active at its first read
        call.becomes(balancer, "state", "provisioning", "active")
    begun = call.begin(made["LoadBalancerArn"], **_balancer_attributes(made))
    _set_attributes(call, "LoadBalancer", made["LoadBalancerArn"], [])
    return begun


def _named(call: Call, operation: str, name: str) -> bool:
    try:
        call.ask("elbv2", operation, Names=[name])
    except ClientError:
        return False
    return True


def _balancer_attributes(balancer: Mapping[str, Any]) -> dict[str, Any]:
    arn = balancer["LoadBalancerArn"]
    return {
        "LoadBalancerArn": arn,
        "LoadBalancerFullName": arn.split(":loadbalancer/", 1)[-1],
        "LoadBalancerName": balancer["LoadBalancerName"],
        "DNSName": balancer["DNSName"],
        "CanonicalHostedZoneID": balancer.get("CanonicalHostedZoneId", "Z35SXDOTRQ7X7K"),
        "SecurityGroups": list(balancer.get("SecurityGroups", [])),
    }


def _update_balancer(call: Call, old: Mapping[str, Any], current: Provisioned) -> Provisioned:
    arn = current.physical_id
    if call.changed(old, "SecurityGroups"):
        require.groups(call, call.properties.get("SecurityGroups", []))
        call.apply("elbv2", "set_security_groups", LoadBalancerArn=arn)
    if call.changed(old, "Subnets", "SubnetMappings"):
        call.apply("elbv2", "set_subnets", LoadBalancerArn=arn)
    if call.changed(old, "IpAddressType"):
        call.apply("elbv2", "set_ip_address_type", LoadBalancerArn=arn)
    _set_attributes(call, "LoadBalancer", arn, old.get("LoadBalancerAttributes", []))
    _retag(call, arn)
    return current


def _set_attributes(call: Call, kind: str, arn: str, before: list[Any]) -> None:
    wanted = call.properties.get(f"{kind}Attributes", [])
    if wanted and wanted != before:
        words = "load_balancer" if kind == "LoadBalancer" else "target_group"
        call.ask("elbv2", f"modify_{words}_attributes", **{f"{kind}Arn": arn}, Attributes=wanted)
        _try_access_logs(call, {each["Key"]: each["Value"] for each in wanted})


def _try_access_logs(call: Call, wanted: Mapping[str, str]) -> None:
    """
    Write a file to the bucket of the access logs, as Elastic Load Balancing does when they are enabled.

    Application Load Balancers User Guide, "Enable access logs for your Application Load Balancer".
    """
    if wanted.get("access_logs.s3.enabled") == "true":
        prefix = wanted.get("access_logs.s3.prefix", "").strip("/")
        parts = filter(None, (prefix, "AWSLogs", call.request.account, "ELBAccessLogTestFile"))
        bucket = wanted["access_logs.s3.bucket"]
        call.ask("s3", "put_object", Bucket=bucket, Key="/".join(parts), Body=b"Enable AccessLog")


def _retag(call: Call, arn: str) -> None:
    call.retag("elbv2", "add_tags", "remove_tags", ResourceArns=[arn])


def _delete_balancer(call: Call, current: Provisioned) -> None:
    arn = current.physical_id
    held = call.ask("elbv2", "describe_load_balancer_attributes", LoadBalancerArn=arn)["Attributes"]
    if {"Key": "deletion_protection.enabled", "Value": "true"} in held:
        raise ProvisionError(
            f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled"
            " (Service: ElasticLoadBalancingV2, Status Code: 400) (HandlerErrorCode: InvalidRequest)"
        )
    call.ask("elbv2", "delete_load_balancer", LoadBalancerArn=arn)


def _create_targets(call: Call) -> Provisioned:
    name = call.name("Name", 32)
    if _named(call, "describe_target_groups", name):
        raise call.already_exists(name)
    require.vpc(call, call.properties.get("VpcId"))
    made = call.apply("elbv2", "create_target_group", Name=name, Tags=call.tags or None)["TargetGroups"][0]
    arn = made["TargetGroupArn"]
    facts = {
        "TargetGroupArn": arn,
        "TargetGroupName": name,
        "TargetGroupFullName": arn.rsplit(":", 1)[-1],
        "LoadBalancerArns": list(made.get("LoadBalancerArns", [])),
    }
    begun = call.begin(arn, **facts)
    _set_attributes(call, "TargetGroup", arn, [])
    return begun


_HEALTH = ("HealthCheckPath", "HealthCheckPort", "HealthCheckProtocol", "HealthCheckEnabled", "Matcher")
_HEALTH_NUMBERS = (
    "HealthCheckIntervalSeconds",
    "HealthCheckTimeoutSeconds",
    "HealthyThresholdCount",
    "UnhealthyThresholdCount",
)


def _update_targets(call: Call, old: Mapping[str, Any], current: Provisioned) -> Provisioned:
    arn = current.physical_id
    if call.changed(old, *_HEALTH, *_HEALTH_NUMBERS):
        call.apply("elbv2", "modify_target_group", TargetGroupArn=arn)
    _set_attributes(call, "TargetGroup", arn, old.get("TargetGroupAttributes", []))
    _retag(call, arn)
    return current


def _delete_targets(call: Call, current: Provisioned) -> None:
    call.ask("elbv2", "delete_target_group", TargetGroupArn=current.physical_id)


def _create_listener(call: Call) -> Provisioned:
    require.certificates(call, call.properties.get("Certificates", []))
    _check_targets(call, call.properties.get("DefaultActions", []))
    trust_stores.try_listener(call)
    arn = call.apply("elbv2", "create_listener", Tags=call.tags or None)["Listeners"][0]["ListenerArn"]
    trust_stores.note(call, arn)
    return Provisioned(arn, {"ListenerArn": arn})


def _check_targets(call: Call, actions: list[Any]) -> None:
    for action in actions:
        require.target_group(call, action.get("TargetGroupArn"))
        for group in action.get("ForwardConfig", {}).get("TargetGroups", []):
            require.target_group(call, group.get("TargetGroupArn"))


def _update_listener(call: Call, old: Mapping[str, Any], current: Provisioned) -> Provisioned:
    if call.changed(old, "DefaultActions", "Port", "Protocol", "Certificates", "SslPolicy"):
        require.certificates(call, call.properties.get("Certificates", []))
        _check_targets(call, call.properties.get("DefaultActions", []))
        call.apply("elbv2", "modify_listener", ListenerArn=current.physical_id)
    if call.changed(old, "MutualAuthentication"):
        trust_stores.try_listener(call)
        trust_stores.note(call, current.physical_id)
    _retag(call, current.physical_id)
    return current


def _delete_listener(call: Call, current: Provisioned) -> None:
    call.ask("elbv2", "delete_listener", ListenerArn=current.physical_id)


def _create_rule(call: Call) -> Provisioned:
    _check_targets(call, call.properties["Actions"])
    rules.try_rule(call)
    _check_priority(call)
    arn = call.apply("elbv2", "create_rule", Tags=call.tags or None)["Rules"][0]["RuleArn"]
    return Provisioned(arn, {"RuleArn": arn, "IsDefault": False})


def _check_priority(call: Call) -> None:
    """Refuse a priority that another rule has, in ELB's words (PriorityInUse, as users report it)."""
    listener, priority = call.properties["ListenerArn"], str(call.properties["Priority"])
    rules = call.ask("elbv2", "describe_rules", ListenerArn=listener)["Rules"]
    if priority in {rule["Priority"] for rule in rules}:
        raise ProvisionError(
            f"Resource handler returned message: \"Priority '{priority}' is currently in use (Service: "
            'ElasticLoadBalancingV2, Status Code: 400)" (HandlerErrorCode: AlreadyExists)'
        )


def _update_rule(call: Call, old: Mapping[str, Any], current: Provisioned) -> Provisioned:
    """Set the template's conditions and actions, whichever has changed: ModifyRule replaces all of them."""
    arn = current.physical_id
    _check_targets(call, call.properties["Actions"])
    rules.try_rule(call)
    call.apply("elbv2", "modify_rule", RuleArn=arn)
    if call.changed(old, "Priority"):
        priorities = [{"RuleArn": arn, "Priority": call.properties["Priority"]}]
        call.ask("elbv2", "set_rule_priorities", RulePriorities=priorities)
    _retag(call, arn)
    return current


def _delete_rule(call: Call, current: Provisioned) -> None:
    call.ask("elbv2", "delete_rule", RuleArn=current.physical_id)


HANDLERS: Mapping[str, Handler] = {
    "AWS::ElasticLoadBalancingV2::LoadBalancer": Handler(
        _create_balancer, _update_balancer, _delete_balancer
    ),
    "AWS::ElasticLoadBalancingV2::TargetGroup": Handler(_create_targets, _update_targets, _delete_targets),
    "AWS::ElasticLoadBalancingV2::Listener": Handler(_create_listener, _update_listener, _delete_listener),
    "AWS::ElasticLoadBalancingV2::ListenerRule": Handler(_create_rule, _update_rule, _delete_rule),
}
