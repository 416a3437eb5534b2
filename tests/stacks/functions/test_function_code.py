"""The functions' archive: the same bytes everywhere, complete in itself, and nothing in it but what runs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from hashlib import sha256
from importlib.metadata import distribution, version
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile

import pytest

from sandbox.stand_ins.lambda_runtime import LIBRARIES
from stacks.parts import function_code
from tests.places import ROOT

ISOLATED = (sys.executable, "-I", "-S", "-c")
"""Without this environment's packages, its variables, and the folder that the test runs in."""


def installed(package: str) -> Path:
    """Where this environment has *package*: a folder, or the module's file."""
    found = distribution({"dateutil": "python-dateutil"}.get(package, package))
    folder = Path(str(found.locate_file(package)))
    return folder if folder.is_dir() else folder.with_suffix(".py")


def run(code: str, *paths: Path) -> str:
    lines = f"import sys; sys.path[:0] = {[str(path) for path in paths]!r}; {code}"
    done = subprocess.run([*ISOLATED, lines], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def lambda_runtime(tmp_path: Path) -> Path:
    """A folder with what Lambda has, and nothing else."""
    folder = tmp_path / "runtime"
    folder.mkdir()
    for package in LIBRARIES:
        there = installed(package)
        (folder / there.name).symlink_to(there)
    return folder


def copied(folder: Path) -> Path:
    """Install what the archive is made from a second time: another folder, other dates, compiled files."""
    folder.mkdir()
    shutil.copytree(ROOT / "stacks", folder / "stacks")
    for library in function_code.LIBRARIES:
        shutil.copytree(installed(library), folder / library)
        metadata = f"{library}-{version(library)}.dist-info"
        shutil.copytree(installed(library).parent / metadata, folder / metadata)
    for path in folder.rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
        path.chmod(0o700)
    return folder


def names(archive: bytes) -> list[str]:
    return ZipFile(BytesIO(archive)).namelist()


def test_another_process_makes_the_same_bytes_from_another_installation(tmp_path: Path) -> None:
    elsewhere = copied(tmp_path / "elsewhere")
    code = "from stacks.parts import function_code as made; print(made.__file__, made.key())"

    file, key = run(code, elsewhere).split()
    assert Path(file).is_relative_to(elsewhere)
    assert key == function_code.key()


def test_the_archive_is_read_anew_and_still_the_same() -> None:
    first = function_code.archive()
    function_code.archive.cache_clear()

    assert function_code.archive() == first
    assert function_code.archive() is function_code.archive()


def test_the_order_in_which_files_are_found_does_not_matter() -> None:
    files = {"b.py": b"2", "a/c.py": b"1", "a.py": b""}

    assert function_code.packed(files) == function_code.packed(dict(reversed(files.items())))
    assert names(function_code.packed(files)) == ["a.py", "a/c.py", "b.py"]


def test_another_content_is_another_archive() -> None:
    assert function_code.packed({"a.py": b"1"}) != function_code.packed({"a.py": b"2"})


def test_the_key_is_named_after_the_content() -> None:
    digest = sha256(function_code.archive()).hexdigest()

    assert function_code.key() == f"functions/rotation-{digest[:16]}.zip"


def test_entries_are_undated_readable_and_not_compressed_so_that_no_machine_leaves_a_trace() -> None:
    entries = ZipFile(BytesIO(function_code.archive())).infolist()

    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert {entry.compress_type for entry in entries} == {ZIP_STORED}
    assert {(entry.create_system, entry.external_attr >> 16) for entry in entries} == {(3, 0o644)}


def test_it_holds_the_sources_the_driver_and_nothing_else() -> None:
    found = names(function_code.archive())
    sources = [f"stacks/functions/{path.name}" for path in (ROOT / "stacks" / "functions").glob("*.py")]
    metadata = [f"{name}-{version(name)}.dist-info/METADATA" for name in function_code.LIBRARIES]
    own = [name for name in found if name.startswith("stacks/")]

    assert sorted(own) == sorted(["stacks/__init__.py", *sources])
    assert [name for name in found if not name.endswith(".py")] == metadata
    assert {name.partition("/")[0] for name in found if name not in {*own, *metadata}} == {
        *function_code.LIBRARIES
    }
    assert len(found) == len(set(found))


def test_it_is_small_enough_to_be_uploaded_as_it_is() -> None:
    assert len(function_code.archive()) < 2_000_000  # AWS Lambda Developer Guide, quotas: 50 MB zipped


@pytest.mark.parametrize("module", ["database", "master_key"])
def test_a_handler_is_imported_from_the_archive_alone(
    module: str, tmp_path: Path, lambda_runtime: Path
) -> None:
    archive = tmp_path / "code.zip"
    archive.write_bytes(function_code.archive())
    code = (
        f"from stacks.functions.{module} import handler; import pg8000, scramp, asn1crypto, stacks;"
        " print(callable(handler), pg8000.__version__,"
        " *(one.__file__ for one in (pg8000, scramp, asn1crypto, stacks)))"
    )

    can_be_called, driver, *files = run(code, archive, lambda_runtime).split()
    assert (can_be_called, driver) == ("True", version("pg8000"))
    assert all(file.startswith(f"{archive}/") for file in files)


def test_a_handler_loads_nothing_of_ours_but_the_functions(tmp_path: Path, lambda_runtime: Path) -> None:
    archive = tmp_path / "code.zip"
    archive.write_bytes(function_code.archive())
    code = (
        "import stacks.functions.database, stacks.functions.master_key;"
        " print(*(name for name in sys.modules if name.startswith('stacks.')))"
    )

    loaded = run(code, archive, lambda_runtime).split()
    assert {name.split(".")[1] for name in loaded} == {"functions"}
