"""What people who run LiteLLM have reported, and what keeps it from happening here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from stacks import database, service
from stacks.checking.advice import advice
from stacks.environment import load, parse_settings
from stacks.settings import Settings
from tests.places import ROOT
from tests.stacks.finders import properties

PROD = ROOT / "environments" / "prod.yaml"


def changed(path: Path = PROD, **sections: dict[str, Any]) -> Settings:
    file = yaml.safe_load(path.read_text())
    for name, values in sections.items():
        file[name] = file.get(name, {}) | values
    return parse_settings(yaml.safe_dump(file), path)


def container(settings: Settings) -> dict[str, Any]:
    return dict(properties(service.build(settings), "ProxyTask")["ContainerDefinitions"][0])


def variables(settings: Settings) -> dict[str, Any]:
    return {one["Name"]: one["Value"] for one in container(settings)["Environment"]}


# behind TLS


def test_behind_tls_the_ui_is_told_its_public_name_and_whom_to_believe() -> None:
    found = variables(load(PROD))

    assert found["PROXY_BASE_URL"] == "https://llm.example.com"
    assert found["FORWARDED_ALLOW_IPS"] == "10.0.1.0/24,10.0.2.0/24"


def test_a_client_inside_the_vpc_cannot_name_another_address() -> None:
    internal = changed(alb={"internal": True})
    private = internal.network.private_subnet_cidrs

    assert variables(internal)["FORWARDED_ALLOW_IPS"] == ",".join(private), "where its load balancer is"


def test_a_certificate_without_a_name_gives_no_public_name() -> None:
    arn = "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"
    found = variables(changed(alb={"domain_name": None, "hosted_zone_id": None, "certificate_arn": arn}))

    assert "PROXY_BASE_URL" not in found
    assert "FORWARDED_ALLOW_IPS" in found


def test_the_environment_file_has_the_last_word_on_name_and_pages() -> None:
    own = {"PROXY_BASE_URL": "https://ai.example.org", "NO_DOCS": "False"}
    found = variables(changed(service={"environment": own}))

    assert {name: found[name] for name in own} == own
    assert found["NO_REDOC"] == "True"


def test_documentation_pages_are_off_in_production_only() -> None:
    pages = {"NO_DOCS", "NO_REDOC", "NO_OPENAPI"}

    assert pages <= variables(load(PROD)).keys()
    assert not pages & variables(load(ROOT / "environments" / "dev.yaml")).keys()


# replaced tasks


@pytest.mark.parametrize(
    ("alb", "config", "warned"),
    [
        ({}, {}, False),
        ({"deregistration_delay_seconds": 300}, {}, True),
        ({"deregistration_delay_seconds": 300}, {"request_timeout": 300}, False),
        ({}, {"request_timeout": 900.5}, True),
    ],
)
def test_a_long_answer_is_not_cut_off_by_a_rollout(
    alb: dict[str, Any], config: dict[str, Any], *, warned: bool
) -> None:
    found = advice(changed(alb=alb, service={"config": {"litellm_settings": config}}))

    assert any(one.startswith("alb.deregistration_delay_seconds: ") for one in found) is warned, found


@pytest.mark.parametrize(("value", "warned"), [(True, True), ("true", True), (False, False), (None, False)])
def test_a_gateway_that_is_open_while_its_database_is_away_is_warned_of(
    value: object, *, warned: bool
) -> None:
    config = {"general_settings": {"allow_requests_on_db_unavailable": value}}
    found = advice(changed(service={"config": config}))

    assert any("requests with any key are answered" in one for one in found) is warned, found


# the machine


@pytest.mark.parametrize("system", ["dev", "prod", "llm-proxy-dev", "llm-testing"])
def test_no_container_of_an_application_has_a_capability(system: str) -> None:
    settings = load(ROOT / "environments" / f"{system}.yaml")
    found = [
        one
        for resource in service.build(settings).template.resources.values()
        if resource.resource_type == "AWS::ECS::TaskDefinition"
        for one in resource.to_dict()["Properties"]["ContainerDefinitions"]
    ]

    assert found
    assert {tuple(one["LinuxParameters"]["Capabilities"]["Drop"]) for one in found} == {("ALL",)}


def test_litellm_and_its_migration_run_as_an_ordinary_user_who_writes_to_memory_alone() -> None:
    settings = load(PROD)
    migration = properties(database.build(settings), "MigrationTask")["ContainerDefinitions"][0]

    for found in (container(settings), migration):
        assert (found["User"], found["ReadonlyRootFilesystem"]) == ("65534:65534", True)
        assert found["LinuxParameters"]["Tmpfs"] == [{"ContainerPath": "/tmp", "Size": 512}]  # noqa: S108
        places = {one["Name"]: one["Value"] for one in found["Environment"]}
        for name in ("HOME", "LITELLM_UI_PATH", "LITELLM_ASSETS_PATH", "LITELLM_MIGRATION_DIR"):
            assert places[name].startswith("/tmp/"), name  # noqa: S108


@pytest.mark.parametrize(
    "keys", [{"service": {"execute_command": True}}, {"region": "eusc-de-east-1"}], ids=["exec", "sovereign"]
)
def test_where_nothing_can_be_written_to_memory_the_file_system_stays_writable(keys: dict[str, Any]) -> None:
    file = yaml.safe_load((ROOT / "environments" / "dev.yaml").read_text())
    file["service"] |= keys.get("service", {})
    file["region"] = keys.get("region", file["region"])
    found = container(parse_settings(yaml.safe_dump(file), PROD))

    assert (found["User"], found["ReadonlyRootFilesystem"]) == ("65534:65534", False)
    assert "Tmpfs" not in found["LinuxParameters"]
