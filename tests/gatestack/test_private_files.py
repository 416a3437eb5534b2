"""What gatestack keeps in a checkout is for its user alone, and is not written through anybody's link."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from gatestack import telling
from tests.places import ROOT

FAILING = (
    "import sys; from gatestack import __main__ as main\n"
    "class Failing:\n"
    "    def main(self, *a, **k): raise ZeroDivisionError\n"
    "main.cli = Failing(); sys.exit(main.run([]))"
)


def fail(folder: Path) -> str:
    """Run a command that fails as none should; returns what is told."""
    done = subprocess.run(
        [sys.executable, "-c", FAILING],
        cwd=folder,
        env={"PATH": "", "HOME": str(folder), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stderr


def test_the_report_of_an_unexpected_error_is_for_its_user_alone(tmp_path: Path) -> None:
    assert "please report it with .gatestack/error.log" in fail(tmp_path)

    assert stat.S_IMODE((tmp_path / ".gatestack").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / ".gatestack" / "error.log").stat().st_mode) == 0o600


@pytest.mark.parametrize("link", [".gatestack", ".gatestack/error.log"])
def test_the_report_is_not_written_through_a_link(tmp_path: Path, link: str) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / link).parent.mkdir(exist_ok=True)
    (tmp_path / link).symlink_to(tmp_path / "theirs" / ("" if link == ".gatestack" else "file"))

    told = fail(tmp_path)

    assert f"cannot be written: {link} is a symbolic link" in told
    assert list((tmp_path / "theirs").iterdir()) == []


def test_a_summary_for_the_agent_is_for_its_user_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TF_BUILD", "True")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AGENT_TEMPDIRECTORY", raising=False)

    telling.summary("# what changes", "plan")

    assert stat.S_IMODE((tmp_path / "build" / "plan.md").stat().st_mode) == 0o600
