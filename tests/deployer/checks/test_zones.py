"""Which zones a network gets, in any account: zones that have what it needs, or every reason why not."""

from __future__ import annotations

import random
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployer.checks.placing import GUESSED, zones_for
from deployer.checks.zone_needs import InstanceClass, Needs, needs_of
from deployer.checks.zones import Zone, ZoneFacts, choose, zone_problems
from deployer.errors import Refused
from deployer.progress import Notice
from generator.manifest import Lookup, Manifest
from generator.render import render
from stacks.environment import parse_settings
from tests.deployer.fakes import FakeCloud, manifest, spec
from tests.deployer.run.runs import World, outcomes
from tests.places import ROOT
from tests.rewrite_golden import environment_files
from tests.stacks.environments import PATH

PARAMETER = "AvailabilityZones"
REGIONS = {"us-east-1": "use1", "ap-northeast-1": "apne1", "us-west-1": "usw1", "eu-central-1": "euc1"}
MICRO = InstanceClass("postgres", "15.15", "db.t3.micro")


def settings(text: str) -> Manifest:
    return render(parse_settings(text, PATH))


ENVIRONMENTS = {path.stem: path for path in environment_files()}


@cache
def rendered(name: str) -> Manifest:
    return render(parse_settings(ENVIRONMENTS[name].read_text(), ENVIRONMENTS[name]))


def needs(made: Manifest, *wanted: str) -> Needs:
    network = next(one for one in made.stacks if one.name == "network")
    return needs_of(made, network, PARAMETER, wanted)


@st.composite
def accounts(draw: st.DrawFn) -> tuple[Needs, ZoneFacts]:
    """Draw an account and a shipped environment: a mapping of its own, and gaps anywhere."""
    region, prefix = draw(st.sampled_from(sorted(REGIONS.items())))
    environment = rendered(draw(st.sampled_from(sorted(ENVIRONMENTS))))
    wants = needs(replace(environment, region=region))
    count = draw(st.integers(0, 6))
    ids = draw(st.permutations(range(1, 7)))[:count]
    zones = tuple(
        Zone(f"{region}{letter}", f"{prefix}-az{number}")
        for letter, number in zip("abcdef", ids, strict=False)
    )
    some = st.frozensets(st.sampled_from([one.name for one in zones] or [""]))
    endpoints = {one: draw(some) for one in wants.endpoints if draw(st.booleans())}
    classes = {one: draw(some) for one in wants.classes if draw(st.booleans())}
    return wants, ZoneFacts(zones, endpoints, classes)


@given(accounts(), st.randoms(use_true_random=False))
def test_in_any_account_the_zones_fit_or_every_reason_is_told(
    account: tuple[Needs, ZoneFacts], order: random.Random
) -> None:
    wants, facts = account
    first, second = (
        [one for one in facts.zones if not zone_problems(one, wants, facts, place)] for place in (0, 1)
    )
    if not any(one != other for one in first for other in second):
        with pytest.raises(Refused) as told:
            choose(wants, facts)
        lines = str(told.value).splitlines()[1:-1]
        assert len(lines) == len(facts.zones)
        for zone in facts.zones:
            (line,) = (one for one in lines if str(zone) in one)
            assert all(why in line for why in zone_problems(zone, wants, facts))
        return
    choice = choose(wants, facts)
    assert len(set(choice.zones)) == wants.count == 2
    assert not any(zone_problems(zone, wants, facts, place) for place, zone in enumerate(choice.zones))
    assert {*choice.zones, *(zone for zone, _ in choice.left_out)} == set(facts.zones)
    shuffled = replace(facts, zones=tuple(order.sample(facts.zones, len(facts.zones))))
    assert choose(wants, shuffled) == choice

    named = replace(wants, wanted=tuple(zone.id for zone in choice.zones))
    assert choose(named, facts).zones == choice.zones


ZONES = tuple(
    Zone(f"us-east-1{letter}", f"use1-az{n}") for letter, n in zip("abcd", (6, 3, 10, 4), strict=True)
)
FACTS = ZoneFacts(ZONES)
PLAIN = Needs("us-east-1", 2, nat=frozenset({0}), architectures=frozenset({"X86_64"}))


def test_zones_are_taken_by_their_ids_whatever_they_are_called() -> None:
    assert choose(PLAIN, FACTS).text == (
        "availability zones: us-east-1b (use1-az3), us-east-1d (use1-az4); "
        "left out: us-east-1a (use1-az6): not needed, us-east-1c (use1-az10): not needed"
    )


def test_a_zone_without_arm_is_left_out_for_arm_alone() -> None:
    arm = replace(PLAIN, architectures=frozenset({"ARM64"}))
    choice = choose(arm, FACTS)

    assert [zone.id for zone in choice.zones] == ["use1-az4", "use1-az6"]
    assert "us-east-1b (use1-az3): no ARM tasks" in choice.text


def test_what_only_the_first_zone_needs_the_second_may_lack() -> None:
    tokyo = tuple(Zone(f"ap-northeast-1{letter}", f"apne1-az{n}") for letter, n in (("a", 3), ("c", 1)))
    bare = Needs("ap-northeast-1", 2, nat=frozenset({0}))

    assert [one.id for one in choose(bare, ZoneFacts(tokyo)).zones] == ["apne1-az1", "apne1-az3"]
    with pytest.raises(Refused, match=r"needs 2 availability zones, and 1 of 2 in ap-northeast-1"):
        choose(replace(bare, nat=frozenset({0, 1})), ZoneFacts(tokyo))


def test_a_region_with_too_few_zones_says_what_each_of_them_lacks() -> None:
    logs = "com.amazonaws.us-east-1.logs"
    wants = replace(PLAIN, endpoints={logs: frozenset({0, 1})}, classes=(MICRO,))
    facts = ZoneFacts(ZONES[:2], {logs: frozenset({"us-east-1a"})}, {MICRO: frozenset({"us-east-1a"})})

    with pytest.raises(Refused) as told:
        choose(wants, facts)

    head, *lines, last = str(told.value).splitlines()
    assert head.startswith(
        "the network needs 2 availability zones, and 1 of 2 in us-east-1 have what it needs;"
    )
    assert lines == [
        "  us-east-1b (use1-az3): no endpoint of logs and no db.t3.micro of postgres",
        "  us-east-1a (use1-az6): fits",
    ]
    for remedy in ("another region", "another database.instance_class", "network.existing_vpc"):
        assert remedy in last
    other = replace(wants, classes=(replace(MICRO, name="db.t4g.micro"),), endpoints={})
    assert choose(other, facts).zones == (ZONES[1], ZONES[0])


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        (
            ("us-east-1z", "use1-az4"),
            r"us-east-1z is none of this account's zones, which are us-east-1b \(use1",
        ),
        (
            ("us-east-1b", "use1-az3"),
            r"us-east-1b and use1-az3 are one zone, us-east-1b \(use1-az3\); name two",
        ),
        (
            ("use1-az3", "use1-az4"),
            r"us-east-1b \(use1-az3\) has no ARM tasks; these have all of it: us-east-1a",
        ),
    ],
)
def test_zones_that_the_file_names_and_that_cannot_be_are_refused(wanted: tuple[str, str], says: str) -> None:
    arm = replace(PLAIN, architectures=frozenset({"ARM64"}), wanted=wanted)

    with pytest.raises(Refused, match=rf"^network\.availability_zones: {says}.*nothing was changed"):
        choose(arm, FACTS)


def test_needs_are_what_the_templates_put_into_each_zone() -> None:
    found = needs(
        settings("system: litellm\nenvironment: a\nnetwork: {nat_gateways: 2, endpoint_zones: 2}\n")
    )

    both = frozenset({0, 1})
    assert (found.count, found.nat, found.subnets) == (2, both, ("PrivateSubnet1", "PrivateSubnet2"))
    assert set(found.endpoints) == {
        f"com.amazonaws.us-east-1.{one}" for one in ("ecr.api", "ecr.dkr", "logs", "secretsmanager")
    }
    assert set(found.endpoints.values()) == {both}
    assert (found.architectures, found.classes) == (frozenset({"X86_64"}), (MICRO,))


@pytest.mark.parametrize("name", sorted(ENVIRONMENTS))
def test_every_shipped_environment_has_two_zones(name: str) -> None:
    found = needs(rendered(name))

    assert found.count == 2
    assert found.architectures
    assert all("." in one.name and one.engine and one.version for one in found.classes)


# a network that is there

NETWORK = (ROOT / "tests" / "golden" / "dev" / "network.json").read_text()


def network(wanted: str = "", region: str = "us-east-1") -> Manifest:
    lookup = Lookup(PARAMETER, "availability-zones", {"wanted": wanted})
    return manifest(spec("network", NETWORK, lookups=(lookup,)), region=region)


@pytest.fixture
def world() -> World:
    made = World()
    made.cloud.zone_facts = FACTS
    return made


def live(cloud: FakeCloud) -> str:
    return cloud.stacks(["dev-network"])[0].parameters[PARAMETER]


def test_a_network_stays_where_it_is_whatever_aws_lists_later(world: World) -> None:
    world.deploy(network())
    assert live(world.cloud) == "us-east-1b,us-east-1d"
    assert "left out: us-east-1a (use1-az6): not needed" in world.said(Notice)[0].text
    assert not world.said(Notice)[0].warning
    world.cloud.zone_facts = ZoneFacts((Zone("us-east-1e", "use1-az1"), *reversed(ZONES)))
    world.forget()

    assert outcomes(world.deploy(network())) == {"network": ("none", "done")}
    assert (live(world.cloud), world.cloud.count("zones")) == ("us-east-1b,us-east-1d", 0)

    # the same zones by their ids, and in another order
    world.deploy(network("use1-az4,us-east-1b"))
    assert live(world.cloud) == "us-east-1b,us-east-1d"


def test_a_network_that_is_there_does_not_move_and_the_remedies_work(world: World) -> None:
    world.deploy(network())
    world.forget()

    with pytest.raises(Refused) as told:
        world.deploy(network("use1-az4,use1-az6"))

    assert "existing subnets are in us-east-1b, us-east-1d" in str(told.value)
    assert "write [us-east-1b, us-east-1d] or remove the key" in str(told.value)
    assert world.cloud.count("create_change_set") == 0
    for remedy in ("us-east-1b,us-east-1d", ""):
        assert world.deploy(network(remedy)).exit_code == 0
    elsewhere = network("use1-az4,use1-az6")
    text = NETWORK.replace("dev-litellm", "dev2-litellm")
    beside = (replace(elsewhere.stacks[0], stack_name="dev2-network", template=text),)
    assert world.deploy(replace(elsewhere, environment="dev2", stacks=beside)).exit_code == 0


def test_a_network_of_an_older_gatestack_stays_where_its_subnets_are(world: World) -> None:
    world.cloud.has(
        "dev-network", "UPDATE_COMPLETE", NETWORK.replace('"Ref": "AvailabilityZones"', '"Fn::GetAZs": ""')
    )
    there = {"PrivateSubnet1-id": "us-east-1c", "PrivateSubnet2-id": "us-east-1a"}
    world.cloud.zone_facts = replace(FACTS, subnets=there)

    world.deploy(network())

    assert live(world.cloud) == "us-east-1c,us-east-1a"
    assert world.cloud.acts("zones")[0] == "PrivateSubnet1-id,PrivateSubnet2-id"


def test_a_network_that_has_lost_a_subnet_is_not_moved_and_the_remedy_works(world: World) -> None:
    old = NETWORK.replace('"Ref": "AvailabilityZones"', '"Fn::GetAZs": ""')
    world.cloud.has("dev-network", "UPDATE_COMPLETE", old)
    world.cloud.zone_facts = replace(FACTS, subnets={"PrivateSubnet1-id": "us-east-1c"})

    with pytest.raises(Refused, match=r"dev-network: one of PrivateSubnet1, PrivateSubnet2 is gone"):
        world.deploy(network())

    assert world.deploy(network("us-east-1c,use1-az6")).exit_code == 0
    assert live(world.cloud) == "us-east-1c,us-east-1a"


def test_a_network_whose_first_creation_failed_gets_zones_anew(world: World) -> None:
    before = {PARAMETER: "us-east-1e,us-east-1f"}
    world.cloud.has("dev-network", "ROLLBACK_COMPLETE", NETWORK, parameters=before)

    world.deploy(network())

    assert live(world.cloud) == "us-east-1b,us-east-1d"


def test_refused_zones_are_told_before_anything_is_made(world: World) -> None:
    world.cloud.zone_facts = ZoneFacts(ZONES[:1])

    with pytest.raises(Refused, match="needs 2 availability zones, and 1 of 1"):
        world.deploy(network())

    assert world.cloud.count("create_change_set") == 0


def test_an_endpoint_without_zones_gets_the_first_names_and_a_warning(world: World) -> None:
    world.cloud.zone_facts = None
    wanted = network(region="eu-west-1")

    found = zones_for(wanted, wanted.stacks[0], wanted.stacks[0].lookups[0], world.cloud, None)

    assert (found.text, found.warning) == ("eu-west-1a,eu-west-1b", True)
    assert found.notice.startswith(GUESSED)


def test_what_could_not_be_asked_is_told() -> None:
    choice = choose(PLAIN, replace(FACTS, unknown=("rds DescribeOrderableDBInstanceOptions: no",)))

    assert choice.text.endswith("; not checked: rds DescribeOrderableDBInstanceOptions: no")
