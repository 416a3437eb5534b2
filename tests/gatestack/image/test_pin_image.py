"""`make lock-image`: a release's digest is written down when its signature is verified, and not otherwise."""

import sys
from pathlib import Path

import pytest

from gatestack.image.base_image import bases
from tests.command import Done, User
from tests.places import ROOT
from tests.programs_on_path import Programs, pinned, signed, without

DIGEST = f"sha256:{'cd' * 32}"
DOCKERFILE = (ROOT / "image" / "Dockerfile").read_text()
LATER = DOCKERFILE.replace("=v1.108.7", "=v1.109.9")


def run(folder: Path, path: str) -> Done:
    return User(folder, {"PATH": path}).call(sys.executable, "-m", "gatestack.image.pin_image")


@pytest.fixture
def programs(tmp_path: Path) -> Programs:
    (tmp_path / "image").mkdir()
    (tmp_path / "image" / "Dockerfile").write_text(LATER)
    return Programs.at(tmp_path / "programs", "cosign")


def test_the_digest_that_is_verified_is_pinned_and_nothing_else_changes(
    programs: Programs, tmp_path: Path
) -> None:
    programs.answer("cosign verify", 0, signed(DIGEST))
    path = f"{programs.folder}:{without('cosign')}"

    done, again = run(tmp_path, path), run(tmp_path, path)

    written = (tmp_path / "image" / "Dockerfile").read_text()
    assert (done.code, again.code) == (0, 0), done.err
    assert f"v1.109.9 is {DIGEST}: written into image/Dockerfile" in done.out
    assert "as it was" in again.out
    assert written == LATER.replace(f"DIGEST={pinned().digest}\n", f"DIGEST={DIGEST}\n", 1)
    assert programs.calls[0][-1] == f"{pinned().name}:v1.109.9", "by its tag, which only this may resolve"
    assert bases(written)[0].digest == DIGEST


@pytest.mark.parametrize(
    ("code", "answer"),
    [(1, signed(DIGEST)), (0, "[]"), (0, "no JSON")],
    ids=["wrong key", "none", "no answer"],
)
def test_what_is_not_verified_is_not_pinned(
    programs: Programs, tmp_path: Path, code: int, answer: str
) -> None:
    programs.answer("cosign verify", code, answer)

    done = run(tmp_path, f"{programs.folder}:{without('cosign')}")

    assert (done.code, "error: " in done.err) == (1, True)
    assert (tmp_path / "image" / "Dockerfile").read_text() == LATER


@pytest.mark.parametrize(
    ("dockerfile", "words"),
    [
        ("FROM scratch\n", "builds on 0 releases"),
        (
            LATER.replace("LITELLM_KEY_COMMIT=e", "LITELLM_KEY_COMMIT="),
            "does not name ARG LITELLM_KEY_COMMIT",
        ),
        (LATER.replace("@${LITELLM_DIGEST}", ""), "has no place for the digest"),
        (LATER.replace("ARG LITELLM_DIGEST=", "ARG PIN="), "has no place for the digest"),
    ],
    ids=["another", "no key", "unused", "no argument"],
)
def test_a_dockerfile_that_cannot_be_pinned_is_refused(
    programs: Programs, tmp_path: Path, dockerfile: str, words: str
) -> None:
    (tmp_path / "image" / "Dockerfile").write_text(dockerfile)
    programs.answer("cosign verify", 0, signed(DIGEST))

    done = run(tmp_path, f"{programs.folder}:{without('cosign')}")

    assert (done.code, words in done.err) == (2, True), done.err
    assert (tmp_path / "image" / "Dockerfile").read_text() == dockerfile


def test_without_cosign_nothing_is_pinned(programs: Programs, tmp_path: Path) -> None:
    done = run(tmp_path, without("cosign"))

    assert (done.code, "cosign is not on the PATH" in done.err) == (2, True)
