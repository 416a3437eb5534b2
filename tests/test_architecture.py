"""The import rules: one way for the data, each library in one place, nothing heavy before it is needed."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from stacks import STACKS, builder
from tests.places import ROOT

FUNCTIONS = sorted((ROOT / "stacks" / "functions").glob("*.py"))
PACKAGES = ("stacks", "generator", "deployer", "sandbox", "gatestack", "security")

MAY_IMPORT = {
    "stacks": {"stacks"},
    "generator": {"generator", "stacks"},
    "deployer": {
        "deployer",
        "generator.conditions",
        "generator.escapes",
        "generator.foreign",
        "generator.manifest",
        "stacks.checking.secret_texts",
    },
    "sandbox": {"sandbox"},
    "gatestack": {"gatestack", "generator", "deployer", "stacks", "sandbox"},
    "security": {"security", "generator", "stacks"},
}
"""Package -> what of the project it may import."""

ONLY_IN = {
    "troposphere": ("stacks/",),
    "awacs": ("stacks/",),
    "pydantic": ("stacks/", "generator/foreign.py"),
    "pydantic_core": ("stacks/", "generator/foreign.py"),
    "cfnlint": ("generator/lint.py", "sandbox/schema.py"),
    "boto3": ("deployer/aws/", "sandbox/", "stacks/functions/"),
    "botocore": ("deployer/aws/", "sandbox/", "stacks/functions/"),
    "pg8000": ("stacks/functions/postgres.py", "sandbox/stand_ins/", "sandbox/gateway/databases/"),
    "click": ("gatestack/",),
    "rich": ("gatestack/",),
    "moto": ("sandbox/",),
    "jinja2": ("deployer/pages/html.py",),
    "h11": ("sandbox/gateway/balancer/",),
    "cryptography": ("sandbox/gateway/authority.py",),
}
"""Library -> the only places that may import it."""


ROOMS = (*STACKS, "bootstrap")
"""The folders of `stacks` that each hold one stack."""
SYSTEM_ASKED = re.compile(r"\.system\s*(==|!=|in\b)|match .*\.system")
"""A builder that wants to know the system by its name."""


def modules() -> list[Path]:
    return sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


@cache
def imports(path: Path, *, annotations: bool = True) -> set[str]:
    """Return the names that a module imports; *annotations*: also those under TYPE_CHECKING."""
    tree = ast.parse(path.read_text())
    found = set()
    left_out = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test) and not annotations
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in left_out:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def is_or_is_in(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


@pytest.mark.parametrize("package", PACKAGES)
def test_a_module_imports_only_what_its_package_may(package: str) -> None:
    refused = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in (ROOT / package).rglob("*.py")
        for name in imports(path)
        if name.split(".")[0] in PACKAGES
        and not any(is_or_is_in(name, allowed) for allowed in MAY_IMPORT[package])
    }

    assert refused == set()


@pytest.mark.parametrize("path", FUNCTIONS, ids=lambda path: path.name)
def test_a_function_takes_nothing_to_lambda_but_functions(path: Path) -> None:
    ours = {name for name in imports(path) if name.split(".")[0] in PACKAGES}

    assert {name for name in ours if not is_or_is_in(name, "stacks.functions")} == set()


def test_no_builder_asks_which_system_it_builds() -> None:
    """What differs is data: a system's name stands in `stacks/systems` and in the list of all systems."""
    builders = [path for room in ROOMS for path in (ROOT / "stacks" / room).glob("*.py")]
    places = [*builders, *(ROOT / "stacks" / "parts").glob("*.py"), *(ROOT / "stacks").glob("*.py")]
    asking = [path.name for path in places if SYSTEM_ASKED.search(path.read_text())]

    assert asking == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    """An import inside a function counts, one for annotations alone does not."""
    names = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in modules()
    }
    needs = {
        name: {
            module
            for used in imports(path, annotations=False)
            if (module := used if used in names else used.rpartition(".")[0]) in names and module != name
        }
        for name, path in names.items()
    }
    free: set[str] = set()
    while ready := {name for name in needs.keys() - free if needs[name] <= free}:
        free |= ready

    assert sorted(needs.keys() - free) == []


def test_no_package_imports_a_name_that_one_of_its_modules_has() -> None:
    """The module would take the name's place as soon as anybody imports it."""
    hidden = [
        f"{path.relative_to(ROOT)}: {alias.name}"
        for path in modules()
        if path.name == "__init__.py"
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.ImportFrom) and node.module != ".".join(path.parent.relative_to(ROOT).parts)
        for alias in node.names
        if (path.parent / f"{alias.asname or alias.name}.py").exists()
    ]

    assert hidden == []


def test_a_file_is_read_at_a_sitting_and_a_folder_seen_at_a_glance() -> None:
    lines = {path.relative_to(ROOT).as_posix(): len(path.read_text().splitlines()) for path in modules()}
    folders = Counter(path.parent.relative_to(ROOT).as_posix() for path in modules())

    assert {name: count for name, count in lines.items() if count > 350} == {}
    assert {name: count for name, count in folders.items() if count > 26} == {}


def test_tests_stand_in_the_folder_of_what_they_test() -> None:
    """What asks whether the whole fits together has no folder."""
    whole = {"test_architecture.py", "test_bench.py", "test_covering.py", "test_locks.py"}
    found = sorted((ROOT / "tests").rglob("test_*.py"))
    assert {path.name for path in found if path.parent == ROOT / "tests"} == whole
    assert {path.relative_to(ROOT / "tests").parts[0] for path in found} - whole <= {
        *PACKAGES,
        "pipelines",
        "docs",
    }
    assert [name for name, count in Counter(path.name for path in found).items() if count > 1] == []
    many = {folder: count for folder, count in Counter(path.parent for path in found).items() if count > 26}
    assert many == {}


@pytest.mark.parametrize("room", ROOMS)
def test_a_stack_s_folder_takes_nothing_from_another_stack_s(room: str) -> None:
    others = {f"stacks.{one}" for one in ROOMS if one != room}
    used = {name for path in (ROOT / "stacks" / room).glob("*.py") for name in imports(path)}

    assert {name for name in used if any(is_or_is_in(name, other) for other in others)} == set()


def test_what_one_stack_alone_uses_stands_in_its_folder() -> None:
    """`stacks/parts` is for what two or more use, themselves or by another part."""
    parts = {
        path.stem: imports(path) for path in (ROOT / "stacks" / "parts").glob("*.py") if path.stem[0] != "_"
    }
    users: dict[str, set[str]] = {name: set() for name in parts}
    for room in ROOMS:
        waiting = [name for path in (ROOT / "stacks" / room).glob("*.py") for name in imports(path)]
        while waiting:
            name = waiting.pop()
            part = name.split(".")[2] if name.startswith("stacks.parts.") else ""
            if part in parts and room not in users[part]:
                users[part].add(room)
                waiting += parts[part]

    assert {name for name, rooms in users.items() if len(rooms) < 2} == set()


@pytest.mark.parametrize("library", ONLY_IN)
def test_each_library_is_used_in_one_place(library: str) -> None:
    users = {
        path.relative_to(ROOT).as_posix()
        for path in modules()
        if any(name.split(".")[0] == library for name in imports(path))
    }

    assert {place for place in users if not place.startswith(ONLY_IN[library])} == set()


def test_change_sets_and_stacks_are_deleted_by_a_run_and_by_what_takes_back_what_never_ran() -> None:
    deletes = re.compile(r"\.delete_(?:change_set|stack)\(")
    places = {
        path.name for path in modules() if "deployer" in path.parts and deletes.search(path.read_text())
    }

    assert places == {"executor.py", "discard.py"}


@pytest.mark.parametrize(
    ("arguments", "unwanted"),
    [
        (["--help"], {"troposphere", "cfnlint", "botocore", "pydantic", "yaml", "rich", "moto", "tempfile"}),
        (
            ["status", "--help"],
            {"troposphere", "cfnlint", "botocore", "moto", "pydantic", "cryptography", "urllib.request"},
        ),
        (["plan", "--help"], {"troposphere", "cfnlint", "botocore", "moto", "jinja2", "cryptography"}),
        (["events", "--help"], {"troposphere", "cfnlint", "moto", "jinja2"}),
        (["verify", "--help"], {"troposphere", "cfnlint", "moto"}),
        (["rotate", "--help"], {"troposphere", "cfnlint", "moto"}),
        (["rollout", "--help"], {"troposphere", "cfnlint", "moto"}),
        (
            ["local", "status"],
            {"troposphere", "cfnlint", "botocore", "moto", "cryptography", "urllib.request"},
        ),
        (
            ["generate", "dev", "--out", "{out}"],
            {"cfnlint", "botocore", "moto", "rich", "deployer.day2", "deployer.run"}
            | {
                "ssl",
                "difflib",
                "troposphere.wafv2",
                "troposphere.elasticache",
            },
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_command_loads_nothing_it_does_not_need(
    arguments: list[str], unwanted: set[str], tmp_path: Path
) -> None:
    command = [part.format(out=tmp_path) for part in arguments]
    code = (
        "import os, sys; os._exit = sys.exit; from gatestack.__main__ import main\n"
        "try: main()\n"
        "except SystemExit as end: print('LOADED', *sys.modules); sys.exit(end.code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *command],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},  # no sandbox of whoever runs the tests
        capture_output=True,
        text=True,
        check=True,
    )

    loaded = set(done.stdout.rpartition("LOADED")[2].split())
    assert "gatestack.cli" in loaded
    assert loaded & unwanted == set()


def test_every_stack_module_is_named_and_every_name_is_a_module() -> None:
    assert all(callable(builder(name).build) for name in STACKS)


def test_an_installed_gatestack_has_every_package_and_every_file_that_it_reads() -> None:
    """The list is explicit: a folder of tests or a build must not be taken for a package. Links are data."""
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    installed = {package for package in PACKAGES if package != "security"}
    files = [path.relative_to(ROOT) for package in installed for path in (ROOT / package).rglob("*")]
    packages = {".".join(path.parent.parts) for path in files if path.suffix == ".py"}
    data = {path for path in files if path.suffix not in {".py", ".pyc"} and (ROOT / path).is_file()}
    linked = [path for path in files if (ROOT / path).is_symlink()]
    for link in linked:
        below = (path.relative_to(ROOT) for path in (ROOT / link).resolve().rglob("*") if path.is_file())
        data |= {link.parent / path for path in below if path.suffix != ".pyc"}
    taken = {
        path.relative_to(ROOT)
        for package, patterns in setuptools["package-data"].items()
        for pattern in patterns
        for path in (ROOT / package.replace(".", "/")).glob(pattern)
        if path.is_file() and path.suffix != ".pyc"
    }

    assert set(setuptools["packages"]) == packages
    assert data == taken
    assert {path.name for path in linked} == {"docs", "image", "litellm.txt", "pipelines"}
