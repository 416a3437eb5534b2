"""Rendering: golden templates of every shipped environment, the manifest on disk, CloudFormation's limits."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from deployer.run.change_sets import inline
from generator import manifest as manifests
from generator.manifest import Lookup, Manifest, StackSpec, Upload
from generator.render import render
from stacks.environment import load, parse_settings
from tests.covering import only
from tests.linted import check
from tests.places import GOLDEN, ROOT
from tests.rewrite_golden import environment_files, write_golden

ENVIRONMENTS = environment_files()


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.stem)
def test_a_shipped_environment_renders_to_its_golden_folder_byte_for_byte(path: Path, tmp_path: Path) -> None:
    write_golden(path, tmp_path)

    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {
        p.name: p.read_text() for p in (GOLDEN / path.stem).iterdir()
    }, "an intended change? run `make golden` and read the diff"


def test_golden_folders_and_environment_files_agree() -> None:
    assert {p.name for p in GOLDEN.iterdir()} == {path.stem for path in ENVIRONMENTS}


def test_two_processes_render_the_same_bytes(tmp_path: Path) -> None:
    for seed in "1", "2":
        subprocess.run(
            [sys.executable, "-m", "gatestack", "generate", "prod", "--out", tmp_path / seed],
            cwd=ROOT,
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        )

    first, second = ({p.name: p.read_bytes() for p in (tmp_path / seed).iterdir()} for seed in "12")
    assert first == second


BEDROCK = {"providers": ["bedrock"], "bedrock_models": ["anthropic.claude-3-haiku-20240307-v1:0"]}
OPTIONS: dict[str, dict[str, Any]] = {
    "internal, data subnets, arm64, one task": {
        "alb": {"internal": True},
        "network": {"data_subnets": True, "flow_logs": True},
        "database": {"performance_insights": True},
        "service": {"architecture": "arm64", "spot": False, "max_tasks": 1},
    },
    "no way out": {
        "network": {"nat_gateways": 0, "data_subnets": True},
        "database": {"snapshot_identifier": "before-the-move"},
        "service": BEDROCK,
        "observability": {"dashboard": True, "container_insights": True, "xray": True},
        "secrets": {"rotation_days": 1000},
    },
    "aurora, readers, insights": {
        "tier": "production",
        "alb": {"internal": True},
        "network": {"data_subnets": True},
        "database": {
            "engine": "aurora-postgresql",
            "engine_version": "16",
            "min_acu": 2,
            "reader_instances": 2,
            "parameters": {"max_connections": "200", "work_mem": "5120"},
        },
    },
    "aurora from a snapshot": {
        "database": {"engine": "aurora-postgresql", "min_acu": 0, "snapshot_identifier": "before-the-move"},
    },
    "existing vpc, https": {
        "network": {
            "existing_vpc": {
                "vpc_id": "vpc-0123456789abcdef0",
                "public_subnet_ids": ["subnet-00000000000000001", "subnet-00000000000000002"],
                "private_subnet_ids": ["subnet-00000000000000011", "subnet-00000000000000012"],
            }
        },
        "alb": {
            "domain_name": "llm.example.com",
            "hosted_zone_id": "Z0123456789ABCDEFGHIJ",
            "access_logs": True,
            "waf": True,
        },
    },
    "cache with replicas": {
        "network": {"data_subnets": True},
        "cache": {"enabled": True, "nodes": 3, "snapshot_retention_days": 1},
    },
    "cache without a password": {"cache": {"enabled": True, "transit_encryption": "preferred"}},
    "canary, https, alarms that roll back": {
        "alb": {
            "domain_name": "llm.example.com",
            "hosted_zone_id": "Z0123456789ABCDEFGHIJ",
            "test_cidrs": ["192.0.2.0/24"],
        },
        "service": {"deployment_strategy": "canary", "deployment_alarms": True},
        "observability": {"dashboard": True},
    },
    "scaling on requests": {"service": {"memory_target_percent": 0, "requests_per_target": 500}},
    "all of production": {
        "tier": "production",
        "environment": "a-very-long-name",
        "alb": {
            "domain_name": "llm.example.com",
            "hosted_zone_id": "Z0123456789ABCDEFGHIJ",
            "access_logs": True,
        },
        "network": {"nat_gateways": 2, "data_subnets": True, "flow_logs": True},
        "service": {
            "image_tag": "sha256:" + "a" * 64,
            "providers": ["openai", "anthropic", *BEDROCK["providers"]],
        }
        | {"bedrock_models": BEDROCK["bedrock_models"]},
        "observability": {
            "dashboard": True,
            "xray": True,
            "alarm_email": "ops@example.org",
            "alarms": {
                "server_error_percent": 1,
                "latency_milliseconds": 500,
                "healthy_tasks": 2,
                "stopped_tasks": True,
            },
        },
        "tags": {"Owner": "platform", "CostCenter": "4711"},
    },
}
MOST = {"aurora, readers, insights", "existing vpc, https"}
"""
What prod.yaml, which test_cli.py lints, has not: cfn-lint takes a second or two for each.

Alarms, alarms that roll back, a cache and scaling on requests have tests of their own that lint.
"""


@cache
def made(combination: str) -> Manifest:
    file = {"system": "litellm", "environment": "dev"} | OPTIONS[combination]
    return render(parse_settings(yaml.safe_dump(file), Path("dev.yaml")))


@pytest.fixture(params=OPTIONS)
def rendered(request: pytest.FixtureRequest) -> Manifest:
    return made(request.param)


@pytest.mark.parametrize("combination", only(MOST, OPTIONS))
def test_every_combination_of_options_passes_the_gate(combination: str) -> None:
    assert [str(finding) for finding in check(made(combination))] == []


def test_every_combination_imports_only_what_is_exported(rendered: Manifest) -> None:
    exported = {name for stack in rendered.stacks for name in named(stack, "Export", "Name")}
    imported = {name for stack in rendered.stacks for name in named(stack, "Fn::ImportValue")}

    assert imported <= exported
    assert {upload.bucket_export for stack in rendered.stacks for upload in stack.uploads} <= exported
    assert {upload.file for stack in rendered.stacks for upload in stack.uploads} == rendered.files.keys()


def test_every_combination_can_be_sent_inline(rendered: Manifest) -> None:
    assert [stack.name for stack in rendered.stacks if inline(stack.template) is None] == []


def named(stack: StackSpec, *keys: str) -> Iterator[str]:
    """Yield every text that stands behind *keys*, one below the other, anywhere in the template."""

    def walk(value: Any, depth: int) -> Iterator[str]:
        if depth == len(keys) and isinstance(value, str):
            yield value
        elif isinstance(value, list):
            for item in value:
                yield from walk(item, 0)
        elif isinstance(value, dict):
            for key, item in value.items():
                yield from walk(item, depth + 1 if depth < len(keys) and key == keys[depth] else 0)

    yield from walk(json.loads(stack.template), 0)


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.stem)
def test_every_resource_that_holds_data_says_what_becomes_of_it(path: Path) -> None:
    holding = {
        "AWS::ECR::Repository",
        "AWS::KMS::Key",
        "AWS::Logs::LogGroup",
        "AWS::RDS::DBCluster",
        "AWS::RDS::DBInstance",
        "AWS::S3::Bucket",
        "AWS::SecretsManager::Secret",
    }
    silent = [
        f"{stack.name}.{name}"
        for stack in render(load(path)).stacks
        for name, resource in json.loads(stack.template)["Resources"].items()
        if resource["Type"] in holding and not {"DeletionPolicy", "UpdateReplacePolicy"} <= resource.keys()
    ]

    assert silent == []


def a_manifest() -> Manifest:
    return Manifest(
        environment="dev",
        system="litellm",
        region="eu-west-1",
        account="123456789012",
        production=False,
        stacks=(
            StackSpec(
                name="service",
                stack_name="dev-litellm-service",
                template='{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}\n',
                capabilities=("CAPABILITY_NAMED_IAM",),
                tags={"Environment": "dev"},
                lookups=(
                    Lookup(
                        "DesiredCount",
                        "desired-count",
                        {"repository": "dev-litellm", "tag": "v1", "count": "2", "scaled": "true"},
                    ),
                ),
                uploads=(
                    Upload("config.yaml", "dev-litellm-security-ConfigBucketName", "litellm/config.yaml"),
                ),
            ),
        ),
        files={"config.yaml": b"model_list: []\n"},
    )


def test_a_manifest_is_read_as_it_was_written(tmp_path: Path) -> None:
    manifests.write(a_manifest(), tmp_path)

    assert manifests.read(tmp_path) == a_manifest()


def test_writing_removes_the_template_of_a_stack_that_is_no_more(tmp_path: Path) -> None:
    (tmp_path / "database.json").write_text("{}")
    manifests.write(a_manifest(), tmp_path)

    assert sorted(p.name for p in tmp_path.iterdir()) == ["config.yaml", "manifest.json", "service.json"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "is not a folder that `gatestack generate` wrote"),
        ("{", "is not a folder that `gatestack generate` wrote"),
        ("[]", "is not a folder that `gatestack generate` wrote"),
        ('{"format": 99}', "format 99, this gatestack reads 1"),
        ('{"format": 1}', "is not a folder that `gatestack generate` wrote"),
    ],
)
def test_a_folder_of_another_kind_is_refused(tmp_path: Path, content: str | None, message: str) -> None:
    if content is not None:
        (tmp_path / "manifest.json").write_text(content)

    with pytest.raises(ValueError, match=message):
        manifests.read(tmp_path)
