"""`make bench`: its arithmetic, its table, and that what it measures against makes the same templates."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench import __main__ as bench
from bench import many, plain
from bench.cdk_app import camel, snake
from bench.deploying import longest_way
from bench.measure import Command, Run, RunError, in_turn, paired, peak_mib, run
from bench.table import compared, counted, missing, table, within
from deployer.graph import graph
from tests.places import ROOT

GOLDEN = ROOT / "tests" / "golden" / "dev"
STACKS = ("security", "network", "alb", "database", "service")


def test_a_ratio_is_the_median_of_the_pairs() -> None:
    pairs = [(Run(2.0), Run(1.0)), (Run(30.0), Run(10.0)), (Run(9.0), Run(1.0))]

    found = paired(pairs)

    assert (found.ours, found.theirs, found.ratio) == (Run(9.0), Run(1.0), 3.0)


def test_a_command_is_timed_and_prepared_for_each_time(tmp_path: Path) -> None:
    prepared: list[str] = []
    ours = Command(
        [sys.executable, "-c", "import time; time.sleep(0.05)"], before=lambda: prepared.append("x")
    )

    found = in_turn(ours, Command([sys.executable, "-c", ""], tmp_path), 2)

    assert found.ours.seconds >= 0.05
    assert len(prepared) == 3  # one is not counted


def test_a_command_that_fails_is_told_with_what_it_said() -> None:
    with pytest.raises(RunError, match="exit code 3: no such thing"):
        run(Command([sys.executable, "-c", "print('no such thing'); raise SystemExit(3)"]))


def test_memory_is_that_of_the_program() -> None:
    assert 40 < peak_mib(Command([sys.executable, "-c", "x = bytearray(40_000_000)"])) < 100


def test_the_table_says_what_is_met_missed_and_not_measured() -> None:
    found = table(
        [
            within("a", "1 s", "peer: 2 s", 0.5, 0.75),
            within("b", "2 s", "peer: 1 s", 2.0, 1.5),
            compared("c", "1 s", "peer: 20 s", 0.05),
            counted("d", 31, 30),
            missing("e", "no node"),
        ]
    ).splitlines()

    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in found]
    assert len({len(line) for line in found}) == 1
    assert [row[0] for row in cells[2:]] == ["a", "b", "c", "d", "e"]
    assert [row[-1] for row in cells[2:]] == ["met", "MISSED", "", "MISSED", ""]
    assert cells[6][1] == "not measured: no node"
    assert cells[4][3] == "0.05 x"


def test_the_plain_script_makes_the_same_bytes(tmp_path: Path) -> None:
    templates = plain.read(GOLDEN, STACKS)
    (tmp_path / "plain.py").write_text(plain.script(templates))

    subprocess.run([sys.executable, "plain.py"], cwd=tmp_path, check=True)

    for name in STACKS:
        assert (tmp_path / f"{name}.json").read_text() == (GOLDEN / f"{name}.json").read_text()


@pytest.mark.parametrize(
    ("name", "typescript", "python"),
    [
        ("KMSMasterKeyID", "kmsMasterKeyId", "kms_master_key_id"),
        ("DBInstanceClass", "dbInstanceClass", "db_instance_class"),
        ("MultiAZ", "multiAz", "multi_az"),
        ("S3Bucket", "s3Bucket", "s3_bucket"),
        ("CidrBlock", "cidrBlock", "cidr_block"),
    ],
)
def test_properties_are_spelled_as_the_cdk_has_them(name: str, typescript: str, python: str) -> None:
    assert (camel(name), snake(name)) == (typescript, python)


def test_the_longest_way_is_that_of_time_and_not_of_stacks() -> None:
    order = graph(many.environment(12).stacks)
    took = dict.fromkeys(order.names, 1.0)

    assert longest_way(order, took) == 2.0
    assert longest_way(order, took | {"s3": 7.0}) == 7.0


def test_an_environment_of_many_stacks_has_so_many() -> None:
    stacks = many.environment(50).stacks

    assert len({stack.name for stack in stacks}) == 50
    assert all(json.loads(stack.template)["Resources"] for stack in stacks)


def test_every_part_can_be_chosen_and_no_other() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench", "nonsense"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 2
    assert all(part in done.stderr for part in bench.PARTS)
