"""Servers of databases: which programs, where, with which settings; and that none is left behind."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from gatestack.rehearsal.told import databases
from sandbox.gateway.databases import addresses, requests, settings
from sandbox.gateway.databases.errors import DatabaseError
from sandbox.gateway.databases.owner import sweep
from sandbox.gateway.databases.programs import Programs, found, nearest
from tests.places import ROOT

KNOWN = frozenset({"work_mem", "shared_buffers", "max_connections"})
TLS = bytes.fromhex("0000000804d2162f")
"""PostgreSQL's request for TLS (PostgreSQL docs, "Message Formats", SSLRequest)."""
LEFT_RUNNING = """
import os, sys
from pathlib import Path
from sandbox.gateway.databases.fleet import Fleet
server = Fleet(Path(sys.argv[1]), [Path(one) for one in sys.argv[2:]]).begin("17", 5432)
server.start()
print(server.site.address, server.site.owner.folder, flush=True)
sys.stdin.read()
"""


def installed(*versions: str) -> list[Programs]:
    return [Programs(Path(version), version) for version in versions]


@pytest.mark.parametrize(
    ("asked", "there", "taken"),
    [
        ("16.4", ("15.19", "16.15", "17.10"), "16.15"),
        ("15.15", ("16.15", "17.10"), "16.15"),
        ("16.4", ("15.19", "17.10"), "17.10"),
        ("18.1", ("15.19", "17.10"), "17.10"),
        ("", ("15.19", "17.10"), "17.10"),
    ],
)
def test_the_major_that_is_asked_for_or_the_nearest_is_taken(
    asked: str, there: tuple[str, ...], taken: str
) -> None:
    assert nearest(installed(*there), asked).version == taken


def test_without_programs_there_is_an_error() -> None:
    with pytest.raises(DatabaseError, match="no PostgreSQL server on this machine"):
        nearest([], "16")


def test_a_folder_without_programs_that_run_is_passed_over(tmp_path: Path) -> None:
    broken = tmp_path / "bin" / "initdb"
    broken.parent.mkdir()
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)

    assert broken.parent not in {one.folder for one in found([tmp_path])}


def test_a_parameter_is_given_to_the_server_or_left_out_for_a_reason() -> None:
    group = {
        "work_mem": "8192",
        "shared_buffers": "65536",
        "port": "1",
        "rds.log_retention_period": "1440",
        "pg_hint_plan.enable_hint": "1",
        "max_connections": "LEAST({DBInstanceClassMemory/9531392},5000)",
        "rds.force_ssl": "0",
    }

    judged = settings.judged(group, KNOWN, 17)

    assert judged.given == {"work_mem": "8192"}
    assert judged.left_out == {
        "shared_buffers": "the sandbox's own",
        "port": "the sandbox's own",
        "rds.log_retention_period": "RDS's own",
        "pg_hint_plan.enable_hint": "not known to this PostgreSQL",
        "max_connections": "a formula of the instance class",
    }
    assert not judged.force_tls


@pytest.mark.parametrize(
    ("major", "group", "forced"), [(14, {}, False), (15, {}, True), (14, {"rds.force_ssl": "1"}, True)]
)
def test_tls_is_forced_from_15_on_or_where_the_group_says_so(
    *, major: int, group: dict[str, str], forced: bool
) -> None:
    assert settings.judged(group, KNOWN, major).force_tls is forced
    assert ("hostssl all all" in settings.access(force_tls=forced)) is forced


@pytest.mark.parametrize(
    ("identifier", "kind", "name"),
    [
        ("then", requests.CLUSTER, "then"),
        ("arn:aws:rds:us-east-1:123456789012:snapshot:then", requests.INSTANCE, "then"),
        ("arn:aws:rds:us-east-1:123456789012:cluster-snapshot:rds:then", requests.CLUSTER, "rds:then"),
    ],
)
def test_a_snapshot_is_named_or_has_an_arn(identifier: str, kind: str, name: str) -> None:
    assert requests.named(identifier, requests.CLUSTER) == requests.Snapshot(kind, name)


def test_a_port_that_another_program_has_everywhere_is_refused() -> None:
    with socket.socket() as other:
        other.bind(("", 0))
        other.listen()

        with pytest.raises(DatabaseError, match=r"cannot be listened on.*ask for another Port"):
            addresses.free(other.getsockname()[1])


def test_what_is_told_of_a_server_says_what_differs() -> None:
    one = {"name": "dev-db", "asked": "15.15", "version": "17.10", "running": True, "address": "127.70.1.2"}
    one |= {"port": 5432, "mebibytes": 33, "left_out": {"port": "the sandbox's own"}, "trouble": ""}
    redis = {"us-east-1": {"x": {"tags": {}, "resources": {"Redis": "AWS::ElastiCache::ReplicationGroup"}}}}

    told = databases({"servers": [one, one | {"asked": "17.4", "left_out": {}}], "lacks": ""}, redis)

    assert told[0] == (
        "dev-db: PostgreSQL 17.10, not 15.15, running at 127.70.1.2:5432, 33 MiB on disk; "
        "without port (the sandbox's own)"
    )
    assert told[1] == "dev-db: PostgreSQL 17.10, running at 127.70.1.2:5432, 33 MiB on disk"
    assert told[2].startswith("Redis: a record")
    assert databases({"servers": [], "lacks": "none here"}, {}) == ["none here"]
    assert databases({}, redis) == []


def test_no_server_and_no_data_outlive_a_sandbox_that_is_killed(
    tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    asked = pytestconfig.getoption("--postgres")
    given = [str(Path(asked).resolve())] if asked else []
    command = [sys.executable, "-c", LEFT_RUNNING, str(tmp_path), *given]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        address, folder = running.stdout.readline().split()
        with socket.create_connection((address, 5432), timeout=30) as connection:
            connection.sendall(TLS)
            assert connection.recv(1) == b"S", "a process of the server has this connection"
            running.kill()
            assert connection.recv(1) == b"", "the server ends, and its connections with it"

    sweep(tmp_path)

    assert not Path(folder).exists()
    assert {one.name for one in tmp_path.iterdir()} == {"sandbox-ca.key", "sandbox-ca.pem"}


def test_a_sweep_ends_only_processes_that_work_in_the_folder(tmp_path: Path) -> None:
    left = tmp_path / "gatestack-databases-x"
    for name in ("server", "other"):
        (left / name / "data").mkdir(parents=True)
    (tmp_path / "databases.folder").write_text(str(left))
    waits = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    server = subprocess.Popen(waits, cwd=left / "server" / "data", stdin=subprocess.PIPE)
    other = subprocess.Popen(waits, cwd=ROOT, stdin=subprocess.PIPE)
    (left / "server" / "data" / "postmaster.pid").write_text(f"{server.pid}\n")
    (left / "other" / "data" / "postmaster.pid").write_text(f"{other.pid}\n")

    sweep(tmp_path)

    assert server.wait(10) < 0
    assert other.poll() is None
    other.communicate(b"")
    assert list(tmp_path.iterdir()) == []
