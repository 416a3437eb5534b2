"""`gatestack image`: what is known against the release that an image is built on, or named after."""

import re
import shutil
from pathlib import Path

import pytest

from tests.command import User
from tests.places import ROOT
from tests.programs_on_path import Programs, signed

DOCKERFILE = re.sub(
    r"LITELLM_DIGEST=\S*",
    f"LITELLM_DIGEST=sha256:{'ab' * 32}",
    (ROOT / "image" / "Dockerfile").read_text(),
)
OWN = "FROM scratch\n"


def on(release: str) -> str:
    """Return LiteLLM's Dockerfile with another release."""
    return re.sub(r"LITELLM_RELEASE=\S+", f"LITELLM_RELEASE={release}", DOCKERFILE, count=1)


@pytest.fixture
def builder(tmp_path: Path) -> tuple[User, Programs]:
    """A user with LiteLLM's folder and stand-ins for docker and cosign, whom no AWS answers."""
    user = User.at(tmp_path)
    shutil.copytree(ROOT / "image", user.folder / "image")
    programs = Programs.at(user.folder / "programs", "docker", "cosign")
    programs.answer("cosign verify", 0, signed(f"sha256:{'ab' * 32}"), "verified\n")
    return programs.of(user), programs


@pytest.mark.parametrize(
    ("dockerfile", "tag", "said"),
    [
        (
            on("v1.83.0"),
            "build-7",
            "image/Dockerfile builds on ghcr.io/berriai/litellm-database:v1.83.0: v1.83.0 has ",
        ),
        (OWN, "v1.83.0", "--tag v1.83.0: v1.83.0 has "),
    ],
    ids=["built on", "named after"],
)
def test_production_builds_nothing_on_a_known_vulnerability(
    builder: tuple[User, Programs], dockerfile: str, tag: str, said: str
) -> None:
    user, programs = builder
    (user.folder / "image" / "Dockerfile").write_text(dockerfile)

    done = user.run("image", "prod", "--tag", tag)
    assert (done.code, programs.calls) == (2, [])
    assert said in done.err
    assert "CVE-2026-42208 (critical)" in done.err

    done = user.run("image", "dev", "--tag", tag)
    assert done.code == 0, done.err
    assert f"warning: {said}" in done.err


def test_what_the_file_accepts_is_built(builder: tuple[User, Programs]) -> None:
    user, _ = builder
    (user.folder / "image" / "Dockerfile").write_text(on("v1.103.0"))
    accepted = '{id: GHSA-7hp6-4w63-5g45, reason: nobody may log in, until: "2026-12-31"}'
    user.edit("prod", "service:\n", f"service:\n  accepted_advisories: [{accepted}]\n")

    done = user.run("image", "prod", "--tag", "build-7")

    assert done.code == 0, done.err
    assert "CVE-2026-114612 is accepted until 2026-12-31: nobody may log in" in done.err


def test_an_image_of_ones_own_that_names_no_release_is_told(builder: tuple[User, Programs]) -> None:
    user, _ = builder
    (user.folder / "image" / "Dockerfile").write_text(OWN)

    done = user.run("image", "prod", "--tag", "0a1b2c3d4e5f")

    assert done.code == 0, done.err
    assert "warning: --tag 0a1b2c3d4e5f: 0a1b2c3d4e5f names no public release" in done.err
