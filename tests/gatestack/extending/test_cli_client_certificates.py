"""Client certificates on the listener, through the commands of their life on the sandbox."""

from pathlib import Path
from typing import Any

import pytest

from sandbox.gateway.authority import Authority
from sandbox.resources.entrance import trust_stores
from sandbox.server import Sandbox
from tests.command import User
from tests.gatestack.extending.signing_in import DOMAIN
from tests.sandbox.sandbox_account import client, services

FILE = "s3://acme-authorities/clients.pem"
CLIENTS = f"  mutual_authentication: {{mode: verify, ca_certificates_bundle: '{FILE}'}}\n"
KEY = "alb.mutual_authentication.ca_certificates_bundle"
ALB = ("--only", "network", "--only", "alb", "--yes")


@pytest.fixture
def verifying(user: User) -> User:
    """Return *user*, whose environment `mine` verifies clients."""
    text = f"system: litellm\nenvironment: mine\n{DOMAIN}{CLIENTS}"
    (user.folder / "environments" / "mine.yaml").write_text(text)
    return user


def put(sandbox: Sandbox, text: str) -> None:
    client(sandbox, "s3").put_object(Bucket="acme-authorities", Key="clients.pem", Body=text.encode())


def asked(sandbox: Sandbox) -> list[Any]:
    """Return what each listener of the one load balancer asks clients for."""
    (balancer,) = services(sandbox).backend("elbv2", "us-east-1").load_balancers.values()
    return [trust_stores.asked_of_clients(one)["Mode"] for one in balancer.listeners.values()]


def test_clients_are_verified_from_the_file_on_until_the_section_goes(
    verifying: User, sandbox: Sandbox, tmp_path: Path
) -> None:
    user = verifying
    linted = user.run("lint", "mine", "--only", "alb")
    assert linted.code == 0, linted.out + linted.err

    for text, said in (
        (None, f"there is no file {FILE}, for these credentials; put the authorities' certificates there"),
        ("nothing", f"{FILE} cannot be read as certificates in PEM; replace it"),
    ):
        if text:
            client(sandbox, "s3").create_bucket(Bucket="acme-authorities")
            put(sandbox, text)
        refused = user.run("deploy", "mine", *ALB)
        assert (refused.code, f"{KEY}: {said}" in refused.err) == (2, True), refused.err
        assert not {call.action for call in sandbox.calls} & {"CreateChangeSet", "CreateStack"}

    put(sandbox, Authority(tmp_path).file.read_text())
    done = user.run("deploy", "mine", *ALB)
    assert done.code == 0, done.err
    assert sorted(asked(sandbox)) == ["off", "verify"]
    assert "ClientCertificates" in user.run("outputs", "mine").out
    assert user.run("plan", "mine", *ALB[:-1], "--detailed-exitcode").code == 0

    user.edit("mine", CLIENTS, "")
    planned = user.run("plan", "mine", *ALB[:-1])
    assert "TrustStore" in planned.out
    off = user.run("deploy", "mine", *ALB)
    assert off.code == 0, off.err
    assert asked(sandbox) == ["off", "off"]
    assert trust_stores.held(services(sandbox).backend("elbv2", "us-east-1")) == {}
