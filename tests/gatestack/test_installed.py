"""gatestack as pip installs it: in an empty virtual environment and an empty folder, without its sources."""

import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from gatestack.cli import COMMANDS
from gatestack.commands.init import NEXT
from stacks.schema import FILE
from tests.command import Done, User
from tests.places import ROOT

SOURCES = ("deployer", "docs", "gatestack", "generator", "image", "pipelines", "sandbox", "stacks")
LIBRARIES = sysconfig.get_path("purelib")
"""What gatestack depends on; what is installed there by a link to its sources is not followed."""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build a wheel, install it, and return the program; the project's folder is not on its path."""
    folder = tmp_path_factory.mktemp("installed")
    project, python = folder / "project", folder / "venv" / "bin" / "python"
    for name in SOURCES:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, project / name, symlinks=True, ignore=ignored)
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, project)
    pip = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
    offline = ("--no-deps", "--no-index")
    for command in (
        (*pip, "wheel", *offline, "--no-build-isolation", "--wheel-dir", str(folder), str(project)),
        (sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")),
    ):
        subprocess.run(command, check=True, capture_output=True)
    (wheel,) = folder.glob("gatestack-*.whl")
    subprocess.run(
        (*pip, "--python", str(python), "install", *offline, "--no-compile", str(wheel)),
        check=True,
        capture_output=True,
    )
    shutil.rmtree(project)
    (packages,) = (folder / "venv" / "lib").glob("python*/site-packages")
    (packages / "libraries.pth").write_text(f"{LIBRARIES}\n")
    return python.with_name("gatestack")


class Newcomer(User):
    """Somebody who has the program and no checkout."""

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables, without a way to the checkout."""
        return {name: value for name, value in super().environment.items() if name != "PYTHONPATH"}


@pytest.fixture
def newcomer(tmp_path: Path) -> Newcomer:
    """A newcomer in an empty folder."""
    return Newcomer(tmp_path)


def typed(newcomer: Newcomer, installed: Path, text: str) -> Done:
    program, *arguments = shlex.split(text)
    assert program == "gatestack"
    done = newcomer.call(str(installed), *arguments)
    assert "unexpected" not in done.err, done.err
    return done


def test_every_command_is_there_and_none_comes_from_the_checkout(installed: Path, newcomer: Newcomer) -> None:
    code = (
        "import gatestack.cli as one, importlib, sys\n"
        "for name in one.COMMANDS: importlib.import_module(f'gatestack.commands.{name}')\n"
        "print(*(getattr(m, '__file__', None) or '' for m in sys.modules.values()), sep='\\n')"
    )
    done = newcomer.call(str(installed.with_name("python")), "-c", code)

    assert (done.code, len(COMMANDS) > 20) == (0, True), done.err
    ours = [line for line in done.out.splitlines() if line.startswith(f"{ROOT}/")]
    assert [line for line in ours if not line.startswith(LIBRARIES)] == []


def test_from_an_empty_folder_to_a_deployment(installed: Path, newcomer: Newcomer) -> None:
    """The first commands of the README, and those that `init` names; the sandbox is the installed one's."""
    assert typed(newcomer, installed, "gatestack schema").out == FILE.read_text()
    said = typed(newcomer, installed, "gatestack init --region eu-west-1")
    assert said.code == 0, said.err
    assert [line.strip() for line in said.out.splitlines() if line.startswith("  ")] == [*NEXT]
    try:
        assert typed(newcomer, installed, "gatestack local start --speed 6000").code == 0
        for step in ("gatestack cost dev", NEXT[1], "gatestack status local"):
            done = typed(newcomer, installed, step)
            assert done.code == 0, f"{step}: {done.err}"
        assert "CREATE_COMPLETE" in done.out
    finally:
        typed(newcomer, installed, "gatestack local stop")


def test_the_pages_that_messages_name_are_there(installed: Path, newcomer: Newcomer) -> None:
    there = [line.split()[0] for line in typed(newcomer, installed, "gatestack docs").out.splitlines()]
    assert there == sorted(
        one.relative_to(ROOT / "docs").with_suffix("").as_posix() for one in (ROOT / "docs").rglob("*.md")
    )
    page = typed(newcomer, installed, "gatestack docs rotation-failed").out
    assert page.strip() == (ROOT / "docs" / "rotation-failed.md").read_text().strip()


def test_a_file_of_setup_names_a_schema_that_is_there(installed: Path, newcomer: Newcomer) -> None:
    done = typed(newcomer, installed, "gatestack setup --yes --environment first --system llm-proxy")

    assert done.code == 0, done.err
    folder = newcomer.folder / "environments"
    first = (folder / "llm-proxy-first.yaml").read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=environment.schema.json"
    assert (folder / "environment.schema.json").read_text() == FILE.read_text()
