"""Which regions there are: slips of the pen are refused where they are read, by every command."""

from __future__ import annotations

from pathlib import Path

import botocore
import pytest

from stacks.checking import region_table, regions
from tests.command import LOGIN, User
from tests.stacks.rewrite_regions import regions as of_botocore


def test_the_table_is_what_botocore_knows() -> None:
    """A newer botocore may know more: `make regions` takes it over."""
    there = of_botocore()
    if f"botocore {botocore.__version__}" == region_table.SOURCE:
        assert there == dict(region_table.REGIONS)
    for partition, names in region_table.REGIONS.items():
        assert set(names) <= set(there[partition])


@pytest.mark.parametrize(
    "name",
    ["us-east-1", "eusc-de-east-1", "us-iso-west-1", "eu-isoe-west-1", "us-gov-east-1", "cn-northwest-1"],
)
def test_a_region_of_any_partition_is_one(name: str) -> None:
    assert regions.checked(name) == name


@pytest.mark.parametrize(
    ("slip", "meant"),
    [
        ("us-esat-1", "us-east-1"),
        ("eu-cental-1", "eu-central-1"),
        ("EU-WEST-1", "eu-west-1"),
        ("eusc-de-aest-1", "eusc-de-east-1"),
        ("us-gov-wset-1", "us-gov-west-1"),
        ("aws-global", None),
        ("frankfurt", None),
    ],
)
def test_a_slip_is_told_with_the_nearest_name(slip: str, meant: str | None) -> None:
    with pytest.raises(ValueError, match="is not a region like us-east-1") as refused:
        regions.checked(slip)
    assert (f"did you mean {meant}?" in str(refused.value)) == (meant is not None)


@pytest.mark.parametrize("command", ["generate", "lint", "cost", "plan"])
def test_every_command_refuses_a_slip_where_it_stands(command: str, tmp_path: Path) -> None:
    user = User.at(tmp_path, **LOGIN, AWS_ENDPOINT_URL="http://127.0.0.1:1")
    user.edit("dev", "region: us-east-1", "region: us-esat-1")
    line = (tmp_path / "environments" / "dev.yaml").read_text().splitlines().index("region: us-esat-1") + 1

    told = user.run(command, "dev")
    assert told.code == 2
    assert f"environments/dev.yaml:{line}: region: 'us-esat-1' is not a region" in told.err
    assert "did you mean us-east-1?" in told.err

    given = user.run("--region", "eu-cental-1", command, "prod")
    assert (given.code, "did you mean eu-central-1?" in given.err) == (2, True)


def test_setup_refuses_a_slip(tmp_path: Path) -> None:
    user = User.at(tmp_path)

    told = user.run("setup", "new", "--region", "us-wst-2")

    assert (told.code, "did you mean us-west-2?" in told.err) == (2, True)
    assert not (tmp_path / "environments" / "new.yaml").exists()


def test_a_region_that_cfn_lint_does_not_know_is_linted_all_the_same(tmp_path: Path) -> None:
    from cfnlint.helpers import REGIONS  # noqa: PLC0415 - half a second, of this test's

    (unknown, *_) = sorted(regions.KNOWN - set(REGIONS))
    done = User.at(tmp_path).run("lint", "llm-testing", "--region", unknown)

    assert "unexpected" not in done.err
    assert "0 findings" in done.out + done.err


@pytest.mark.parametrize("variable", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_a_variable_that_names_another_region_than_the_file_is_told_once(
    variable: str, tmp_path: Path
) -> None:
    user = User.at(tmp_path, AWS_ENDPOINT_URL="http://127.0.0.1:1", **LOGIN, **{variable: "eu-west-3"})

    told = user.run("verify", "dev").err
    assert (
        told.count(f"{variable} is eu-west-3, and the file of dev says us-east-1: the file takes precedence")
        == 1
    )
    assert "eu-west-3" not in user.run("status", "dev", "--region", "eu-west-3").err
