"""The alb stack against S1's "Load Balancer Architecture", and what HTTPS, streams and prompts need."""

from pathlib import Path
from typing import Any

import pytest

from stacks.alb import build
from stacks.environment import parse_settings
from stacks.wiring import Stack
from tests.stacks.finders import exports, only, properties, resource, resources

DOMAIN = "domain_name: llm.example.com, hosted_zone_id: Z0123456789ABCDEFGHIJ"
CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"
HTTPS = f"alb: {{{DOMAIN}}}"
FORWARD = [{"Type": "forward", "TargetGroupArn": {"Ref": "TargetGroup"}}]
NOT_FOUND = [
    {
        "Type": "fixed-response",
        "FixedResponseConfig": {"StatusCode": "404", "ContentType": "text/plain", "MessageBody": "Not found"},
    }
]


def built(rest: str = "") -> Stack:
    return build(parse_settings(f"{{system: litellm, environment: dev, {rest}}}", Path("dev.yaml")))


def imported(name: str) -> dict[str, str]:
    return {"Fn::ImportValue": f"dev-litellm-network-{name}"}


def attributes(stack: Stack, logical_id: str, key: str) -> dict[str, Any]:
    return {entry["Key"]: entry["Value"] for entry in properties(stack, logical_id)[key]}


def balancer_attributes(stack: Stack) -> dict[str, Any]:
    return attributes(stack, "LoadBalancer", "LoadBalancerAttributes")


# Load balancer and target group


def test_the_load_balancer_faces_the_internet_from_the_public_subnets() -> None:
    balancer = properties(built(), "LoadBalancer")

    assert (balancer["Name"], balancer["Scheme"], balancer["Type"]) == (
        "dev-litellm",
        "internet-facing",
        "application",
    )
    assert balancer["Subnets"] == [imported("PublicSubnet1Id"), imported("PublicSubnet2Id")]
    assert balancer["SecurityGroups"] == [imported("AlbSecurityGroupId")]


def test_an_internal_load_balancer_lies_in_the_private_subnets() -> None:
    balancer = properties(built("alb: {internal: true}"), "LoadBalancer")

    assert balancer["Scheme"] == "internal"
    assert balancer["Subnets"] == [imported("PrivateSubnet1Id"), imported("PrivateSubnet2Id")]


def test_the_load_balancer_waits_for_models_that_think_long_and_drops_invalid_headers() -> None:
    assert balancer_attributes(built()) == {
        "idle_timeout.timeout_seconds": "600",
        "routing.http.drop_invalid_header_fields.enabled": "true",
        "deletion_protection.enabled": "false",
    }


def test_production_protects_the_load_balancer_from_deletion() -> None:
    assert balancer_attributes(built(f"tier: production, {HTTPS}"))["deletion_protection.enabled"] == "true"


def test_the_target_group_is_checked_as_the_architecture_guide_says() -> None:
    group = properties(built(), "TargetGroup")
    del group["Tags"]

    assert group == {
        "VpcId": imported("VpcId"),
        "TargetType": "ip",
        "Protocol": "HTTP",
        "Port": 4000,
        "HealthCheckPath": "/health/liveliness",
        "HealthCheckIntervalSeconds": 30,
        "HealthCheckTimeoutSeconds": 15,
        "HealthyThresholdCount": 2,
        "UnhealthyThresholdCount": 5,
        "Matcher": {"HttpCode": "200"},
        "TargetGroupAttributes": [{"Key": "deregistration_delay.timeout_seconds", "Value": "600"}],
    }


# Listeners and rules


def rules(stack: Stack) -> dict[int, tuple[list[str], str]]:
    """The rules by priority: paths, listener."""
    found = {}
    for rule in resources(stack, "AWS::ElasticLoadBalancingV2::ListenerRule").values():
        entry = rule["Properties"]
        assert entry["Actions"] == FORWARD
        (condition,) = entry["Conditions"]
        found[entry["Priority"]] = (condition["PathPatternConfig"]["Values"], entry["ListenerArn"]["Ref"])
    return found


@pytest.mark.parametrize(("rest", "listener"), [("", "HttpListener"), (HTTPS, "HttpsListener")])
def test_the_four_rules_lead_to_the_tasks_from_the_listener_that_serves_clients(
    rest: str, listener: str
) -> None:
    assert rules(built(rest)) == {
        10: (["/v1/*"], listener),
        20: (["/health"], listener),
        30: (["/ui/*"], listener),
        100: (["/*"], listener),
    }


def test_without_https_port_80_is_the_only_listener() -> None:
    listener = only(built(), "AWS::ElasticLoadBalancingV2::Listener")["Properties"]

    assert (listener["Port"], listener["Protocol"], listener["DefaultActions"]) == (80, "HTTP", NOT_FOUND)


def test_with_https_port_80_only_redirects() -> None:
    listener = properties(built(HTTPS), "HttpListener")

    assert (listener["Port"], listener["Protocol"]) == (80, "HTTP")
    assert listener["DefaultActions"] == [
        {"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}}
    ]


def test_port_443_speaks_modern_tls_only() -> None:
    listener = properties(built(HTTPS), "HttpsListener")

    assert (listener["Port"], listener["Protocol"], listener["DefaultActions"]) == (443, "HTTPS", NOT_FOUND)
    assert listener["SslPolicy"] == "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"
    assert listener["Certificates"] == [{"CertificateArn": {"Ref": "Certificate"}}]


# Certificate and DNS name


def test_a_certificate_is_made_for_the_domain_and_proved_in_its_hosted_zone() -> None:
    certificate = properties(built(HTTPS), "Certificate")
    del certificate["Tags"]

    assert certificate == {
        "DomainName": "llm.example.com",
        "ValidationMethod": "DNS",
        "DomainValidationOptions": [
            {"DomainName": "llm.example.com", "HostedZoneId": "Z0123456789ABCDEFGHIJ"}
        ],
    }


def test_a_certificate_of_the_users_own_is_taken_as_it_is() -> None:
    stack = built(f'alb: {{certificate_arn: "{CERTIFICATE}"}}')

    assert resources(stack, "AWS::CertificateManager::Certificate") == {}
    assert properties(stack, "HttpsListener")["Certificates"] == [{"CertificateArn": CERTIFICATE}]


def test_the_domain_leads_to_the_load_balancer() -> None:
    assert only(built(HTTPS), "AWS::Route53::RecordSet")["Properties"] == {
        "HostedZoneId": "Z0123456789ABCDEFGHIJ",
        "Name": "llm.example.com",
        "Type": "A",
        "AliasTarget": {
            "HostedZoneId": {"Fn::GetAtt": ["LoadBalancer", "CanonicalHostedZoneID"]},
            "DNSName": {"Fn::GetAtt": ["LoadBalancer", "DNSName"]},
            "EvaluateTargetHealth": True,
        },
    }


def test_without_a_domain_no_dns_record_is_made() -> None:
    assert resources(built(), "AWS::Route53::RecordSet") == {}


# Exports


def test_the_stack_exports_what_the_others_import() -> None:
    assert exports(built()) == {
        "dev-litellm-alb-AlbArn": {"Ref": "LoadBalancer"},
        "dev-litellm-alb-AlbFullName": {"Fn::GetAtt": ["LoadBalancer", "LoadBalancerFullName"]},
        "dev-litellm-alb-AlbDnsName": {"Fn::GetAtt": ["LoadBalancer", "DNSName"]},
        "dev-litellm-alb-HttpListenerArn": {"Ref": "HttpListener"},
        "dev-litellm-alb-TargetGroupArn": {"Ref": "TargetGroup"},
        "dev-litellm-alb-TargetGroupFullName": {"Fn::GetAtt": ["TargetGroup", "TargetGroupFullName"]},
        "dev-litellm-alb-Url": {"Fn::Sub": "http://${LoadBalancer.DNSName}"},
    }


def test_the_https_listener_is_exported_where_there_is_one() -> None:
    assert exports(built(HTTPS))["dev-litellm-alb-HttpsListenerArn"] == {"Ref": "HttpsListener"}


@pytest.mark.parametrize(
    ("alb", "url"),
    [
        (DOMAIN, "https://llm.example.com"),
        (f'certificate_arn: "{CERTIFICATE}"', {"Fn::Sub": "https://${LoadBalancer.DNSName}"}),
    ],
)
def test_the_url_is_the_domain_or_the_load_balancers_own_name(alb: str, url: object) -> None:
    assert exports(built(f"alb: {{{alb}}}"))["dev-litellm-alb-Url"] == url


# Access logs

LOGS = "alb: {access_logs: true}"


def test_access_logs_are_on_in_production_only() -> None:
    assert resources(built(), "AWS::S3::Bucket") == {}
    assert only(built(f"tier: production, {HTTPS}"), "AWS::S3::Bucket")


def test_access_logs_go_to_a_private_bucket_and_expire_with_the_other_logs() -> None:
    bucket = only(built(LOGS), "AWS::S3::Bucket")["Properties"]

    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["LifecycleConfiguration"]["Rules"] == [
        {
            "Id": "expire",
            "Status": "Enabled",
            "ExpirationInDays": 14,
            "NoncurrentVersionExpiration": {"NoncurrentDays": 14},
        }
    ]
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"] == [
        {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    ]


def test_the_load_balancer_turns_its_logs_on_once_it_may_write_them() -> None:
    stack = built(LOGS)
    delivery, only_with_tls = properties(stack, "AccessLogBucketPolicy")["PolicyDocument"]["Statement"]

    assert balancer_attributes(stack)["access_logs.s3.enabled"] == "true"
    assert balancer_attributes(stack)["access_logs.s3.bucket"] == {"Ref": "AccessLogBucket"}
    assert resource(stack, "LoadBalancer")["DependsOn"] == "AccessLogBucketPolicy"
    assert only_with_tls["Effect"] == "Deny"
    assert delivery == {
        "Sid": "LogDelivery",
        "Effect": "Allow",
        "Principal": {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"},
        "Action": ["s3:PutObject"],
        "Resource": [{"Fn::Sub": "${AccessLogBucket.Arn}/AWSLogs/${AWS::AccountId}/*"}],
    }


@pytest.mark.parametrize(("rest", "policy"), [("", "Delete"), (f"tier: production, {HTTPS}", "Retain")])
def test_production_keeps_the_access_logs(rest: str, policy: str) -> None:
    logs = rest.replace("alb: {", "alb: {access_logs: true, ") if rest else LOGS

    bucket = only(built(logs), "AWS::S3::Bucket")
    assert (bucket["DeletionPolicy"], bucket["UpdateReplacePolicy"]) == (policy, policy)
