"""Existing VPC, subnets, certificate and hosted zone: every rule, over facts as AWS would tell them."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from deployer.checks.check import check_existing
from deployer.checks.domain import BUNDLE, domain_problems
from deployer.checks.facts import Bundle, Certificate, Dns, Endpoint, Facts, Problem, Record, Route, Vpc, Zone
from deployer.checks.subnets import subnet_problems
from deployer.checks.vpc import vpc_problems
from deployer.errors import Refused
from generator.manifest import Existing
from tests.deployer.checks.existing_vpc import (
    ARN,
    DATA,
    NOW,
    OURS,
    PRIVATE,
    PUBLIC,
    facts,
    kind,
    routed,
    subnet,
    table,
    wanted,
)
from tests.deployer.fakes import manifest

VPC, CIDR, ENDPOINTS = "network.existing_vpc.vpc_id", "network.vpc_cidr", "network.vpc_endpoints"
CERTIFICATE, DOMAIN, ZONE = "alb.certificate_arn", "alb.domain_name", "alb.hosted_zone_id"
LOGS = "com.amazonaws.us-east-1.logs"
DEFAULT = "0.0.0.0/0"


def problems(found: Facts, needs: Existing | None = None, *, ours: bool = False) -> list[Problem]:
    needs = needs or wanted()
    return [
        *vpc_problems(needs, found, OURS),
        *subnet_problems(needs, found),
        *domain_problems(needs, found, NOW, ours=ours),
    ]


def only(found: list[Problem]) -> Problem:
    assert len(found) == 1, [str(one) for one in found]
    return found[0]


def vpc(**changes: Any) -> Facts:
    there = facts().vpc
    assert there
    return facts(vpc=replace(there, **changes))


def certificate(**changes: Any) -> Facts:
    there = facts().certificate
    assert there
    return facts(certificate=replace(there, **changes))


def beside(*endpoints: Endpoint) -> Facts:
    return facts(endpoints=(*facts().endpoints, *endpoints))


def test_where_everything_is_as_it_should_be_nothing_is_said() -> None:
    assert problems(facts()) == []


def test_an_environment_that_names_a_certificate_alone_is_asked_about_nothing_else() -> None:
    needs = Existing(certificate_arn=ARN, domain="llm.example.com")

    assert problems(Facts("us-east-1", certificate=facts().certificate), needs) == []


@pytest.mark.parametrize(
    ("found", "key", "text"),
    [
        (
            facts(vpc=None),
            VPC,
            "there is no VPC vpc-1 in us-east-1, for these credentials (the subnets are in",
        ),
        (vpc(state="pending"), VPC, "vpc-1 is pending; wait until it is available"),
        (
            vpc(tenancy="dedicated"),
            VPC,
            "vpc-1 has dedicated tenancy, in which the rotation functions cannot be",
        ),
        (
            vpc(cidrs=("10.1.0.0/16", "10.2.0.0/16")),
            CIDR,
            "is not in vpc-1, which has 10.1.0.0/16, 10.2.0.0/16; write 10.1.0.0/16 or 10.2.0.0/16",
        ),
        (
            facts(dns=Dns(support=True, hostnames=False)),
            ENDPOINTS,
            "enableDnsHostnames of vpc-1 must be on for private names of the endpoints",
        ),
        (
            facts(dns=Dns(support=False, hostnames=False)),
            ENDPOINTS,
            "enableDnsSupport and enableDnsHostnames of vpc-1 must be on",
        ),
        (
            beside(Endpoint("vpce-1", LOGS, "Interface", private_dns=True)),
            ENDPOINTS,
            f"endpoints with private names for {LOGS} (vpce-1), and one VPC takes no second; write false",
        ),
        (
            beside(
                Endpoint("vpce-1", LOGS, "Interface", private_dns=True, tags=OURS | {"Environment": "qa"})
            ),
            ENDPOINTS,
            f"{LOGS} (vpce-1 of qa-litellm)",
        ),
    ],
)
def test_a_vpc_that_does_not_fit_is_refused(found: Facts, key: str, text: str) -> None:
    problem = only(problems(found))

    assert (problem.key, problem.refused) == (key, True)
    assert text in problem.text


@pytest.mark.parametrize(
    "found",
    [
        vpc(cidrs=("172.16.0.0/16", "10.0.0.0/8")),
        beside(Endpoint("vpce-1", LOGS, "Interface", private_dns=True, tags=OURS | {"Stack": "network"})),
        beside(Endpoint("vpce-1", LOGS, "Interface", private_dns=False)),
        beside(Endpoint("vpce-1", "com.amazonaws.us-east-1.kms", "Interface", private_dns=True)),
    ],
    ids=["a secondary range", "our own endpoint", "without private name", "another service"],
)
def test_a_vpc_that_fits_is_taken(found: Facts) -> None:
    assert problems(found) == []


def test_names_need_not_be_on_where_no_endpoint_is_made() -> None:
    assert problems(facts(dns=Dns(support=False, hostnames=False)), wanted(endpoints=())) == []


def test_s3_without_a_gateway_endpoint_is_a_warning() -> None:
    problem = only(problems(facts(endpoints=())))

    assert (problem.key, problem.refused) == (VPC, False)
    assert "no gateway endpoint of S3 in rtb-private" in problem.text


@pytest.mark.parametrize(
    ("found", "key", "text"),
    [
        (
            facts(subnets=facts().subnets[1:]),
            PUBLIC,
            "there is no subnet subnet-a in us-east-1; correct the id",
        ),
        (
            subnet("subnet-c", vpc_id="vpc-2"),
            PRIVATE,
            "subnet-c is in vpc-2, not in vpc-1; name a subnet of the VPC",
        ),
        (
            subnet("subnet-f", zone="us-east-1a"),
            DATA,
            "subnet-e and subnet-f are both in us-east-1a; name two in different availability zones",
        ),
        (
            subnet("subnet-a", zone="us-east-1-bos-1a"),
            PUBLIC,
            "subnet-a is in us-east-1-bos-1a, which is no availability zone of the region's own",
        ),
        (
            subnet("subnet-a", zone="us-east-1-wl1-bos-wlz-1"),
            PUBLIC,
            "subnet-a is in us-east-1-wl1-bos-wlz-1, which is no availability zone",
        ),
        (subnet("subnet-b", outpost=True), PUBLIC, "subnet-b is on an Outpost"),
        (subnet("subnet-c", cidr="", free=0), PRIVATE, "subnet-c has no IPv4 addresses"),
        (
            replace(subnet("subnet-c", cidr="10.5.0.0/24"), vpc=Vpc("vpc-1", "available", ("10.0.0.0/8",))),
            PRIVATE,
            "subnet-c (10.5.0.0/24) is outside network.vpc_cidr, 10.0.0.0/16, which alone reaches the",
        ),
        (
            subnet("subnet-b", free=7, cidr="10.0.1.0/28"),
            PUBLIC,
            "(10.0.1.0/28) has 7 free addresses, 1 too few for load balancer 8; name a larger subnet",
        ),
        (
            subnet("subnet-c", free=3),
            PRIVATE,
            "has 3 free addresses, 7 too few for tasks 5, functions 1, endpoints 4; name a larger",
        ),
    ],
)
def test_a_subnet_that_does_not_fit_is_refused(found: Facts, key: str, text: str) -> None:
    problem = only(problems(found))

    assert (problem.key, problem.refused) == (key, True)
    assert text in problem.text


def test_endpoints_of_one_zone_take_room_in_the_first_subnet_only() -> None:
    assert problems(subnet("subnet-d", free=6)) == []


@pytest.mark.parametrize(("free", "ours"), [(3, 7), (0, 40)])
def test_what_the_environment_holds_already_needs_no_room(free: int, ours: int) -> None:
    found = replace(subnet("subnet-c", free=free), interfaces={"subnet-c": ours})

    assert problems(found) == []


def test_a_subnet_that_runs_full_around_an_environment_is_a_warning() -> None:
    found = replace(subnet("subnet-c", free=1), interfaces={"subnet-c": 6})

    problem = only(problems(found))

    assert (problem.key, problem.refused) == (PRIVATE, False)
    assert "has 1 free addresses beside 6 of the environment's own, 3 too few" in problem.text


@pytest.mark.parametrize(
    ("found", "key", "text"),
    [
        (
            routed(table("rtb-1", "a")),
            PUBLIC,
            "subnet-a (rtb-1) has no default route to an internet gateway; add 0.0.0.0/0 to one",
        ),
        (
            routed(table("rtb-1", "a", Route(DEFAULT, "nat-1"))),
            PUBLIC,
            "has no default route to an internet gateway (it routes to nat-1)",
        ),
        (
            routed(table("rtb-1", "a", Route(DEFAULT, "igw-9", active=False))),
            PUBLIC,
            "has no default route to an internet gateway: igw-9 is gone",
        ),
        (
            routed(table("rtb-private", "c", Route(DEFAULT, "igw-1"))),
            PRIVATE,
            "routes to an internet gateway, which resources without a public address cannot use",
        ),
        (
            routed(table("rtb-private", "c")),
            PRIVATE,
            "has no outbound route: tasks cannot reach the model providers",
        ),
        (
            routed(table("rtb-private", "c", Route(DEFAULT, "nat-9", active=False))),
            PRIVATE,
            "has no outbound route: nat-9 is gone: tasks",
        ),
        (
            routed(table("rtb-private", "c", Route(DEFAULT, "pcx-1"))),
            PRIVATE,
            "has no outbound route (it routes to pcx-1)",
        ),
        (
            routed(table("rtb-private", "c", Route("0.0.0.0/1", "nat-1"))),
            PRIVATE,
            "has no outbound route",
        ),
        (
            routed(
                table(
                    "rtb-private",
                    "c",
                    Route("0.0.0.0/1", "nat-1"),
                    Route("128.0.0.0/1", "nat-2", active=False),
                )
            ),
            PRIVATE,
            "has no outbound route: nat-2 is gone",
        ),
        (
            routed(table("rtb-data", "e", Route(DEFAULT, "igw-1"))),
            DATA,
            "routes to an internet gateway; name a subnet without that route",
        ),
    ],
)
def test_a_route_that_leads_elsewhere_is_refused(found: Facts, key: str, text: str) -> None:
    problem = only(problems(found))

    assert (problem.key, problem.refused) == (key, True)
    assert text in problem.text


@pytest.mark.parametrize(
    "target",
    ["nat-1", "tgw-1", "eni-1", "i-1", "vgw-1", "vpce-1", "arn:aws:networkmanager::1:core-network/c"],
)
def test_whatever_leads_out_is_a_way_out_for_tasks(target: str) -> None:
    assert problems(routed(table("rtb-private", "cd", Route(DEFAULT, target)))) == []


def test_two_halves_lead_everywhere_too() -> None:
    halves = (Route("0.0.0.0/1", "nat-1"), Route("128.0.0.0/1", "nat-1"))

    assert problems(routed(table("rtb-private", "c", *halves))) == []


def test_a_firewall_may_stand_before_the_load_balancer() -> None:
    assert problems(routed(table("rtb-1", "ab", Route(DEFAULT, "vpce-1")))) == []


def test_a_subnet_that_names_no_route_table_has_the_main_one() -> None:
    main, public, _ = facts().tables
    found = facts(tables=(replace(main, routes=(Route(DEFAULT, "tgw-1"),)), public))

    assert [one.text.split(":")[0] for one in problems(found)] == ["no gateway endpoint of S3 in rtb-main"]


def test_a_route_table_that_nobody_shows_is_a_warning() -> None:
    _, public, private = facts().tables

    found = problems(facts(tables=(public, private)))

    assert [(one.key, one.refused) for one in found] == [(DATA, False)] * 2
    assert "the route table of subnet-e cannot be seen (a shared VPC's owner sees it)" in found[0].text


def test_without_a_way_out_endpoints_are_enough_where_nothing_outside_is_called() -> None:
    needs = replace(kind(PRIVATE, way_out="endpoints"), reached=("ecs", "sts"))
    closed = routed(table("rtb-private", "cd"))
    there = tuple(
        Endpoint(f"vpce-{one}", f"com.amazonaws.us-east-1.{one}", "Interface", private_dns=True)
        for one in ("ecs", "sts")
    )

    assert problems(replace(closed, endpoints=(*closed.endpoints, *there)), needs) == []
    first, second = problems(replace(closed, endpoints=(*closed.endpoints, there[0])), needs)
    assert (first.refused, second.refused) == (False, False)
    assert "no endpoint with a private name for sts; tasks and rotations need them" in first.text


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (facts(certificate=None), f"there is no certificate {ARN} in this account and region"),
        (
            certificate(status="PENDING_VALIDATION"),
            "is PENDING_VALIDATION; create its validation record in DNS",
        ),
        (certificate(status="EXPIRED"), "is EXPIRED; renew it"),
        (certificate(status="REVOKED"), "is REVOKED; name one that is ISSUED"),
        (certificate(ends=NOW - timedelta(days=1)), "expired on 2026-11-20; renew it"),
        (certificate(names=("*.example.org",)), "is for *.example.org, which does not cover llm.example.com"),
        (certificate(names=("*.com",)), "does not cover llm.example.com"),
        (certificate(names=("example.com", "*.eu.example.com")), "does not cover llm.example.com"),
        (certificate(algorithm="ED25519"), "has a key of ED25519, which a load balancer does not take"),
    ],
)
def test_a_certificate_that_does_not_fit_is_refused(found: Facts, text: str) -> None:
    problem = only(problems(found))

    assert (problem.key, problem.refused) == (CERTIFICATE, True)
    assert text in problem.text


@pytest.mark.parametrize(
    "names", [("llm.example.com",), ("other.org", "*.example.com"), ("LLM.Example.com",)]
)
def test_a_certificate_covers_its_names_and_one_label_of_a_wildcard(names: tuple[str, ...]) -> None:
    assert problems(certificate(names=names, algorithm="EC_prime256v1")) == []


def test_a_certificate_of_another_region_is_refused() -> None:
    needs = wanted(certificate_arn=ARN.replace("us-east-1", "eu-west-1"))

    problem = only(problems(facts(certificate=None), needs))

    assert problem.text == "is in eu-west-1; the load balancer needs one of us-east-1"


LATER = NOW + timedelta(days=90)


@pytest.mark.parametrize(
    ("found", "refused", "text"),
    [
        (None, True, "there is no file s3://acme/ca.pem, for these credentials; put the authorities'"),
        (Bundle(0, ()), True, "cannot be read as certificates in PEM; replace it"),
        (Bundle(2, None), True, "cannot be read as certificates in PEM; replace it"),
        (Bundle(2, ()), True, "none of the certificates in s3://acme/ca.pem is an authority's; add those"),
        (
            Bundle(1, (LATER,), private_key=True),
            True,
            "has a private key, which belongs to its authority alone",
        ),
        (Bundle(2, (NOW, NOW)), True, "2 of 2 authorities in s3://acme/ca.pem have expired; put their new"),
        (Bundle(2, (NOW, LATER)), False, "1 of 2 authorities in s3://acme/ca.pem have expired"),
        (Bundle(26, (LATER,) * 26), False, "AWS takes 25 by default; have it raise the account's quota"),
    ],
)
def test_a_file_that_keeps_clients_out_is_refused(found: Bundle | None, text: str, *, refused: bool) -> None:
    problem = only(problems(facts(bundle=found), wanted(bundle="s3://acme/ca.pem")))

    assert (problem.key, problem.refused) == (BUNDLE, refused)
    assert text in problem.text


def test_a_file_of_authorities_is_passed_over_in_silence_and_a_version_that_is_none_is_named() -> None:
    needs = wanted(bundle="s3://acme/ca.pem", bundle_version="v9")

    assert problems(facts(bundle=Bundle(2, (LATER, LATER))), needs) == []
    assert "s3://acme/ca.pem has no version v9" in only(problems(facts(bundle=None), needs)).text
    assert problems(facts(unknown={"bundle": "denied"}), needs) == []


def test_an_imported_certificate_that_ends_soon_is_a_warning_and_acms_own_is_renewed_by_itself() -> None:
    soon: dict[str, Any] = {"ends": NOW + timedelta(days=20)}

    problem = only(problems(certificate(**soon, imported=True)))

    assert (problem.refused, "expires on 2026-12-11 and was imported" in problem.text) == (False, True)
    assert problems(certificate(**soon)) == []


@pytest.mark.parametrize(
    ("found", "key", "text"),
    [
        (
            facts(zone=None),
            ZONE,
            "there is no hosted zone Z1 for these credentials; correct the id, or log in",
        ),
        (facts(zone=Zone("example.org")), ZONE, "llm.example.com of alb.domain_name is not in example.org"),
        (facts(zone=Zone("m.example.com")), ZONE, "is not in m.example.com, the zone Z1"),
        (
            facts(zone=Zone("example.com", private=True, vpcs=("vpc-1",))),
            ZONE,
            "Z1 is a private zone: clients in the internet cannot look the address up there",
        ),
        (
            facts(records=(Record("CNAME", "old.example.com"),)),
            DOMAIN,
            "llm.example.com is in Z1 already (CNAME old.example.com); delete that record",
        ),
        (facts(records=(Record("A", ""), Record("A", ""))), DOMAIN, "is in Z1 already (A); delete"),
    ],
)
def test_a_zone_that_does_not_fit_is_refused(found: Facts, key: str, text: str) -> None:
    problem = only(problems(found))

    assert (problem.key, problem.refused) == (key, True)
    assert text in problem.text


def test_the_environments_own_record_is_no_problem() -> None:
    assert (
        problems(facts(records=(Record("A", "dualstack.dev-litellm-1.elb.amazonaws.com"),)), ours=True) == []
    )


def test_a_domain_that_is_the_zone_itself_is_in_it() -> None:
    found = replace(certificate(names=("example.com",)), zone=Zone("example.com"))

    assert problems(found, wanted(domain="example.com")) == []


def test_an_internal_load_balancer_may_be_in_a_private_zone_that_answers_in_its_vpc() -> None:
    needs = wanted(internal=True)
    inside = facts(zone=Zone("example.com", private=True, vpcs=("vpc-1",)))
    elsewhere = facts(zone=Zone("example.com", private=True, vpcs=("vpc-2",)))

    assert problems(inside, needs) == []
    problem = only(problems(elsewhere, needs))
    assert (problem.refused, "does not answer in vpc-1" in problem.text) == (False, True)


def test_acm_proves_no_domain_in_a_private_zone() -> None:
    needs = Existing(domain="llm.example.com", hosted_zone_id="Z1", internal=True)

    refused, warned = problems(Facts("us-east-1", zone=Zone("example.com", private=True)), needs)

    assert (refused.refused, "ACM finds no proof of the domain there" in refused.text) == (True, True)
    assert (warned.refused, "answers in the new VPC only when it is associated" in warned.text) == (
        False,
        True,
    )


def test_of_what_could_not_be_asked_nothing_is_concluded() -> None:
    asked = ("vpc", "dns", "subnets", "routes", "endpoints", "interfaces", "certificate", "zone", "records")

    assert problems(Facts("us-east-1", unknown=dict.fromkeys(asked, "denied"))) == []


@pytest.mark.parametrize("asked", ["vpc", "dns", "routes", "endpoints", "interfaces", "certificate", "zone"])
def test_one_thing_that_could_not_be_asked_makes_no_other_a_problem(asked: Any) -> None:
    blank: dict[str, Any] = {
        "vpc": None,
        "dns": None,
        "routes": (),
        "endpoints": (),
        "interfaces": {},
        "certificate": None,
        "zone": None,
    }
    field = "tables" if asked == "routes" else asked

    assert problems(facts(**{field: blank[asked]}, unknown={asked: "denied"})) == []


def test_a_vpc_id_that_is_wrong_does_not_make_every_subnet_wrong() -> None:
    problem = only(problems(facts(vpc=None, dns=None, tables=(), endpoints=()), wanted(vpc_id="vpc-9")))

    assert "(the subnets are in vpc-1)" in problem.text


def test_a_certificate_of_no_domain_may_be_for_any_name() -> None:
    needs = wanted(domain=None, hosted_zone_id=None)

    assert problems(facts(certificate=Certificate("ISSUED", ("x.org",), "RSA_4096")), needs) == []


class Answering:
    """A cloud that answers with the same facts, and counts who asks."""

    def __init__(self, found: Facts) -> None:
        self.asked = 0
        self._found = found

    def existing(self, needs: Existing, tags: Any) -> Facts:
        self.asked += 1
        return self._found

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} was asked")


def checked(found: Facts, needs: Existing | None, only: tuple[str, ...] = ()) -> tuple[tuple[str, ...], int]:
    cloud: Any = Answering(found)
    return check_existing(manifest(existing=needs), cloud, only), cloud.asked


def test_an_environment_that_takes_nothing_for_granted_asks_nothing() -> None:
    assert checked(Facts("us-east-1"), None) == ((), 0)


def test_one_problem_is_one_line_and_several_are_a_list() -> None:
    needs = wanted(certificate_arn=None, hosted_zone_id=None)

    with pytest.raises(Refused) as one:
        checked(vpc(state="pending"), needs)
    with pytest.raises(Refused) as two:
        checked(vpc(state="pending", tenancy="dedicated"), needs)

    assert str(one.value) == f"{VPC}: vpc-1 is pending; wait until it is available (nothing was changed)"
    head, *rest = str(two.value).splitlines()
    assert head == "dev has unmet prerequisites, 2 problems; nothing was changed:"
    assert [line.split(":")[0] for line in rest] == [f"  {VPC}"] * 2


def test_what_was_not_checked_is_told_once_for_each_reason() -> None:
    unknown: dict[Any, str] = {"routes": "denied", "zone": "no login", "interfaces": "denied"}

    warnings, _ = checked(facts(unknown=unknown), wanted(certificate_arn=None))

    assert warnings == (
        "not checked: the routes, the free addresses: denied",
        "not checked: the hosted zone: no login",
    )


def test_stacks_without_the_load_balancer_do_not_wait_for_its_certificate() -> None:
    found = facts(certificate=None, zone=None)

    assert checked(found, wanted(), ("network", "service")) == ((), 1)
    with pytest.raises(Refused, match="2 problems"):
        checked(found, wanted(), ("alb",))
