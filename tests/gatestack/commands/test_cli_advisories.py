"""Known vulnerabilities and ends of support, as the commands tell them: in files, in plans, and live."""

import json
from datetime import date
from pathlib import Path

import pytest

from gatestack.image.checks import release_check
from gatestack.image.release import of_image
from sandbox.server import Sandbox
from stacks.systems import application
from tests.command import User

OLD = "v1.83.0"
ACCEPTED = '  accepted_advisories: [{id: CVE-2026-114612, reason: nobody may log in, until: "%s"}]\n'
TAKEN = "v1.103.0"
"""Nothing but CVE-2026-114612 is known against it."""


def runs(user: User, environment: str, tag: str, more: str = "") -> None:
    """Have the file of *environment* name the release *tag*."""
    user.edit(environment, "service:\n", f"service:\n  image_tag: {tag}\n{more}")


@pytest.mark.parametrize(
    "command",
    [("lint",), ("generate",), ("plan",), ("deploy", "--yes"), ("preflight",)],
    ids=lambda command: command[0],
)
def test_production_with_a_known_vulnerability_is_not_deployed(
    deployed: User, account: Sandbox, command: tuple[str, ...]
) -> None:
    runs(deployed, "prod", OLD)

    done = deployed.run(command[0], "prod", *command[1:])

    assert (done.code, account.calls, done.out) == (2, [], ""), done.err
    said = done.err.splitlines()[-1]
    assert said.startswith(f"Error: environments/prod.yaml: service.image_tag: {OLD} has ")
    assert "CVE-2026-42208 (critical): SQL injection" in said
    assert said.endswith(
        "use 1.100.4 or a later release, or accept each with id, reason and until in "
        "service.accepted_advisories"
    )


@pytest.mark.parametrize(
    "command",
    [("status",), ("outputs",), ("verify",), ("events",), ("secret", "list"), ("destroy", "--yes")],
    ids=" ".join,
)
def test_production_that_runs_one_can_still_be_seen_and_changed(
    deployed: User, command: tuple[str, ...]
) -> None:
    runs(deployed, "prod", OLD)
    verb, *more = command
    words = [verb, *more[:1], "prod", *more[1:]] if verb == "secret" else [verb, "prod", *more]

    done = deployed.run(*words)

    assert "known vulnerabilities" not in done.err
    assert "no public release" not in done.err


def test_production_that_runs_one_is_brought_to_a_release_without(deployed: User, account: Sandbox) -> None:
    runs(deployed, "prod", OLD)

    done = deployed.run("rollout", "prod", "--image-tag", "v1.108.14", "--yes")
    assert (done.code, account.calls != []) == (1, True)
    assert "known vulnerabilit" not in done.err, "only what is not there yet stops it"

    account.calls.clear()
    done = deployed.run("rollout", "prod", "--image-tag", TAKEN, "--yes")
    assert (done.code, account.calls) == (2, [])
    assert done.err.startswith(f"Error: --image-tag: {TAKEN} has a known vulnerability. CVE-2026-114612")


def test_an_accepted_vulnerability_is_deployed_and_told_until_its_day(deployed: User) -> None:
    runs(deployed, "prod", TAKEN, ACCEPTED % "2999-12-31")

    done = deployed.run("generate", "prod", "--out", "one")
    assert done.code == 0, done.err
    note = "service.image_tag: CVE-2026-114612 is accepted until 2999-12-31: nobody may log in"
    assert f"warning: {note}" in done.err.splitlines()

    deployed.edit("prod", "2999-12-31", "2026-11-27")
    done = deployed.run("generate", "prod", "--out", "two")
    assert (done.code, Path(deployed.folder, "two").exists()) == (2, False)
    assert f"{TAKEN} has a known vulnerability. CVE-2026-114612 (critical)" in done.err


def test_development_is_warned_and_the_plan_says_it(deployed: User) -> None:
    runs(deployed, "local", OLD)

    done = deployed.run("lint", "local", "--only", "network")
    assert done.code == 0, done.err
    assert f"warning: service.image_tag: {OLD} has " in done.err

    for style in ("text", "markdown"):
        done = deployed.run("plan", "local", "--only", "network", "--format", style)
        assert done.code == 0, done.err
        told = done.out.replace("\\", "")
        assert f"service.image_tag: {OLD} has " in told
        assert "CVE-2026-49468 (critical)" in told


def test_a_rendered_folder_is_warned_of(deployed: User) -> None:
    runs(deployed, "local", OLD)
    assert deployed.run("generate", "local", "--out", "reviewed").code == 0

    done = deployed.run("plan", "reviewed", "--only", "network")

    assert done.code == 0, done.err
    assert f"warning: {OLD} has " in done.err
    assert "(the folder does not say what its file accepts)" in done.err


@pytest.mark.parametrize("tag", ["0a1b2c3d4e5f", "sha256:" + "0" * 64])
def test_a_tag_that_names_no_release_is_told(deployed: User, tag: str) -> None:
    runs(deployed, "prod", tag)

    done = deployed.run("generate", "prod")

    assert done.code == 0, done.err
    assert f"warning: service.image_tag: {tag} names no public release" in done.err


def checks(user: User) -> dict[str, dict[str, str]]:
    told = json.loads(user.run("verify", "local", "--format", "json").out)
    return {check["name"]: check for check in told["checks"]}


def test_verify_judges_what_the_tasks_run_and_not_the_file(deployed: User) -> None:
    assert checks(deployed)["release"]["outcome"] == "ok"
    assert deployed.run("rollout", "local", "--image-tag", OLD, "--yes").code == 0

    found = checks(deployed)["release"]

    assert found["outcome"] == "warning"
    assert found["detail"].startswith(f"the tasks run litellm-database:{OLD}: {OLD} has ")
    assert found["remedy"].startswith("use 1.100.4 or a later release")
    assert deployed.run("rollout", "local", "--image-tag", "v1.108.14", "--yes").code == 0
    assert checks(deployed)["release"]["outcome"] == "ok"


def test_the_end_of_the_database_s_support_is_told_half_a_year_before(deployed: User) -> None:
    assert checks(deployed)["database version"]["outcome"] == "ok"
    later = User(deployed.folder, deployed.variables | {"GATESTACK_TODAY": "2027-09-01"})

    done = later.run("lint", "local", "--only", "network")
    assert done.code == 0
    said = "the standard support of PostgreSQL 15 ends on 2028-02-29"
    assert f"warning: database.engine_version: {said}" in done.err

    found = checks(later)["database version"]
    assert (found["outcome"], said in found["detail"]) == ("warning", True)
    assert found["remedy"].startswith("raise database.engine_version")


def test_the_end_of_the_rotations_runtime_is_told(deployed: User) -> None:
    later = User(deployed.folder, deployed.variables | {"GATESTACK_TODAY": "2029-01-15"})

    done = later.run("generate", "local")

    assert done.code == 0, done.err
    assert "warning: Lambda's runtime python3.13 ends on 2029-06-30" in done.err


@pytest.mark.parametrize(
    ("tag", "outcomes"),
    [(OLD, ("failed", "warning")), ("v1.108.7", ("ok", "ok")), ("0a1b2c3d4e5f", ("unknown", "unknown"))],
)
def test_production_that_runs_one_is_not_well(tag: str, outcomes: tuple[str, str]) -> None:
    image = f"123456789012.dkr.ecr.us-east-1.amazonaws.com/prod-litellm:{tag}"
    found = of_image(application("litellm"), image, "prod-litellm", date(2026, 11, 28))

    assert tuple(release_check(found, image, fails=fails).outcome for fails in (True, False)) == outcomes


def test_a_day_that_is_none_is_refused(deployed: User) -> None:
    lost = User(deployed.folder, deployed.variables | {"GATESTACK_TODAY": "soon"})

    for command in ("lint", "verify"):
        done = lost.run(command, "local")
        assert done.code == 2
        assert "GATESTACK_TODAY is 'soon', and has to be a day like 2027-09-01" in done.err
