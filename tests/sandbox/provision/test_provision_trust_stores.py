"""What Elastic Load Balancing refuses of trust stores and of listeners that ask them, the sandbox refuses."""

from pathlib import Path
from typing import Any

import pytest

from sandbox.gateway.authority import Authority
from sandbox.provisioning import Provisioned, ProvisionError
from sandbox.rehearsal import certificates
from sandbox.resources.entrance import trust_stores
from tests.sandbox.provision_world import REGION, World

STORE, LISTENER = "ElasticLoadBalancingV2::TrustStore", "ElasticLoadBalancingV2::Listener"
ANSWER = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}


@pytest.fixture(scope="module")
def world() -> World:
    return World("000000000104")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> str:
    return Authority(tmp_path_factory.mktemp("authority")).file.read_text()


@pytest.fixture(scope="module")
def balancer(world: World) -> str:
    made = world.make("ElasticLoadBalancingV2::LoadBalancer", Name="doors", Subnets=world.subnets)
    return made.physical_id


def put(world: World, key: str, text: str) -> dict[str, str]:
    world.api("s3").put_object(Bucket=world.bucket, Key=key, Body=text.encode())
    return {"CaCertificatesBundleS3Bucket": world.bucket, "CaCertificatesBundleS3Key": key}


def listener(world: World, balancer: str, port: int, **clients: Any) -> Provisioned:
    arn = certificates.make(world.services, f"a{port}.example.com", REGION, "")
    return world.make(
        LISTENER,
        LoadBalancerArn=balancer,
        Port=port,
        Protocol="HTTPS",
        Certificates=[{"CertificateArn": arn}],
        DefaultActions=[ANSWER],
        MutualAuthentication=clients,
    )


def test_a_bundle_is_read_as_the_store_is_made(world: World, authority: str) -> None:
    file = put(world, "two.pem", f"# ours\n{authority}\n{authority}")

    made = world.make(STORE, Name="two", **file)

    assert made.attributes["NumberOfCaCertificates"] == 2
    with pytest.raises(ProvisionError, match="already exists"):
        world.make(STORE, Name="two", **file)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "could not be found"),
        ("no certificate", "invalid format"),
        ("many", "number of CA certificates"),
    ],
)
def test_a_bundle_that_cannot_be_one_is_refused(
    text: str | None, said: str, world: World, authority: str
) -> None:
    found = {"many": authority * 26}.get(text or "", text or "")
    file = put(world, f"{said}.pem", found)
    if text is None:
        file["CaCertificatesBundleS3Key"] = "nowhere.pem"

    with pytest.raises(ProvisionError, match=said):
        world.make(STORE, Name="refused", **file)


def test_a_store_that_a_listener_asks_stays_until_the_listener_says_off(
    world: World, authority: str, balancer: str
) -> None:
    store = world.make(STORE, Name="asked", **put(world, "asked.pem", authority))
    made = listener(world, balancer, 443, Mode="verify", TrustStoreArn=store.physical_id)
    properties = {"LoadBalancerArn": balancer, "Port": 443, "Protocol": "HTTPS"}
    gone = world.request(STORE, {"Name": "asked"})

    def change(**clients: Any) -> None:
        before = {**properties, "MutualAuthentication": {"Mode": "verify"}}
        wanted = {**properties, **({"MutualAuthentication": clients} if clients else {})}
        world.provisioner.update(world.request(LISTENER, wanted), before, made)

    with pytest.raises(ProvisionError, match="in use"):
        world.provisioner.delete(gone, store)
    change()  # CloudFormation leaves it as it was
    with pytest.raises(ProvisionError, match="in use"):
        world.provisioner.delete(gone, store)
    change(Mode="off")
    world.provisioner.delete(gone, store)
    assert store.physical_id not in trust_stores.held(world.services.backend("elbv2", REGION))


@pytest.mark.parametrize(
    ("clients", "said"),
    [
        ({"Mode": "verify", "TrustStoreArn": "arn:aws:x"}, "not found"),
        ({"Mode": "passthrough", "IgnoreClientCertificateExpiry": True}, "takes none of"),
        ({"Mode": "sometimes"}, "Mode must be one of"),
    ],
)
def test_what_a_listener_cannot_ask_is_refused(
    clients: dict[str, Any], said: str, world: World, balancer: str
) -> None:
    with pytest.raises(ProvisionError, match=said):
        listener(world, balancer, 9443, **clients)


def test_a_listener_without_tls_asks_nobody_and_two_of_a_load_balancer_verify(
    world: World, authority: str
) -> None:
    made = world.make("ElasticLoadBalancingV2::LoadBalancer", Name="three", Subnets=world.subnets)
    store = world.make(STORE, Name="three", **put(world, "three.pem", authority))
    verify = {"Mode": "verify", "TrustStoreArn": store.physical_id}

    with pytest.raises(ProvisionError, match="only on HTTPS"):
        world.make(
            LISTENER,
            LoadBalancerArn=made.physical_id,
            Port=80,
            Protocol="HTTP",
            DefaultActions=[ANSWER],
            MutualAuthentication=verify,
        )
    for port in (443, 8443):
        listener(world, made.physical_id, port, **verify)
    with pytest.raises(ProvisionError, match="2 listeners"):
        listener(world, made.physical_id, 9443, **verify)


def test_another_bundle_takes_the_place_of_the_first(world: World, authority: str, tmp_path: Path) -> None:
    first = put(world, "first.pem", authority)
    made = world.make(STORE, Name="changing", **first)
    second = put(world, "second.pem", authority + Authority(tmp_path).file.read_text())

    changed = world.provisioner.update(world.request(STORE, {"Name": "changing", **second}), first, made)

    assert (changed.physical_id, changed.attributes["NumberOfCaCertificates"]) == (made.physical_id, 2)
