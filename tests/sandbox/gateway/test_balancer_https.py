"""HTTPS at a load balancer of the sandbox: whose certificate it shows, and who is sent there."""

import http.client
import socket
import ssl
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from deployer.day2.probe import Balancer, get_by
from sandbox.gateway.authority import Authority
from sandbox.resources.entrance import trust_stores
from tests.sandbox.gateway.balancer_world import Json, World, ask, forward, said, world
from tests.sandbox.gateway.stand_in_targets import stand_ins
from tests.sandbox.provision_world import REGION
from tests.sandbox.sandbox_account import client, services

TO_HTTPS = {
    "Type": "redirect",
    "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"},
}


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("state")) as made:
        yield made


def certificate(account: World, *names: str) -> str:
    acm = client(account.sandbox, "acm")
    more = {"SubjectAlternativeNames": list(names[1:])} if names[1:] else {}
    made = acm.request_certificate(DomainName=names[0], ValidationMethod="DNS", **more)
    arn: str = made["CertificateArn"]
    return arn


@pytest.fixture(scope="module")
def balancer(account: World) -> Iterator[Json]:
    """One that has two certificates, and leads who comes by HTTP to HTTPS."""
    with stand_ins("127.0.0.2") as targets:
        made, group = account.balancer(), account.group(*targets)
        account.listener(made, TO_HTTPS)
        first = certificate(account, "llm.example.com", "*.llm.example.com")
        listener = account.listener(
            made, forward(group), port=443, Protocol="HTTPS", Certificates=[{"CertificateArn": first}]
        )
        second = [{"CertificateArn": certificate(account, "other.example.org")}]
        account.elb.add_listener_certificates(ListenerArn=listener, Certificates=second)
        yield made


def shown(balancer: Json, name: str, authority: Path) -> tuple[list[str], bytes]:
    """Return the names of the certificate that is shown for *name*, which is checked, and the answer."""
    host, _, port = balancer["DNSName"].partition(":")
    context = ssl.create_default_context(cafile=str(authority))
    with (
        socket.create_connection((host, int(port)), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=name) as secure,
    ):
        secure.sendall(f"GET /v1 HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode())
        found = secure.getpeercert() or {}
        names = [str(value) for kind, value in found.get("subjectAltName", ()) if kind == "DNS"]
        return names, secure.makefile("rb").read()


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("llm.example.com", ["llm.example.com", "*.llm.example.com", "localhost"]),
        ("eu.llm.example.com", ["llm.example.com", "*.llm.example.com", "localhost"]),
        ("other.example.org", ["other.example.org", "localhost"]),
        ("localhost", ["llm.example.com", "*.llm.example.com", "localhost"]),
    ],
)
def test_a_client_that_trusts_the_authority_sees_the_certificate_of_the_name(
    account: World, balancer: Json, name: str, names: list[str]
) -> None:
    found, heard = shown(balancer, name, account.balancers.authority.file)

    assert found == names
    assert heard.startswith(b"HTTP/1.1 200")
    assert b'["x-forwarded-proto", "https"]' in heard
    assert b'["x-forwarded-port", "443"]' in heard


def test_a_name_that_no_certificate_has_is_not_proved(account: World, balancer: Json) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        shown(balancer, "elsewhere.example.net", account.balancers.authority.file)


def test_nobody_trusts_the_authority_unless_told_to(balancer: Json) -> None:
    host, _, port = balancer["DNSName"].partition(":")
    with (
        socket.create_connection((host, int(port)), timeout=10) as plain,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        ssl.create_default_context().wrap_socket(plain, server_hostname="llm.example.com")


def test_who_comes_by_http_is_sent_to_https_at_the_same_address(balancer: Json) -> None:
    host = balancer["DNSName"]

    assert ask(host, "/v1?a=b").headers["location"] == f"https://{host}/v1?a=b"
    assert ask(host, "/", Host="llm.example.com").headers["location"] == "https://llm.example.com:443/"


def test_another_listener_has_a_port_of_its_own_and_tells_who_speaks_no_tls(
    account: World, balancer: Json
) -> None:
    arn = certificate(account, "test.example.com")
    account.listener(balancer, port=8443, Protocol="HTTPS", Certificates=[{"CertificateArn": arn}])
    told = {one["port"]: one for one in account.sandbox.backing.balancers() if one["protocol"] == "HTTPS"}

    assert told[443]["names"] == ["llm.example.com", "*.llm.example.com", "other.example.org"]
    assert told[8443]["here"] != told[443]["here"]
    heard = said(f"localhost:{told[8443]['here']}", b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert heard.startswith(b"HTTP/1.1 400")
    assert b"The plain HTTP request was sent to HTTPS port" in heard


def test_who_shows_no_certificate_of_the_authorities_gets_no_answer(account: World, tmp_path: Path) -> None:
    made, authority = account.balancer(), Authority(tmp_path)
    shown = [{"CertificateArn": certificate(account, "clients.example.com")}]
    arn = account.listener(made, port=443, Protocol="HTTPS", Certificates=shown)
    backend = services(account.sandbox).backend("elbv2", REGION)
    trust_stores.held(backend)["store"] = trust_stores.Held("ours", authority.file.read_text())
    listener = backend.load_balancers[made["LoadBalancerArn"]].listeners[arn]
    host, _, port = made["DNSName"].partition(":")
    here = Balancer(host, int(port), account.balancers.authority.file)
    url = "https://clients.example.com/v1"

    def asked_by(issuer: Authority) -> int:
        context = ssl.create_default_context(cafile=str(account.balancers.authority.file))
        (tmp_path / "client.pem").write_text("".join(issuer.issue(["client"])))
        context.load_cert_chain(tmp_path / "client.pem")
        connection = http.client.HTTPSConnection(host, int(port), timeout=10, context=context)
        try:
            connection.request("GET", "/v1", headers={"Host": "clients.example.com"})
            return connection.getresponse().status
        finally:
            connection.close()

    assert get_by(here, url).status == 404
    listener.mutual_authentication = {"Mode": "verify", "TrustStoreArn": "store"}
    refused = get_by(here, url)
    assert (refused.status, refused.closed, refused.untrusted) == (None, True, False)
    assert asked_by(authority) == 404
    with pytest.raises(OSError, match=r"(?i)ssl|reset|closed"):
        asked_by(account.balancers.authority)
    listener.mutual_authentication = {"Mode": "off"}
    assert get_by(here, url).status == 404


def test_the_authority_outlives_a_restart_and_its_key_is_its_owner_s_alone(tmp_path: Path) -> None:
    found = []
    for _ in range(2):
        with world(tmp_path) as made:
            found.append(made.balancers.authority.file.read_bytes())

    assert found[0] == found[1]
    secret = [one for one in tmp_path.iterdir() if b"PRIVATE KEY" in one.read_bytes()]
    assert [stat.S_IMODE(one.stat().st_mode) for one in secret] == [0o600]
