"""What a listener's rules and actions make of a request. Nothing is connected to here."""

import re
from typing import Any

import pytest

from sandbox.gateway.balancer import health, rules
from sandbox.gateway.balancer.actions import Led, performed
from sandbox.gateway.balancer.answers import Answer
from sandbox.gateway.balancer.asked import Asked
from sandbox.gateway.balancer.headers import to_target
from sandbox.gateway.balancer.health import Failure, Health
from sandbox.gateway.balancer.view import Check, Rule

CHECK = Check(
    enabled=True,
    protocol="HTTP",
    port="traffic-port",
    path="/",
    interval=30,
    timeout=5,
    healthy=3,
    unhealthy=2,
    codes="200,300-302",
)


def asked(target: str = "/", method: str = "GET", source: str = "127.0.0.1", **headers: str) -> Asked:
    named = {"host": "llm.example.com", **headers}
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in named.items()]
    return Asked(method, target, pairs, source, "http", 80)


def path(*values: str) -> dict[str, Any]:
    return {"Field": "path-pattern", "PathPatternConfig": {"Values": list(values)}}


def host(*values: str) -> dict[str, Any]:
    return {"Field": "host-header", "HostHeaderConfig": {"Values": list(values)}}


def header(name: str, *values: str) -> dict[str, Any]:
    return {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": name, "Values": list(values)}}


def query(**pairs: str) -> dict[str, Any]:
    values = [
        {"Value": value} if key == "any" else {"Key": key, "Value": value} for key, value in pairs.items()
    ]
    return {"Field": "query-string", "QueryStringConfig": {"Values": values}}


def method(*values: str) -> dict[str, Any]:
    return {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": list(values)}}


def source(*values: str) -> dict[str, Any]:
    return {"Field": "source-ip", "SourceIpConfig": {"Values": list(values)}}


@pytest.mark.parametrize(
    ("condition", "request_", "met"),
    [
        (path("/v1/*"), asked("/v1/models?x=/y"), True),
        (path("/v1/*"), asked("/V1/models"), False),  # paths have case
        (path("/v1/*"), asked("/v1"), False),
        (path("/v1/*"), asked("http://llm.example.com/v1/models"), True),
        (path("/?"), asked("/a"), True),
        (path("/?"), asked("/ab"), False),
        (path("/ui"), asked("/%75i"), False),  # compared as it was sent
        (path("/a.c", "/b"), asked("/abc"), False),  # a dot is a dot
        ({"Field": "path-pattern", "Values": ["/a", "/b"]}, asked("/b"), True),
        ({"Field": "path-pattern", "RegexValues": ["^/v[12]/"]}, asked("/v2/x"), True),
        (host("*.example.com"), asked("/", host="LLM.Example.com:8080"), True),
        (host("*.example.com"), asked("/", host="example.com"), False),
        (host("localhost"), asked("/", host="localhost:39509"), True),
        (header("X-Tenant", "a*"), asked(x_tenant="Alpha"), True),
        (header("X-Tenant", "a*"), asked(x_tenant="beta"), False),
        (header("X-Tenant", "*"), asked(), False),
        (query(version="v1"), asked("/?Version=V1&b=2"), True),
        (query(version="v1"), asked("/?version=v2"), False),
        (query(any="*secret*"), asked("/?a=my+secret"), True),
        (query(any="?"), asked("/?a="), False),
        (method("GET", "HEAD"), asked(method="HEAD"), True),
        (method("get"), asked(), False),  # methods have case
        (source("10.0.0.0/8", "127.0.0.0/8"), asked(), True),
        (source("10.0.0.0/8"), asked(x_forwarded_for="10.1.1.1"), False),
        ({"Field": "of-next-year"}, asked(), False),
    ],
)
def test_a_condition_is_met_by_any_of_its_values(
    condition: dict[str, Any], request_: Asked, *, met: bool
) -> None:
    assert rules.met([condition], request_) is met


def test_all_conditions_are_met_and_the_first_rule_counts() -> None:
    both = Rule([path("/v1/*"), method("POST")], [{"Type": "both"}])
    one = Rule([path("/v1/*")], [{"Type": "one"}])
    default = Rule([], [{"Type": "default"}])

    def chosen(request: Asked) -> str:
        found = rules.chosen([both, one, default], request)
        assert found is not None
        return str(found.actions[0]["Type"])

    assert chosen(asked("/v1/x", "POST")) == "both"
    assert chosen(asked("/v1/x")) == "one"
    assert chosen(asked("/")) == "default"


def redirect(**config: str) -> dict[str, Any]:
    return {"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301", **config}}


def nowhere(port: int) -> int | None:
    return None


def location(action: dict[str, Any], request: Asked, ports: dict[int, int] | None = None) -> str:
    answer = performed([action], request, (ports or {}).get)
    assert isinstance(answer, Answer)
    assert answer.status == 301
    return dict(answer.headers)[b"Location"].decode()


@pytest.mark.parametrize(
    ("config", "there"),
    [
        ({"Protocol": "HTTPS", "Port": "443"}, "https://llm.example.com:443/a/b?c=d"),
        ({"Host": "new.#{host}", "Path": "/old/#{path}"}, "http://new.llm.example.com:80/old/a/b?c=d"),
        ({"Query": "#{query}&from=#{port}", "Port": "8080"}, "http://llm.example.com:8080/a/b?c=d&from=80"),
    ],
)
def test_a_redirect_keeps_what_it_does_not_change(config: dict[str, str], there: str) -> None:
    assert location(redirect(**config), asked("/a/b?c=d")) == there


def test_a_redirect_of_loopback_leads_to_the_port_that_answers_there() -> None:
    to_https = redirect(Protocol="HTTPS", Port="443")

    assert (
        location(to_https, asked("/x", host="localhost:39509"), {443: 39509}) == "https://localhost:39509/x"
    )
    assert location(to_https, asked("/x"), {443: 39509}) == "https://llm.example.com:443/x"


def test_a_forward_shares_by_weight_and_nothing_goes_to_weight_0() -> None:
    def forward(**weights: int) -> dict[str, Any]:
        named = [{"TargetGroupArn": name, "Weight": weight} for name, weight in weights.items()]
        return {"Type": "forward", "ForwardConfig": {"TargetGroups": named}}

    led = [performed([forward(blue=100, green=0)], asked(), nowhere) for _ in range(50)]
    shared = [performed([forward(blue=1, green=1)], asked(), nowhere) for _ in range(200)]
    none = performed([forward(blue=0)], asked(), nowhere)

    assert set(led) == {Led("blue")}  # type: ignore[arg-type]
    assert Led("blue") in shared
    assert Led("green") in shared
    assert isinstance(none, Answer)
    assert none.status == 503


@pytest.mark.parametrize(("config", "status"), [({}, 501), ({"OnUnauthenticatedRequest": "deny"}, 401)])
def test_who_would_have_to_sign_in_does_not_get_through(config: dict[str, str], status: int) -> None:
    oidc = {"AuthorizationEndpoint": "https://idp.example.com/authorize", **config}
    actions = [
        {"Type": "authenticate-oidc", "AuthenticateOidcConfig": oidc},
        {"Type": "forward", "TargetGroupArn": "arn"},
    ]

    answer = performed(actions, asked(), nowhere)

    assert isinstance(answer, Answer)
    assert answer.status == status
    assert status != 501 or b"https://idp.example.com/authorize" in answer.body


def test_who_may_pass_unauthenticated_goes_on_to_the_next_action() -> None:
    actions = [
        {"Type": "authenticate-oidc", "AuthenticateOidcConfig": {"OnUnauthenticatedRequest": "allow"}},
        {"Type": "forward", "TargetGroupArn": "arn"},
    ]

    assert performed(actions, asked(), nowhere) == Led("arn")


@pytest.mark.parametrize(
    ("attributes", "forwarded"),
    [
        ({}, [b"203.0.113.7, 127.0.0.1"]),
        ({"routing.http.xff_client_port.enabled": "true"}, [b"203.0.113.7, 127.0.0.1:5000"]),
        ({"routing.http.xff_header_processing.mode": "preserve"}, [b"203.0.113.7"]),
        ({"routing.http.xff_header_processing.mode": "remove"}, []),
    ],
)
def test_attributes_say_what_becomes_of_x_forwarded_for(
    attributes: dict[str, str], forwarded: list[bytes]
) -> None:
    sent = to_target(asked(x_forwarded_for="203.0.113.7"), 5000, attributes, 0.0)

    assert [value for name, value in sent if name == b"X-Forwarded-For"] == forwarded


def test_invalid_header_names_are_dropped_where_an_attribute_says_so() -> None:
    request = Asked("GET", "/", [(b"x_odd", b"1"), (b"x-even", b"2")], "127.0.0.1", "http", 80)
    drop = {"routing.http.drop_invalid_header_fields.enabled": "true"}

    def names(attributes: dict[str, str]) -> set[bytes]:
        return {name for name, _ in to_target(request, 1, attributes, 0.0)} & {b"x_odd", b"x-even"}

    assert names({}) == {b"x_odd", b"x-even"}
    assert names(drop) == {b"x-even"}


def test_one_check_makes_a_new_target_healthy_and_an_unhealthy_one_needs_its_threshold() -> None:
    assert health.after(health.CHECKING, None, CHECK).state == "healthy"

    sick = health.after(health.after(health.HEALTHY, health.TIMEOUT, CHECK), health.FAILED, CHECK)
    states = []
    now = sick
    for _ in range(3):
        now = health.after(now, None, CHECK)
        states.append(now.state)

    assert (sick.state, sick.reason) == ("unhealthy", "Target.FailedHealthChecks")
    assert states == ["unhealthy", "unhealthy", "healthy"]


@pytest.mark.parametrize("begins", [health.CHECKING, health.HEALTHY])
def test_only_failures_in_a_row_make_a_target_unhealthy(begins: Health) -> None:
    failure: Failure = health.mismatch(500)
    once = health.after(begins, failure, CHECK)
    twice = health.after(once, failure, CHECK)

    assert once.state == begins.state
    assert (twice.state, twice.description) == ("unhealthy", "Health checks failed with these codes: [500]")
    assert health.after(health.after(once, None, CHECK), failure, CHECK).state == "healthy"


@pytest.mark.parametrize(("status", "well"), [(200, True), (301, True), (303, False), (404, False)])
def test_the_matcher_says_which_status_is_well(status: int, *, well: bool) -> None:
    assert CHECK.accepts(status) is well


def test_a_trace_has_the_form_of_aws() -> None:
    sent = dict(to_target(asked(), 1, {}, 1_700_000_000.0))

    assert re.fullmatch(rb"Root=1-6553f100-[0-9a-f]{24}", sent[b"X-Amzn-Trace-Id"])
