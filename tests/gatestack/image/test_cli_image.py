"""`gatestack image` as a user runs it: stand-ins for docker and cosign, the sandbox's ECR, real git."""

import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from gatestack.image.base_image import Base, bases, verified_digest
from sandbox.server import Sandbox
from stacks.environment import defaults, load
from stacks.systems import application
from tests.command import User
from tests.places import ROOT
from tests.programs_on_path import VERIFIED, Programs, pinned, signed, without
from tests.sandbox.sandbox_account import client

PLACE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/dev-litellm"
SHIPPED = (ROOT / "image" / "Dockerfile").read_text()
DIGEST, OWN = f"sha256:{'ab' * 32}", pinned().digest or VERIFIED
DOCKERFILE = SHIPPED.replace(f"LITELLM_DIGEST={pinned().digest}\n", f"LITELLM_DIGEST={OWN}\n", 1)
"""As it is once somebody has pinned the release."""


def settled(user: User, *names: str) -> tuple[User, Programs]:
    """Return *user* with LiteLLM's Dockerfile and the stand-ins *names*."""
    shutil.copytree(ROOT / "image", user.folder / "image")
    (user.folder / "image" / "Dockerfile").write_text(DOCKERFILE)
    programs = Programs.at(user.folder / "programs", *names)
    return programs.of(user), programs


@pytest.fixture
def alone(tmp_path: Path) -> tuple[User, Programs]:
    """A user whom no AWS answers."""
    return settled(User.at(tmp_path), "docker", "cosign")


def made_repository(sandbox: Sandbox, user: User) -> None:
    """Deploy what the repository needs, and it; nothing runs yet."""
    done = user.run("deploy", "dev", "--yes")
    assert done.code == 0, done.err


def commit(folder: Path) -> str:
    def git(*arguments: str) -> str:
        who = ("-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "commit.gpgsign=false")
        done = subprocess.run(
            ["git", *who, *arguments], cwd=folder, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    git("init", "--quiet")
    git("add", "image")
    git("commit", "--quiet", "--message", "image")
    return git("rev-parse", "--short=12", "HEAD")


# building


def test_an_image_is_built_of_what_was_verified_for_the_environments_architecture(
    alone: tuple[User, Programs],
) -> None:
    user, programs = alone
    programs.answer("cosign verify", 0, signed(OWN), "The signatures were verified\n")
    user.edit("dev", "  spot: true", "  spot: true\n  architecture: arm64")

    done = user.run("image", "dev", "--tag", "v1", "--format", "json")

    assert done.code == 0, done.err
    assert json.loads(done.out) == {
        "environment": "dev",
        "image": "dev-litellm:v1",
        "tag": "v1",
        "pushed": False,
    }
    verified, built = programs.calls
    release = pinned()
    assert verified == ["cosign", "verify", "--key", release.key, f"{release.name}:{release.release}"]
    assert built[:3] == ["docker", "buildx", "build"]
    assert built[built.index("--platform") + 1] == "linux/arm64"
    assert not any("--build-arg" in one for one in built), (
        "the Dockerfile's own digest is the one that was verified"
    )
    assert built[built.index("--tag") + 1] == "dev-litellm:v1"
    assert built[-1] == "image"


def test_a_wrong_signature_builds_nothing(alone: tuple[User, Programs]) -> None:
    user, programs = alone
    programs.answer("cosign verify", 1, "", "Error: no matching signatures\n")

    done = user.run("image", "dev", "--tag", "v1")

    assert done.code == 1
    assert "no matching signatures" in done.err
    assert "is not verified, nothing is built" in done.err.splitlines()[-1]
    assert [call[0] for call in programs.calls] == ["cosign"]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (signed(DIGEST), f"is {DIGEST}, and image/Dockerfile pins {OWN}: nothing is built"),
        ("[]", "cosign does not say which digest of ghcr.io/berriai/litellm-database:v1.108.7"),
        ("no JSON", "use the release of cosign that pipelines/cosign.sh names"),
        (signed("sha256:short"), "cosign does not say which digest"),
    ],
    ids=["a tag that has moved", "nothing verified", "no answer", "no digest"],
)
def test_what_is_verified_and_is_not_what_is_pinned_builds_nothing(
    alone: tuple[User, Programs], answer: str, words: str
) -> None:
    user, programs = alone
    programs.answer("cosign verify", 0, answer)

    done = user.run("image", "dev", "--tag", "v1", "--unverified")

    assert (done.code, words in done.err.splitlines()[-1]) == (1, True), done.err
    assert [call[0] for call in programs.calls] == ["cosign"]


AGENTS = {"Azure": {"TF_BUILD": "True"}, "GitHub": {"GITHUB_ACTIONS": "true"}}


@pytest.mark.parametrize("agent", [None, *AGENTS])
def test_without_cosign_nothing_is_built_unless_a_person_says_so(tmp_path: Path, agent: str | None) -> None:
    user, programs = settled(User.at(tmp_path, **AGENTS.get(agent or "", {})), "docker")

    refused = user.run("image", "dev", "--tag", "v1")
    asked = user.run("image", "dev", "--tag", "v1", "--unverified")

    assert (refused.code, "cosign is not on the PATH" in refused.err) == (2, True), refused.err
    if agent:
        assert (asked.code, "a pipeline builds nothing unverified" in asked.err) == (2, True), asked.err
        assert programs.calls == []
    else:
        assert "or give --unverified" in refused.err
        assert (asked.code, "warning: it is not verified that sha256:" in asked.err) == (0, True), asked.err
        assert [call[:3] for call in programs.calls] == [["docker", "buildx", "build"]]


LITELLM = "ghcr.io/berriai/litellm-database"


@pytest.mark.parametrize(
    ("dockerfile", "words"),
    [
        (
            DOCKERFILE.replace(OWN, "sha256:0"),
            f"{LITELLM}:v1.108.7 without its digest: `gatestack image dev --pin` verifies",
        ),
        (f"{DOCKERFILE}FROM {LITELLM}:v1@\n".replace(OWN, ""), "without its digest"),
        (DOCKERFILE.replace("@${LITELLM_DIGEST}", ""), "without its digest"),
        (f"FROM {LITELLM}@{DIGEST}\n", "does not name a release"),
        (f"FROM {LITELLM}:v1.108.7@{DIGEST}\n", "does not name ARG LITELLM_KEY_COMMIT"),
        ("ARG OF=docker.litellm.ai\nFROM ${OF}/berriai/litellm\n", "does not name a release"),
        ("FROM --platform=linux/amd64 GHCR.io/berriai/litellm:v1\n", "does not name ARG LITELLM_KEY_COMMIT"),
        (
            "FROM scratch AS one\nfrom ghcr.io/berriai/litellm-non_root:v1 AS two\n",
            "does not name ARG LITELLM_KEY",
        ),
    ],
    ids=[
        "no digest",
        "two without one",
        "unused",
        "no tag",
        "no key",
        "argument",
        "platform",
        "second stage",
    ],
)
def test_a_release_that_is_not_pinned_is_refused_also_unverified(
    alone: tuple[User, Programs], dockerfile: str, words: str
) -> None:
    user, programs = alone
    (user.folder / "image" / "Dockerfile").write_text(dockerfile)

    for options in ((), ("--unverified",)):
        done = user.run("image", "dev", "--tag", "v1", *options)

        assert (done.code, words in done.err) == (2, True), done.err
    assert programs.calls == []


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("local",), 2, "local runs ghcr.io/berriai/litellm-database, which others publish"),
        (("llm-testing", "--tag", "v1"), 2, "image/Dockerfile is LiteLLM's, and test runs"),
        (("dev", "--tag", "v1", "--context", "nowhere"), 2, "nowhere/Dockerfile cannot be read"),
        (("dev", "--tag", "no good"), 2, "--tag no good: "),
        (("dev", "--tag", f"sha256:{'0' * 64}"), 2, "a digest names an existing image"),
        (("dev",), 2, "git names no commit here, give --tag: fatal: not a git repository"),
    ],
    ids=["public", "another application", "no Dockerfile", "no tag", "digest", "no commit"],
)
def test_what_cannot_be_built_is_refused_with_why(
    alone: tuple[User, Programs], arguments: tuple[str, ...], code: int, words: str
) -> None:
    user, programs = alone
    done = user.run("image", *arguments)

    assert done.code == code, done.err
    assert words in done.err
    assert programs.calls == []


def test_without_docker_it_is_refused(tmp_path: Path) -> None:
    user, _ = settled(User.at(tmp_path, PATH=without("docker")), "cosign")

    done = user.run("image", "dev", "--tag", "v1")

    assert (done.code, "docker is not on the PATH" in done.err) == (2, True)


def test_a_failed_build_is_told(alone: tuple[User, Programs]) -> None:
    user, programs = alone
    programs.answer("docker buildx", 17, "", "ERROR: no space left\n")

    done = user.run("image", "dev", "--tag", "v1")

    assert done.code == 1
    assert "ERROR: no space left" in done.err
    assert (
        done.err.splitlines()[-1] == "error: `docker buildx` failed with exit code 17; see its output above"
    )


def test_another_application_is_built_from_its_own_folder(alone: tuple[User, Programs]) -> None:
    user, programs = alone
    (user.folder / "own").mkdir()
    (user.folder / "own" / "Dockerfile").write_text("FROM scratch\n")

    done = user.run("image", "llm-testing", "--tag", "v1", "--context", "own")

    assert (done.code, done.out) == (0, "test-llm-testing:v1\n"), done.err
    assert [call[:3] for call in programs.calls] == [["docker", "buildx", "build"]]


# pushing


def test_a_pushed_image_is_what_the_next_deployment_starts(user: User, sandbox: Sandbox) -> None:
    made_repository(sandbox, user)
    there, programs = settled(user, "docker", "cosign")
    there.edit("dev", "  image: ecr # the", "  image_tag: v2\n  image: ecr # the")

    done = there.run("image", "dev", "--tag", "v2", "--push")

    assert (done.code, done.out) == (0, f"{PLACE}:v2\n"), done.err
    login = next(call for call in programs.calls if call[1] == "login")
    assert login == ["docker", "login", "--username", "AWS", "--password-stdin", PLACE.partition("/")[0]]
    assert programs.password == "123456789012-auth-token"
    assert programs.password not in done.err + json.dumps(programs.calls)
    assert programs.calls[-1] == ["docker", "push", f"{PLACE}:v2"]
    again = there.run("deploy", "dev", "--yes", "--only", "database", "--only", "service")
    assert again.code == 0, again.err
    assert there.run("rollout", "dev").code == 0, "its tasks run"

    before = len(programs.calls)
    refused = there.run("image", "dev", "--tag", "v2", "--push")
    kept = there.run("image", "dev", "--tag", "v2", "--push", "--keep-existing")
    assert (refused.code, f"{PLACE}:v2 exists already" in refused.err) == (2, True)
    assert (kept.code, kept.out) == (0, f"{PLACE}:v2\n")
    assert len(programs.calls) == before, "neither built nor pushed"


@pytest.mark.deep
def test_the_commit_is_the_tag_and_what_is_not_committed_is_not_pushed(user: User, sandbox: Sandbox) -> None:
    made_repository(sandbox, user)
    there, programs = settled(user, "docker", "cosign")
    tag = commit(user.folder)

    done = there.run("image", "dev", "--push")
    assert (done.code, done.out) == (0, f"{PLACE}:{tag}\n"), done.err
    assert f"org.opencontainers.image.revision={tag}" in next(
        call for call in programs.calls if "build" in call
    )

    (user.folder / "image" / "Dockerfile").write_text(DOCKERFILE + "\n# changed\n")
    refused = there.run("image", "dev", "--push")
    assert (refused.code, f"image holds what commit {tag} does not" in refused.err) == (2, True)


def test_what_docker_and_cosign_say_passes_the_gate(alone: tuple[User, Programs]) -> None:
    user, programs = alone
    hostile = "1\x1b[2J\r::add-mask::x\n##vso[task.complete]\nhttp://u:hunter22@proxy:8080 \u202ex\n"
    programs.answer("cosign verify", 0, signed(OWN), hostile)
    programs.answer("docker buildx", 1, hostile, hostile)
    there = replace(user, variables=user.variables | {"GITHUB_ACTIONS": "true"})

    done = there.run("image", "dev", "--tag", "v1")

    assert (done.code, "`docker buildx` failed with exit code 1" in done.err) == (1, True), done.err
    assert done.err.count("http://u:(hidden)@proxy:8080 \\u202ex") == 3
    assert not any(word in done.err + done.out for word in ("hunter22", "\x1b", "\u202e", "##vso["))
    assert [line for line in done.err.splitlines() if line.startswith("::")] == [done.err.splitlines()[-1]]


def test_there_is_nowhere_to_push_before_the_first_deployment(user: User) -> None:
    there, programs = settled(user, "docker", "cosign")

    done = there.run("image", "dev", "--tag", "v1", "--push")

    assert (done.code, "`gatestack deploy dev` creates it, with no tasks yet" in done.err) == (1, True)
    assert programs.calls == []


def test_a_push_that_fails_and_one_that_does_not_arrive_are_told(user: User, sandbox: Sandbox) -> None:
    client(sandbox, "ecr").create_repository(repositoryName="dev-litellm")
    there, programs = settled(user, "docker", "cosign")
    programs.answer("docker login", 1, "", "Error response: 401 for 123456789012-auth-token\n")
    login = there.run("image", "dev", "--tag", "v1", "--push")
    assert (login.code, login.err.splitlines()[-1]) == (
        1,
        f"error: docker login {PLACE.partition('/')[0]}: Error response: 401 for (hidden)",
    )

    programs.answer("docker login", 0)
    programs.answer("docker push", 1)
    assert there.run("image", "dev", "--tag", "v1", "--push").code == 1


# the Dockerfile


def test_the_dockerfile_pins_the_release_that_was_tested_and_its_key() -> None:
    found = pinned()

    assert found == Base(
        str(application("litellm").public_image),
        defaults("litellm", "dev")["service"]["image_tag"],
        found.digest,
        "e82a3c646908ba0a6ee0beddc4310d7a6cac4065",
    )
    assert (found.missing, bases(SHIPPED)) == ("", (found,))
    assert found.pinned or found.unpinned


def test_a_release_without_its_digest_is_built_on_what_was_verified(alone: tuple[User, Programs]) -> None:
    user, programs = alone
    (user.folder / "image" / "Dockerfile").write_text(DOCKERFILE.replace(OWN, ""))
    programs.answer("cosign verify", 0, signed(DIGEST))

    done = user.run("image", "dev", "--tag", "v1")

    assert done.code == 0, done.err
    assert f"--build-arg=LITELLM_DIGEST={DIGEST}" in programs.calls[-1]
    assert f"v1.108.7 is {DIGEST} today; `gatestack image dev --pin` writes it there" in done.err


def test_a_release_without_its_digest_is_not_built_unverified(tmp_path: Path) -> None:
    user, programs = settled(User.at(tmp_path), "docker")
    (user.folder / "image" / "Dockerfile").write_text(DOCKERFILE.replace(OWN, ""))

    done = user.run("image", "dev", "--tag", "v1", "--unverified")

    assert (done.code, "without its digest" in done.err, programs.calls) == (2, True, []), done.err


def test_the_dockerfile_checks_health_as_the_task_definition_does() -> None:
    settings = load(ROOT / "environments" / "dev.yaml")
    check = settings.service.health_check
    probe = application("litellm").probe(settings.service.port, check.path)

    assert f"CMD {json.dumps(list(probe[1:]))}" in DOCKERFILE
    times = re.findall(r"--(interval|timeout|start-period|retries)=(\d+)", DOCKERFILE)
    assert dict(times) == {
        "interval": str(check.interval_seconds),
        "timeout": str(check.timeout_seconds),
        "start-period": str(check.start_seconds),
        "retries": str(check.retries),
    }


def test_the_dockerfile_runs_as_nobody_and_bakes_nothing_in() -> None:
    instructions = [line.split()[0] for line in DOCKERFILE.splitlines() if re.match(r"[A-Z]+ ", line)]

    assert instructions == [*["ARG"] * 3, "FROM", "ARG", "ARG", "LABEL", "ENV", "USER", "HEALTHCHECK"]
    assert "USER 65534:65534" in DOCKERFILE
    assert (ROOT / "image" / ".dockerignore").read_text().splitlines()[-1] == "*"


@pytest.mark.parametrize("answer", ["", "no JSON", "{}", "[{}]", '[{"critical": 1}]', "[]"])
def test_an_answer_of_cosign_that_is_not_understood_pins_nothing(answer: str) -> None:
    assert verified_digest(answer) is None
    assert verified_digest(signed(DIGEST)) == DIGEST
