"""Stack 3: load balancer, listeners, rules, target group; optional certificate, DNS name, firewall, logs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from troposphere import AWSHelperFn, Equals, GetAtt, If, Parameter, Ref, Sub
from troposphere.certificatemanager import Certificate, DomainValidationOption
from troposphere.elasticloadbalancingv2 import (
    Action,
    Condition,
    FixedResponseConfig,
    Listener,
    ListenerRule,
    ListenerRuleAction,
    LoadBalancer,
    LoadBalancerAttributes,
    Matcher,
    PathPatternConfig,
    RedirectConfig,
    TargetGroup,
    TargetGroupAttribute,
)
from troposphere.elasticloadbalancingv2 import Certificate as ListenerCertificate
from troposphere.route53 import AliasTarget, RecordSetType

from stacks.alb import access_logs, client_certificates
from stacks.sections.oidc import CALLBACK
from stacks.settings import Settings
from stacks.wiring import Stack

EVERYTHING = {100: "/*"}
"""
The one rule of a listener whose traffic ECS shifts: it moves one production rule and one test rule a service.

S1's other three forward to the same tasks as this one, which matches all that they match; they would continue
to forward to the old tasks. Source: Amazon ECS Developer Guide, "Application Load Balancer resources for
blue/green, linear, and canary deployments".
"""


def build(settings: Settings) -> Stack:
    """Return the entrance; it imports the network."""
    stack = Stack(settings, "alb", "load balancer, listeners, target group")
    balancer = _load_balancer(stack)
    targets = _target_group(stack, "TargetGroup", "proxy")
    http, https = _listeners(stack, balancer)
    if settings.service.shifts_traffic:
        _shifted(stack, balancer, https or http, targets)
    else:
        _rules(stack, "Rule", https or http, Ref(targets), stack.application.routes)
    if settings.alb.oidc and https:
        from stacks.alb import sign_in  # noqa: PLC0415 - as the firewall below

        sign_in.add(stack, settings.alb.oidc, https, Ref(targets))
    if settings.alb.domain_name and settings.alb.hosted_zone_id:
        _dns_record(stack, balancer)
    if settings.alb.firewalled:
        from stacks.alb import firewall  # noqa: PLC0415 - troposphere's WAF is slow to load

        firewall.add(stack, Ref(balancer))
    _export(stack, balancer, targets, http, https)
    return stack


def _load_balancer(stack: Stack) -> LoadBalancer:
    settings = stack.settings
    kind = "Private" if settings.alb.internal else "Public"
    balancer = LoadBalancer(
        "LoadBalancer",
        Name=settings.alb_name,
        Type="application",
        Scheme="internal" if settings.alb.internal else "internet-facing",
        Subnets=[stack.imported("network", f"{kind}Subnet{number}Id") for number in (1, 2)],
        SecurityGroups=[stack.imported("network", "AlbSecurityGroupId")],
        LoadBalancerAttributes=[
            LoadBalancerAttributes(Key=key, Value=value) for key, value in _attributes(settings)
        ],
    )
    if settings.alb.access_logs:
        access_logs.add(stack, balancer)
    return stack.add(balancer, name="alb")


def _attributes(settings: Settings) -> Iterable[tuple[str, str]]:
    """Return the attributes (Elastic Load Balancing API Reference, "LoadBalancerAttribute")."""
    yield "idle_timeout.timeout_seconds", str(settings.alb.idle_timeout_seconds)
    dropped = _switch(on=settings.alb.drop_invalid_headers)
    yield "routing.http.drop_invalid_header_fields.enabled", dropped
    yield "deletion_protection.enabled", _switch(on=settings.alb.deletion_protection)


def _target_group(stack: Stack, title: str, name: str) -> TargetGroup:
    """
    Add the target group (S1, "Health Checks"); it has no name, because a named group could not be replaced.
    """
    check = stack.settings.alb.health_check
    delay = str(stack.settings.alb.deregistration_delay_seconds)
    return stack.add(
        TargetGroup(
            title,
            VpcId=stack.imported("network", "VpcId"),
            TargetType="ip",
            Protocol="HTTP",
            Port=stack.settings.service.port,
            HealthCheckPath=check.path,
            HealthCheckIntervalSeconds=check.interval_seconds,
            HealthCheckTimeoutSeconds=check.timeout_seconds,
            HealthyThresholdCount=check.healthy_count,
            UnhealthyThresholdCount=check.unhealthy_count,
            Matcher=Matcher(HttpCode="200"),
            TargetGroupAttributes=[
                TargetGroupAttribute(Key="deregistration_delay.timeout_seconds", Value=delay)
            ],
        ),
        name=name,
    )


def _listeners(stack: Stack, balancer: LoadBalancer) -> tuple[Listener, Listener | None]:
    """Add port 80, and with HTTPS port 443, to which port 80 then only redirects."""
    if not stack.settings.alb.https:
        return _listener(
            stack, balancer, "HttpListener", Port=80, Protocol="HTTP", DefaultActions=[_NOT_FOUND]
        ), None
    http = _listener(stack, balancer, "HttpListener", Port=80, Protocol="HTTP", DefaultActions=[_TO_HTTPS])
    https = _listener(
        stack,
        balancer,
        "HttpsListener",
        Port=443,
        Protocol="HTTPS",
        SslPolicy=stack.settings.alb.ssl_policy,
        MutualAuthentication=client_certificates.asked_for(stack),
        Certificates=[ListenerCertificate(CertificateArn=_certificate(stack))],
        DefaultActions=[_NOT_FOUND],
    )
    return http, https


def _listener(stack: Stack, balancer: LoadBalancer, title: str, **how: object) -> Listener:
    return stack.add(Listener(title, LoadBalancerArn=Ref(balancer), **how))


def _certificate(stack: Stack) -> Ref | str:
    """
    Return the ARN of the user's certificate, or of one that ACM makes and proves by a DNS record.

    CloudFormation writes that record only where the option names the hosted zone and the certificate's own
    domain ("AWS::CertificateManager::Certificate", DomainValidationOptions); else the creation hangs.
    """
    alb = stack.settings.alb
    if alb.certificate_arn:
        return alb.certificate_arn
    proof = DomainValidationOption(DomainName=alb.domain_name, HostedZoneId=alb.hosted_zone_id)
    certificate = Certificate(
        "Certificate", DomainName=alb.domain_name, ValidationMethod="DNS", DomainValidationOptions=[proof]
    )
    return Ref(stack.add(certificate, name="certificate"))


def _shifted(stack: Stack, balancer: LoadBalancer, listener: Listener, targets: TargetGroup) -> None:
    """
    Forward production to one target group and the test listener to the other; ECS moves both afterwards.

    At a deployment the test listener reaches the new tasks before clients do. It speaks what the clients'
    listener speaks. The production rule is the last of S1's, so that changing the strategy leaves it alone.
    """
    alternate = _target_group(stack, "AlternateTargetGroup", "proxy-alternate")
    spoken = {key: value for key, value in listener.properties.items() if key in _SPOKEN}
    port = stack.settings.alb.test_port
    test = _listener(stack, balancer, "TestListener", Port=port, DefaultActions=[_NOT_FOUND], **spoken)
    production = _live_group(stack, "ProductionGroup", "Rule100", targets, alternate)
    tested = _live_group(stack, "TestGroup", "TestRule100", alternate, targets)
    _rules(stack, "Rule", listener, production, EVERYTHING)
    _rules(stack, "TestRule", test, tested, EVERYTHING)
    stack.export("AlternateTargetGroupArn", Ref(alternate), "Target group of every other deployment")
    full_name = GetAtt(alternate, "TargetGroupFullName")
    stack.export("AlternateTargetGroupFullName", full_name, "That target group, as metrics name it")
    for name, rule in (("Production", "Rule"), ("Test", "TestRule")):
        stack.export(f"{name}RuleArn", Ref(f"{rule}100"), f"{name} rule, which ECS rewrites")
    stack.export("TestListenerArn", Ref(test), "Listener that reaches new tasks before clients do")


_SPOKEN = frozenset({"Protocol", "SslPolicy", "MutualAuthentication", "Certificates"})


def _live_group(stack: Stack, title: str, rule: str, group: TargetGroup, other: TargetGroup) -> AWSHelperFn:
    """
    Let the deployer look up where *rule* forwards now; at first to *group*.

    An update of a rule, by whichever property or tag, sets its actions to those of the template (Elastic Load
    Balancing API Reference, ModifyRule), and the group that they name could have no tasks any more.
    """
    parameter = Parameter(
        title,
        Type="String",
        Default=group.title,
        AllowedValues=[group.title, other.title],
        Description="Target group that ECS has led the traffic to, by its logical id",
    )
    facts = {"listener_rule": rule, "group": group.title, "other": other.title}
    found = stack.look_up(parameter, "live-group", **facts)
    condition = f"{title}Is{other.title}"
    stack.template.add_condition(condition, Equals(found, other.title))
    return If(condition, Ref(other), Ref(group))


def _rules(
    stack: Stack, title: str, listener: Listener, targets: AWSHelperFn, routes: Mapping[int, str]
) -> None:
    for priority, path in routes.items():
        stack.add(
            ListenerRule(
                f"{title}{priority}",
                ListenerArn=Ref(listener),
                Priority=priority,
                Conditions=[
                    Condition(Field="path-pattern", PathPatternConfig=PathPatternConfig(Values=[path]))
                ],
                Actions=[ListenerRuleAction(Type="forward", TargetGroupArn=targets)],
            )
        )


def _dns_record(stack: Stack, balancer: LoadBalancer) -> None:
    """Add the DNS record (Amazon Route 53 Developer Guide, "Routing traffic to an ELB load balancer")."""
    alias = AliasTarget(
        HostedZoneId=GetAtt(balancer, "CanonicalHostedZoneID"),
        DNSName=GetAtt(balancer, "DNSName"),
        EvaluateTargetHealth=True,
    )
    alb = stack.settings.alb
    stack.add(
        RecordSetType(
            "DnsRecord", HostedZoneId=alb.hosted_zone_id, Name=alb.domain_name, Type="A", AliasTarget=alias
        )
    )


def _export(
    stack: Stack, balancer: LoadBalancer, targets: TargetGroup, http: Listener, https: Listener | None
) -> None:
    stack.export("AlbArn", Ref(balancer), "Load balancer")
    stack.export("AlbFullName", GetAtt(balancer, "LoadBalancerFullName"), "Load balancer, as metrics name it")
    stack.export("AlbDnsName", GetAtt(balancer, "DNSName"), "Load balancer's own DNS name")
    stack.export("HttpListenerArn", Ref(http), "Listener on port 80")
    if https:
        stack.export("HttpsListenerArn", Ref(https), "Listener on port 443")
    stack.export("TargetGroupArn", Ref(targets), "Target group of the proxy")
    stack.export(
        "TargetGroupFullName", GetAtt(targets, "TargetGroupFullName"), "Target group, as metrics name it"
    )
    url = _url(stack.settings, balancer)
    stack.export("Url", url, "Where clients reach the gateway")
    if stack.settings.sso.provider:
        callback = f"{url}{stack.application.callback}"
        stack.export("SsoRedirectUri", callback, "Redirect URI to register at the identity provider")
    if stack.settings.alb.oidc:
        callback = f"{url}{CALLBACK}"
        stack.export("OidcRedirectUri", callback, "Redirect URI of the load balancer, to register there")


def _url(settings: Settings, balancer: LoadBalancer) -> Sub | str:
    if settings.alb.domain_name:
        return f"https://{settings.alb.domain_name}"
    scheme = "https" if settings.alb.https else "http"
    return Sub(f"{scheme}://${{{balancer.title}.DNSName}}")


def _switch(*, on: bool) -> str:
    return "true" if on else "false"


_TO_HTTPS = Action(
    Type="redirect", RedirectConfig=RedirectConfig(Protocol="HTTPS", Port="443", StatusCode="HTTP_301")
)
_NOT_FOUND = Action(
    Type="fixed-response",
    FixedResponseConfig=FixedResponseConfig(
        StatusCode="404", ContentType="text/plain", MessageBody="Not found"
    ),
)
