"""Whether public DNS leads to the hosted zone, before a certificate waits for it; on loopback."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from deployer.aws.edges import Edges
from deployer.checks import resolver
from deployer.checks.check import check_existing
from deployer.checks.delegation import Delegation, asks_dns, delegation_problems
from deployer.checks.facts import Facts, Record, Zone
from deployer.errors import Refused
from generator.manifest import Existing
from tests.deployer.checks.existing_vpc import ARN, facts
from tests.deployer.checks.name_server import Records, serving
from tests.deployer.fakes import Clock, FakeCloud, manifest

OURS = ("ns-1.awsdns-00.com", "ns-2.awsdns-00.org")
THEIRS = ("ns1.registrar.example", "ns2.registrar.example")
DOMAIN = "example.com"


def looked_up(records: Records, **how: Any) -> Delegation:
    with serving(records, **how) as server:
        return resolver.delegation(DOMAIN, OURS, server.place)


@pytest.mark.parametrize("cut", [False, True])
def test_a_domain_that_leads_to_the_zone_is_no_problem(*, cut: bool) -> None:
    found = looked_up({(DOMAIN, "NS"): ("NS-1.awsdns-00.COM", OURS[1])}, cut=cut)

    assert found.servers == OURS
    assert list(delegation_problems(DOMAIN, OURS, found)) == []


def test_servers_of_other_names_are_the_zones_where_they_have_its_addresses() -> None:
    records = {
        (DOMAIN, "NS"): ("ns1.example.com",),
        ("ns1.example.com", "A"): ("192.0.2.1",),
        (OURS[0], "A"): ("192.0.2.9",),
        (OURS[1], "A"): ("192.0.2.1",),
    }

    assert list(delegation_problems(DOMAIN, OURS, looked_up(records))) == []
    other = looked_up({**records, ("ns1.example.com", "A"): ("192.0.2.7",)})
    assert [one.refused for one in delegation_problems(DOMAIN, OURS, other)] == [True]


@pytest.mark.parametrize(
    ("records", "says"),
    [
        ({(DOMAIN, "NS"): THEIRS, (THEIRS[0], "A"): ("192.0.2.5",)}, "delegated to ns1.registrar.example"),
        ({(DOMAIN, "A"): ("192.0.2.5",)}, "is not delegated"),
        ({}, "is not delegated"),
    ],
)  # fmt: skip
def test_a_domain_that_leads_elsewhere_is_refused_with_the_servers_to_name(records: Any, says: str) -> None:
    (found,) = delegation_problems(DOMAIN, OURS, looked_up(records))

    assert found.refused
    assert says in found.text
    assert "name ns-1.awsdns-00.com, ns-2.awsdns-00.org as its name servers" in found.text


FORGED = {
    "nothing": b"\0",
    "another question's": b"\xff\xff\x81\x80" + bytes(8),
    "a name that points to itself": b"\0\0\x81\x80\0\1\0\0\0\0\0\0\xc0\x0c",
}


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({"flags": 0x8182}, "answers with error 2"),
        ({"flags": 0x8100}, "asks no other one"),
        *(({"forged": text}, "DNS server") for text in FORGED.values()),
    ],
)
def test_what_nobody_can_look_up_is_a_warning(how: Any, says: str) -> None:
    (found,) = delegation_problems(DOMAIN, OURS, looked_up({(DOMAIN, "A"): ("192.0.2.5",)}, **how))

    assert not found.refused
    assert says in found.text
    assert "`dig NS example.com` has to answer" in found.text


def test_a_server_that_is_not_there_is_told_and_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        monkeypatch.setattr(resolver, "SECONDS", 0.01)
        found = resolver.delegation(DOMAIN, OURS, silent.getsockname())

    assert "no answer in time" in found.unknown
    assert resolver.delegation(DOMAIN, OURS, None).unknown == "this machine names no DNS server"


@pytest.mark.parametrize(
    ("named", "place"),
    [
        ("", None),
        ("1.1.1.1", ("1.1.1.1", 53)),
        ("127.0.0.1:5353", ("127.0.0.1", 5353)),
        ("2606:4700::1111", ("2606:4700::1111", 53)),
    ],
)
def test_the_resolver_can_be_named(named: str, place: tuple[str, int] | None) -> None:
    assert resolver.chosen({"GATESTACK_DNS_SERVER": named}) == place


@pytest.mark.parametrize(
    ("wanted", "zone", "asks"),
    [
        (Existing(hosted_zone_id="Z1"), Zone(DOMAIN, servers=OURS), True),
        (Existing(hosted_zone_id="Z1", certificate_arn=ARN), Zone(DOMAIN, servers=OURS), False),
        (Existing(hosted_zone_id="Z1"), Zone(DOMAIN, private=True, servers=OURS), False),
        (Existing(hosted_zone_id="Z1"), Zone(DOMAIN), False),
    ],
)
def test_dns_is_asked_only_where_a_certificate_is_to_be_validated(
    wanted: Existing, zone: Zone, *, asks: bool
) -> None:
    assert asks_dns(wanted, zone) is asks


class Zoned(FakeCloud):
    """An account with a hosted zone; how DNS leads to it is given."""

    def __init__(self, told: Delegation | None, records: tuple[Record, ...] = ()) -> None:
        super().__init__(Clock())
        self.told, self.asked, self.there = told, 0, records

    def existing(self, _wanted: Existing, _tags: Any) -> Facts:
        return facts(zone=Zone(DOMAIN, servers=OURS), records=self.there)

    def delegation(self, domain: str, servers: Any) -> Delegation | None:
        assert (domain, servers) == (DOMAIN, OURS)
        self.asked += 1
        return self.told


WANTED = Existing(hosted_zone_id="Z1", domain="llm.example.com")


def test_plan_and_deploy_refuse_before_a_certificate_is_made() -> None:
    with pytest.raises(
        Refused, match=r"alb.hosted_zone_id: example.com is not delegated .*\(nothing was changed\)"
    ):
        check_existing(manifest(existing=WANTED), Zoned(Delegation()))


def test_where_it_is_not_known_they_warn_and_where_nobody_asks_they_say_nothing() -> None:
    (warned,) = check_existing(manifest(existing=WANTED), Zoned(Delegation(unknown="no answer in time")))

    assert "could not be checked (no answer in time)" in warned
    assert check_existing(manifest(existing=WANTED), Zoned(None)) == ()
    assert check_existing(manifest(existing=WANTED), Zoned(Delegation(OURS))) == ()


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "https://route53.amazonaws.com"])
def test_of_an_emulated_zone_only_a_resolver_that_is_named_is_asked(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = type("Client", (), {"meta": type("Meta", (), {"endpoint_url": url, "region_name": "us-east-1"})})
    edges = Edges(lambda _: client, "us-east-1")
    monkeypatch.setattr(resolver, "own", lambda: None)

    unnamed = edges.delegation(DOMAIN, OURS)
    assert (unnamed is None) == url.startswith("http:")
    with serving({(DOMAIN, "NS"): OURS}) as server:
        monkeypatch.setenv("GATESTACK_DNS_SERVER", server.address)
        assert edges.delegation(DOMAIN, OURS) == Delegation(OURS)
