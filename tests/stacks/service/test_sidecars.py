"""Containers beside the application's own: what is refused, and what their task definition says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from generator.render import render
from stacks import security, service
from stacks.checking.advice import advice
from stacks.environment import EnvironmentFileError, parse_settings
from stacks.settings import Settings
from tests.linted import check
from tests.stacks.finders import properties, resources

GUARD: dict[str, Any] = {"name": "guard", "image": "docker.io/acme/guard:1.4.2"}
REPOSITORY = "123456789012.dkr.ecr.us-east-1.amazonaws.com/acme/guard"


def file(*sidecars: dict[str, Any], system: str = "litellm", **sections: Any) -> str:
    whole = {"system": system, "environment": "dev", "alb": {"internal": True}, **sections}
    whole["service"] = {**sections.get("service", {}), "sidecars": list(sidecars)}
    return yaml.safe_dump(whole)


def settings(*sidecars: dict[str, Any], **more: Any) -> Settings:
    return parse_settings(file(*sidecars, **more), Path("dev.yaml"))


def refused(*sidecars: dict[str, Any], **more: Any) -> list[str]:
    with pytest.raises(EnvironmentFileError) as caught:
        settings(*sidecars, **more)
    return [f"{one.key}: {one.message}" for one in caught.value.problems]


def containers(configured: Settings, task: str = "ProxyTask") -> dict[str, dict[str, Any]]:
    found = properties(service.build(configured), task)["ContainerDefinitions"]
    return {one["Name"]: one for one in found}


def test_without_sidecars_the_container_has_no_share_of_its_own() -> None:
    (own,) = containers(settings()).values()

    assert not {"Cpu", "MemoryReservation", "DependsOn"} & own.keys()
    assert str(own["Memory"]) == properties(service.build(settings()), "ProxyTask")["Memory"], (
        "its hard limit is the whole task's"
    )


def test_a_sidecar_has_its_share_and_the_application_the_rest() -> None:
    found = containers(settings(GUARD | {"cpu": 64, "memory_mb": 128, "secrets": ["UI_PASSWORD"]}))

    assert list(found) == ["litellm-proxy", "guard"]
    assert (found["litellm-proxy"]["Cpu"], found["litellm-proxy"]["MemoryReservation"]) == (448, 1920)
    guard = found["guard"]
    assert (guard["Cpu"], guard["Memory"], guard["Essential"]) == (64, 128, False)
    assert guard["LogConfiguration"]["Options"]["awslogs-stream-prefix"] == "guard"
    assert guard["LogConfiguration"]["Options"]["awslogs-group"] == {"Ref": "TaskLog"}
    own = {one["Name"]: one for one in found["litellm-proxy"]["Secrets"]}
    assert guard["Secrets"] == [own["UI_PASSWORD"]]


def test_the_size_of_the_task_and_its_price_stay() -> None:
    before, after = (properties(service.build(one), "ProxyTask") for one in (settings(), settings(GUARD)))

    assert (before["Cpu"], before["Memory"]) == (after["Cpu"], after["Memory"]) == ("512", "2048")


def test_it_runs_beside_the_programs_that_it_names() -> None:
    both = {"name": "guard", "image": "acme/guard:1", "cpu": 32, "memory_mb": 64}
    more = {
        "system": "llm-proxy",
        "cache": {"enabled": True, "transit_encryption": "preferred"},
        "dispatcher": {"enabled": True, "cpu": 512, "memory_mb": 1024},
    }
    assert "guard" not in containers(settings(both, **more), "DispatcherTask")
    both["beside"] = ["dispatcher"]
    assert "guard" in containers(settings(both, **more), "DispatcherTask")
    assert "guard" not in containers(settings(both, **more))
    both["beside"] = ["migration"]
    (said,) = refused(both, **more)
    assert said.endswith("migration is no program that runs as a service here; write dispatcher or proxy")


ALONE: tuple[tuple[dict[str, Any], str], ...] = (
    ({"name": "litellm-proxy"}, "[0].name: litellm-proxy is the application's own container"),
    ({"ports": [4000]}, "[0].ports[0]: 4000 is litellm-proxy's own (service.port)"),
    ({"ports": [80, 80]}, "[0].ports[1]: 80 is guard's"),
    ({"cpu": 512}, ": they take 512 CPU units and 256 MB of the 512 and 2048"),
    ({"memory_mb": 1800}, ": they take 128 CPU units and 1800 MB of the 512 and 2048"),
    ({"secrets": ["NOBODYS"]}, "[0].secrets[0]: the tasks of proxy are given no NOBODYS"),
    (
        {"secrets": ["UI_PASSWORD"], "environment": {"UI_PASSWORD": "x"}},
        "[0].secrets[0]: UI_PASSWORD stands in its environment, too",
    ),
    ({"environment": {"API_KEY": "x"}}, "[0].environment.API_KEY: looks like a secret"),
    ({"environment": {"1A": "x"}}, "[0].environment.1A: a variable's name has letters"),
    ({"environment": {"A": "sk-123456789012"}}, "[0].environment.A: looks like a secret"),
    (
        {"depends_on": [{"container": "litellm-proxy", "condition": "COMPLETE"}]},
        "[0].depends_on[0].condition: litellm-proxy is essential",
    ),
    ({"depends_on": [{"container": "x"}]}, "[0].depends_on[0].container: x is no container of this task"),
    ({"depends_on": [{"container": "guard"}]}, ": guard waits for itself"),
    ({"health_check": {"command": ["/healthcheck"]}}, "[0].health_check.command: ['/healthcheck'] is not"),
    ({"image": "acme/guard:1 "}, "[0].image: 'acme/guard:1 ' is not an image like"),
    ({"image_tag": "1"}, "[0].image_tag: unknown key; did you mean image?"),
)


@pytest.mark.parametrize(("said", "problem"), ALONE, ids=lambda value: str(value)[:40])
def test_what_ecs_refuses_or_what_never_starts_is_refused(said: dict[str, Any], problem: str) -> None:
    found = refused(GUARD | said)

    assert any(one.startswith(f"service.sidecars{problem}") for one in found), found


def test_the_size_that_is_named_is_one_that_is_taken() -> None:
    (said,) = refused(GUARD | {"cpu": 700, "memory_mb": 3000})
    assert said.endswith("write service.cpu: 1024 and service.memory_mb: 5120")

    settings(GUARD | {"cpu": 700, "memory_mb": 3000}, service={"cpu": 1024, "memory_mb": 5120})


def test_two_sidecars_agree_on_names_ports_and_order() -> None:
    first = GUARD | {"cpu": 16, "memory_mb": 32, "ports": [80], "essential": True}
    second = first | {"depends_on": [{"container": "guard", "condition": "SUCCESS"}]}
    assert "service.sidecars[1].name: guard is another sidecar's name; choose another name" in refused(
        first, second
    )

    second |= {"name": "other", "ports": [81]}
    (said,) = refused(first, second)
    assert said.startswith(
        "service.sidecars[1].depends_on[0].condition: guard is essential, and the task ends"
    )
    second["depends_on"] = [{"container": "guard", "condition": "HEALTHY"}]
    assert refused(first, second) == [
        "service.sidecars[1].depends_on[0].condition: guard has no health_check; add one, or write START"
    ]
    first |= {"depends_on": [{"container": "other"}], "health_check": {"command": ["CMD", "/ok"]}}
    assert refused(first, second) == [
        "service.sidecars: guard, other wait for each other, and would never start; take one depends_on away"
    ]


def test_a_task_has_ten_containers_at_the_most() -> None:
    many = [{"name": f"s{one}", "image": "acme/guard:1", "cpu": 2, "memory_mb": 6} for one in range(10)]

    settings(*many[:9])
    assert refused(*many) == [
        "service.sidecars: 10 beside litellm-proxy; a task has 10 containers at the most"
    ]


CLOSED = {
    "network": {"nat_gateways": 0},
    "service": {"providers": ["bedrock"], "bedrock_models": ["amazon.titan-embed-text-v2:0"]},
}


@pytest.mark.parametrize(
    ("image", "registry"),
    [
        ("nginx:1.27", "docker.io"),
        ("acme/guard:1", "docker.io"),
        ("public.ecr.aws/acme/guard:1", "public.ecr.aws"),
        ("ghcr.io/acme/guard:1", "ghcr.io"),
        (
            f"{REPOSITORY.replace('us-east-1', 'eu-west-1')}:1",
            REPOSITORY.split("/", maxsplit=1)[0].replace("us-east-1", "eu-west-1"),
        ),
    ],
)
def test_a_closed_network_reaches_its_own_regions_ecr_alone(image: str, registry: str) -> None:
    (said,) = refused(GUARD | {"image": image}, **CLOSED)
    assert said.startswith(
        "network.nat_gateways: without a NAT gateway this needs service.sidecars with images"
    )
    assert f"({registry}: in the internet)" in said

    settings(GUARD | {"image": f"{REPOSITORY}:1"}, **CLOSED)


def test_a_private_image_is_pulled_from_exactly_its_repository() -> None:
    configured = settings(GUARD | {"image": f"{REPOSITORY}:1"}, {"name": "b", "image": "nginx:1.27"})
    role = properties(security.build(configured), "ExecutionRole")
    statements = {one["Sid"]: one for one in role["Policies"][0]["PolicyDocument"]["Statement"]}

    assert statements["PullSidecarImages"]["Resource"] == [
        {"Fn::Sub": "arn:${AWS::Partition}:ecr:us-east-1:123456789012:repository/acme/guard"}
    ]
    plain = properties(security.build(settings(GUARD)), "ExecutionRole")
    assert "PullSidecarImages" not in json.dumps(plain)


@pytest.mark.parametrize(
    ("image", "told"),
    [("nginx", True), ("nginx:latest", True), ("nginx:1.27", False), ("nginx@sha256:" + "0" * 64, False)],
)
def test_an_image_that_moves_is_advised_against(image: str, *, told: bool) -> None:
    said = advice(settings(GUARD | {"image": image}))

    assert any(one.startswith(f"service.sidecars: guard: {image} is another image") for one in said) is told


def test_what_is_left_is_what_the_advice_looks_at() -> None:
    said = advice(settings(GUARD | {"cpu": 400}))

    assert (
        "service.sidecars: they leave 112 CPU units of 512 to litellm-proxy; raise service.cpu, or lower"
        in str(said)
    )
    assert any(
        one.startswith("service.memory_mb: 1792 MB beside the task's other containers") for one in said
    )


def test_cfn_lint_finds_nothing_wrong_with_all_of_it() -> None:
    whole = GUARD | {
        "cpu": 64,
        "memory_mb": 128,
        "essential": True,
        "environment": {"A": "1"},
        "secrets": ["UI_PASSWORD"],
        "command": ["--x"],
        "entry_point": ["/guard"],
        "ports": [80],
        "health_check": {"command": ["CMD-SHELL", "true"]},
        "depends_on": [{"container": "litellm-proxy", "condition": "HEALTHY"}],
        "user": "1000:1000",
        "readonly_root": True,
    }
    manifest = render(settings(whole, observability={"collector": "otel"}))

    assert [str(one) for one in check(manifest)] == []


def test_the_collector_is_one_line() -> None:
    configured = settings(
        observability={"collector": "otel"},
        service={"config": {"litellm_settings": {"callbacks": ["prometheus"]}}},
    )
    found = containers(configured)

    collector = found["collector"]
    assert collector["Image"] == "public.ecr.aws/aws-observability/aws-otel-collector:v0.49.0"
    given = {one["Name"]: one["Value"] for one in found["litellm-proxy"]["Environment"]}
    port = collector["PortMappings"][0]["ContainerPort"]
    assert given["OTEL_EXPORTER_OTLP_ENDPOINT"] == f"http://127.0.0.1:{port}"
    (written,) = collector["Environment"]
    told = yaml.safe_load(written["Value"])
    assert set(told["service"]["pipelines"]) == {"traces", "metrics"}
    group = told["exporters"]["awsemf"]["log_group_name"]
    groups = resources(service.build(configured), "AWS::Logs::LogGroup")
    assert groups["MetricsLog"]["Properties"]["LogGroupName"] == group == "/ecs/dev-litellm-metrics"
    role = json.dumps(properties(security.build(configured), "TaskRole"))
    assert f"log-group:{group}:*" in role
    assert "xray:PutTraceSegments" in role
    config = yaml.safe_load(render(configured).files["litellm-config.yaml"])
    assert config["litellm_settings"]["callbacks"] == ["prometheus", "otel"]
    assert config["callback_settings"]["otel"] == {"message_logging": False}


def test_the_collector_counts_with_the_other_containers() -> None:
    otel = {"observability": {"collector": "otel"}}

    assert "collector is a container of gatestack's own" in refused(GUARD | {"name": "collector"}, **otel)[0]
    assert "4318 is collector's, which gatestack adds" in refused(GUARD | {"ports": [4318]}, **otel)[0]
    assert "public.ecr.aws: in the internet" in refused(**CLOSED, **otel)[0]
    image = {"observability": {"collector": "otel", "collector_image": f"{REPOSITORY}:1"}}
    endpoints = render(settings(**CLOSED, **image)).stacks[1].template
    assert "com.amazonaws.us-east-1.xray" in endpoints


@pytest.mark.parametrize("system", ["litellm", "litellm-benchmark", "llm-proxy", "llm-testing"])
def test_every_system_takes_a_sidecar_and_the_collector_as_it_is_shipped(system: str) -> None:
    small = GUARD | {"cpu": 32, "memory_mb": 64}

    assert settings(small, system=system)
    otel = settings(system=system, observability={"collector": "otel"})
    assert "collector" in json.dumps(render(otel).stacks[-1].template)
