"""Rendering: golden templates of every shipped environment, the manifest on disk, CloudFormation's limits."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from generator import manifest as manifests
from generator.manifest import Lookup, Manifest, StackSpec, Upload
from generator.render import render
from stacks.environment import load
from tests.rewrite_golden import GOLDEN, ROOT, environment_files

ENVIRONMENTS = environment_files()


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.stem)
def test_a_shipped_environment_renders_to_its_golden_folder_byte_for_byte(path: Path, tmp_path: Path) -> None:
    manifests.write(render(load(path)), tmp_path)

    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {
        p.name: p.read_text() for p in (GOLDEN / path.stem).iterdir()
    }, "an intended change? run `make golden` and read the diff"


def test_golden_folders_and_environment_files_agree() -> None:
    assert sorted(p.name for p in GOLDEN.iterdir()) == [path.stem for path in ENVIRONMENTS]


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


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.stem)
def test_every_template_can_be_sent_inline(path: Path) -> None:
    sizes = {stack.name: len(stack.template.encode()) for stack in render(load(path)).stacks}

    assert {name: size for name, size in sizes.items() if size > 51_200} == {}


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.stem)
def test_every_resource_that_holds_data_says_what_becomes_of_it(path: Path) -> None:
    holding = {
        "AWS::ECR::Repository",
        "AWS::KMS::Key",
        "AWS::Logs::LogGroup",
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
                template='{"Resources": {}}\n',
                capabilities=("CAPABILITY_NAMED_IAM",),
                tags={"Environment": "dev"},
                lookups=(Lookup("DesiredCount", "desired-count", {"tag": "v1"}),),
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
