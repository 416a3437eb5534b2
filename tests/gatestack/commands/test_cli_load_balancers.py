"""Load balancers of a sandbox with its gateway: what verify sees of them, and what a person is told."""

import json
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gatestack.rehearsal.told import addresses
from sandbox.clock import RealClock
from sandbox.gateway import Gateway
from sandbox.server import Sandbox
from sandbox.services.services import Services
from tests.command import KEY, LOGIN, User
from tests.conftest import FAST
from tests.sandbox.sandbox_account import client, services

NAME = "llm.example.com"


@pytest.fixture(scope="module")
def user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[User, Sandbox]]:
    """A user with load balancers for `local` and `prod`, and nothing else of theirs."""
    folder = tmp_path_factory.mktemp("user")
    state = folder / ".local" / "state" / "gatestack" / "gateway"
    state.mkdir(parents=True, mode=0o700)
    Services().reset()
    with Sandbox(clock=RealClock(FAST), key=KEY, gateway=Gateway(state)) as sandbox:
        made = User.at(folder, AWS_ENDPOINT_URL=sandbox.endpoint, HOME=str(folder), **LOGIN)
        deploy(sandbox, "local", "http://${LoadBalancer.DNSName}", {"Port": 80, "Protocol": "HTTP"})
        arn = client(sandbox, "acm").request_certificate(DomainName=NAME)["CertificateArn"]
        https = {"Port": 443, "Protocol": "HTTPS", "Certificates": [{"CertificateArn": arn}]}
        deploy(sandbox, "prod", f"https://{NAME}", https)
        yield made, sandbox


def deploy(sandbox: Sandbox, env: str, url: str, listener: dict[str, Any]) -> None:
    ec2 = services(sandbox).backend("ec2", "us-east-1")
    subnets = [one.id for one in ec2.get_default_subnets().values()][:2]
    answers = {
        "Type": "fixed-response",
        "FixedResponseConfig": {"StatusCode": "200", "ContentType": "text/plain", "MessageBody": env},
    }
    how = {"LoadBalancerArn": {"Ref": "LoadBalancer"}, "DefaultActions": [answers], **listener}
    resources = {
        "LoadBalancer": {
            "Type": "AWS::ElasticLoadBalancingV2::LoadBalancer",
            "Properties": {"Name": f"{env}-litellm", "Subnets": subnets},
        },
        "Listener": {"Type": "AWS::ElasticLoadBalancingV2::Listener", "Properties": how},
    }
    outputs = {"Url": {"Value": {"Fn::Sub": url}}, "AlbArn": {"Value": {"Ref": "LoadBalancer"}}}
    template = json.dumps({"Resources": resources, "Outputs": outputs})
    client(sandbox, "cloudformation").create_stack(StackName=f"{env}-litellm-alb", TemplateBody=template)
    sandbox.finish()


@pytest.mark.parametrize("env", ["local", "prod"])
def test_verify_sees_what_the_load_balancer_answers(user: tuple[User, Sandbox], env: str) -> None:
    """The one of a domain name too, whose certificate is the sandbox's own and is checked."""
    found = json.loads(user[0].run("verify", env, "--format", "json").out)
    (endpoint,) = [one for one in found["checks"] if one["name"] == "endpoint"]

    assert endpoint["outcome"] == "ok", endpoint
    url = f"https://{NAME}" if env == "prod" else "http://localhost:"
    assert endpoint["detail"].startswith(url)


def test_verify_tells_who_is_not_trusted(user: tuple[User, Sandbox], tmp_path: Path) -> None:
    """Another user has not the file of the authority."""
    stranger = User(user[0].folder, user[0].variables | {"XDG_STATE_HOME": str(tmp_path)})

    found = json.loads(stranger.run("verify", "prod", "--format", "json").out)
    (endpoint,) = [one for one in found["checks"] if one["name"] == "endpoint"]

    assert endpoint["outcome"] == "failed"
    assert "certificate" in endpoint["detail"]


def told(command: str) -> str:
    """Return what a command says."""
    return subprocess.run(shlex.split(command), capture_output=True, text=True, timeout=20, check=True).stdout


def test_status_tells_a_command_that_reaches_each_listener(user: tuple[User, Sandbox]) -> None:
    lines = addresses(user[1].backing.balancers())
    commands = [line.partition(": ")[2] for line in lines]
    heard = [told(one if one.startswith("curl") else f"curl {one}") for one in commands]

    assert [line.partition(":")[0] for line in lines] == [
        "load balancer local-litellm, port 80",
        "load balancer prod-litellm, port 443",
    ]
    assert heard == ["local", "prod"]


def test_a_listener_without_a_name_of_yours_is_reached_by_its_own() -> None:
    listener = {
        "balancer": "test",
        "port": 8443,
        "protocol": "HTTPS",
        "here": 4000,
        "names": ["*.example.com"],
        "ca": "/home/a person/ca.pem",
    }
    named = {**listener, "names": ["test.example.com"], "ca": "/ca.pem"}

    connects = "--connect-to test.example.com:8443:localhost:4000 https://test.example.com:8443"
    assert addresses([listener, named]) == [
        "load balancer test, port 8443: curl --cacert '/home/a person/ca.pem' https://localhost:4000",
        f"load balancer test, port 8443: curl --cacert /ca.pem {connects}",
    ]
