"""Hosted zones of the sandbox: ids as Route 53 gives them, and the zone that shipped files name."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import yaml

from sandbox.services.hosted_zones import EXAMPLE
from stacks.bases import environment_files
from stacks.environment import load
from tests.places import ENVIRONMENTS
from tests.sandbox.sandbox_account import client, standing


def test_the_zone_of_shipped_environment_files_is_there_from_the_start() -> None:
    with standing() as sandbox:
        route53 = client(sandbox, "route53")
        with ThreadPoolExecutor(4) as pool:
            names = pool.map(lambda _: route53.get_hosted_zone(Id=EXAMPLE[1])["HostedZone"]["Name"], range(4))
            assert set(names) == {f"{EXAMPLE[0]}."}
        assert len(route53.list_hosted_zones()["HostedZones"]) == 1


def test_every_shipped_file_names_that_zone_or_none() -> None:
    named = set()
    for path in environment_files(ENVIRONMENTS):
        named.add((yaml.safe_load(path.read_text()).get("alb") or {}).get("hosted_zone_id"))

    assert named <= {None, EXAMPLE[1]}


def test_a_zone_that_is_made_has_an_id_that_an_environment_file_takes(tmp_path: Path) -> None:
    with standing() as sandbox:
        zone = client(sandbox, "route53").create_hosted_zone(Name="example.org", CallerReference="1")
    zone_id = zone["HostedZone"]["Id"].rsplit("/", 1)[-1]
    path = tmp_path / "dev.yaml"
    alb = f"{{domain_name: llm.example.org, hosted_zone_id: {zone_id}}}"
    path.write_text(f"system: litellm\nenvironment: dev\nalb: {alb}\n")

    assert re.fullmatch("Z[0-9A-Z]{20}", zone_id)
    assert load(path).alb.hosted_zone_id == zone_id
