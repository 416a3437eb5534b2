"""What Elastic Load Balancing refuses in a rule that signs people in, the sandbox refuses."""

from typing import Any

import pytest

from sandbox.provisioning import ProvisionError
from sandbox.rehearsal import certificates
from tests.sandbox.provision_world import REGION, World

LOGIN = "https://login.example.com"
HOW = {
    "Issuer": LOGIN,
    "AuthorizationEndpoint": f"{LOGIN}/authorize",
    "TokenEndpoint": f"{LOGIN}/token",
    "UserInfoEndpoint": f"{LOGIN}/userinfo",
    "ClientId": "gateway",
    "ClientSecret": "made-up",
}


@pytest.fixture(scope="module")
def world() -> World:
    return World("000000000103")


@pytest.fixture(scope="module")
def listener(world: World) -> str:
    """Return an HTTPS listener beside the world's own, which speaks HTTP."""
    balancer = world.make("ElasticLoadBalancingV2::LoadBalancer", Name="doors", Subnets=world.subnets)
    arn = certificates.make(world.services, "llm.example.com", REGION, "")
    answer = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
    return world.make(
        "ElasticLoadBalancingV2::Listener",
        LoadBalancerArn=balancer.physical_id,
        Port=443,
        Protocol="HTTPS",
        Certificates=[{"CertificateArn": arn}],
        DefaultActions=[answer],
    ).physical_id


def rule(world: World, listener: str, paths: int = 1, *actions: dict[str, Any], **how: Any) -> dict[str, Any]:
    sign_in = {"Type": "authenticate-oidc", "Order": 1, "AuthenticateOidcConfig": HOW | how}
    forward = {"Type": "forward", "Order": 2, "TargetGroupArn": world.targets}
    values = [f"/{number}" for number in range(paths)]
    return {
        "ListenerArn": listener,
        "Priority": 1,
        "Conditions": [{"Field": "path-pattern", "PathPatternConfig": {"Values": values}}],
        "Actions": [*actions] or [sign_in, forward],
    }


def test_people_sign_in_at_an_https_listener_alone(world: World, listener: str) -> None:
    with pytest.raises(ProvisionError, match="supported only on HTTPS listeners"):
        world.make("ElasticLoadBalancingV2::ListenerRule", **rule(world, world.listener))
    assert world.make("ElasticLoadBalancingV2::ListenerRule", **rule(world, listener, 5)).physical_id


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"ClientSecret": ""}, "client secret"),
        ({"TokenEndpoint": "http://login.example.com/token"}, "TokenEndpoint must be a full URL"),
        ({"SessionTimeout": 604_801}, "SessionTimeout"),
    ],
)
def test_how_people_sign_in_is_looked_at(how: dict[str, Any], said: str, world: World, listener: str) -> None:
    with pytest.raises(ProvisionError, match=said):
        world.make("ElasticLoadBalancingV2::ListenerRule", **rule(world, listener, **how))


def test_the_answer_comes_last_and_in_an_order(world: World, listener: str) -> None:
    forward = {"Type": "forward", "Order": 1, "TargetGroupArn": world.targets}
    sign_in = {"Type": "authenticate-oidc", "Order": 2, "AuthenticateOidcConfig": HOW}
    for actions, said in (
        ([forward, sign_in], "last action"),
        ([forward, forward | {"Order": 2}], "must be the last"),
        ([forward, sign_in | {"Order": 1}], "different order"),
    ):
        with pytest.raises(ProvisionError, match=said):
            world.make("ElasticLoadBalancingV2::ListenerRule", **rule(world, listener, 1, *actions))


def test_a_rule_has_room_for_five_paths(world: World, listener: str) -> None:
    with pytest.raises(ProvisionError, match="only have '5' condition values"):
        world.make("ElasticLoadBalancingV2::ListenerRule", **rule(world, listener, 6))
