"""Files of somebody else's are read without harm; files of one's own are written for oneself."""

import os
import resource
import socket
import stat
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field

from generator.foreign import MOST_LEVELS, Foreign, decode, parse, read_bytes, write_private
from tests.places import ROOT


@dataclass(frozen=True)
class Inner:
    name: Annotated[str, Field(max_length=5)]
    pair: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Outer:
    kind: Literal["a", "b"]
    on: bool
    inner: tuple[Inner, ...] = ()
    cost: Mapping[str, float | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind == "b" and not self.inner:
            raise ValueError("a b has an inner")


def test_a_schema_of_dataclasses_reads_what_fits_it() -> None:
    text = b'{"kind": "b", "on": true, "inner": [{"name": "x", "pair": [1, 2]}], "cost": {"y": 1, "z": null}}'

    assert parse(Outer, text, "f") == Outer(
        "b", on=True, inner=(Inner("x", (1, 2)),), cost={"y": 1.0, "z": None}
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"kind": "a"}', "on: Field required"),
        ('{"kind": "a", "on": 1}', "on: Input should be a valid boolean"),
        ('{"kind": "a", "on": "true"}', "on: Input should be a valid boolean"),
        ('{"kind": "hush", "on": true}', "kind: Input should be 'a' or 'b'"),
        ('{"kind": "a", "on": true, "extra": "hush"}', "extra: Unexpected"),
        ('{"kind": "a", "on": true, "inner": [{"name": "x", "extra": "hush"}]}', "inner.0.extra: Unexpected"),
        ('{"kind": "a", "on": true, "inner": [{"name": 7}]}', "inner.0.name: Input should be a valid string"),
        ('{"kind": "a", "on": true, "inner": [{"name": "hush-hush"}]}', "inner.0.name: String should have"),
        (
            '{"kind": "a", "on": true, "inner": [{"name": "x", "pair": [1]}]}',
            "inner.0.pair.1: Field required",
        ),
        ('{"kind": "a", "on": true, "inner": [{"name": "x", "pair": [1, true]}]}', "inner.0.pair.1: Input"),
        ('{"kind": "a", "on": true, "cost": {"y": "1"}}', "cost.y: Input should be a valid number"),
        ('{"kind": "b", "on": true}', "a b has an inner"),
        ('{"kind": "a", "on": true, "kind": "a"}', "the key kind stands there twice"),
        ('{"kind": "a", "on": true, "cost": {"y": NaN}}', "NaN and Infinity are no numbers"),
        ('{"kind": "a", "on": true, "cost": {"y": -Infinity}}', "NaN and Infinity are no numbers"),
        ('{"kind": "a", "on": true, "cost": {"y": 1e999}}', "cost.y: Input should be a finite number"),
        ('{"kind": "a", "on": true, "cost": {"y": 1' + "0" * 5000 + "}}", "a number is too long"),
        ('{"kind": "\\ud800", "on": true}', "Invalid JSON"),
        ("[]", "Input should be"),
        ("", "no JSON"),
        ('{"kind": "hush', "no JSON: Unterminated string"),
        ('{"kind": "a", "on": true} {}', "no JSON: Extra data"),
        ("[" * 100_000, f"nested deeper than {MOST_LEVELS} levels"),
        ('{"a":' * 100_000, f"nested deeper than {MOST_LEVELS} levels"),
    ],
    ids=lambda value: value[:60],
)
def test_what_does_not_fit_is_refused_by_its_place_and_never_repeated(text: str, why: str) -> None:
    with pytest.raises(Foreign) as refused:
        parse(Outer, text.encode(), "some.json")

    assert str(refused.value).startswith("some.json")
    assert why in str(refused.value)
    assert "hush" not in str(refused.value)
    assert refused.value.__context__ is None


def test_a_file_with_many_problems_is_told_by_the_first_few() -> None:
    wrong = ",".join(f'"k{number}": 1' for number in range(50))

    with pytest.raises(Foreign, match="and 49 more") as refused:
        parse(Outer, f"{{{wrong}}}".encode(), "f")

    assert len(str(refused.value)) < 300


def test_a_foreign_key_is_shown_short_and_on_one_line() -> None:
    with pytest.raises(Foreign) as refused:
        parse(Outer, ('{"kind": "a", "on": true, "x\\n\\u001b[31m' + "y" * 500 + '": 1}').encode(), "f")

    assert "\n" not in str(refused.value)
    assert "\x1b" not in str(refused.value)
    assert len(str(refused.value)) < 200


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(Foreign, match="not UTF-8"):
        parse(Outer, b'{"kind": "\xff"}', "f")


@pytest.mark.parametrize("text", ['"' + '\\"' * 500_000, '"' + "a" * 1_000_000, "[]" * 500_000, '"\\'])
def test_depth_is_counted_in_one_pass(text: str) -> None:
    with pytest.raises(Foreign):
        decode(text.encode(), "f")


def test_brackets_in_a_text_are_no_levels() -> None:
    assert decode(('["' + "[" * 500 + '\\"{"]').encode(), "f") == ["[" * 500 + '"{']


def test_a_regular_file_is_read_up_to_its_limit(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"12345")

    assert read_bytes(path, 5) == b"12345"
    with pytest.raises(Foreign, match="longer than 4 bytes"):
        read_bytes(path, 4)


@pytest.mark.parametrize("kind", ["link", "dangling link", "fifo", "folder", "socket", "device"])
def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "f"
    (tmp_path / "there").write_bytes(b"hush")
    match kind:
        case "link":
            path.symlink_to(tmp_path / "there")
        case "dangling link":
            path.symlink_to(tmp_path / "nowhere")
        case "fifo":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
        case "socket":
            here = Path.cwd()
            os.chdir(tmp_path)  # a socket's name is short
            with socket.socket(socket.AF_UNIX) as listening:
                listening.bind("f")
            os.chdir(here)
        case "device":
            path = Path("/dev/zero")

    with pytest.raises(Foreign, match="symbolic link" if "link" in kind else "no regular file") as refused:
        read_bytes(path, 1000)

    assert str(path) in str(refused.value)


def test_a_file_that_is_not_there_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_bytes(tmp_path / "f", 5)


def test_what_is_written_is_for_this_user_alone_with_its_new_folders(tmp_path: Path) -> None:
    path = tmp_path / "new" / "deeper" / "f"

    write_private(path, b"1")
    write_private(path, b"2")

    assert path.read_bytes() == b"2"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [stat.S_IMODE(parent.stat().st_mode) for parent in path.parents[:2]] == [0o700, 0o700]
    assert [one.name for one in path.parent.iterdir()] == ["f"]


def test_a_file_that_others_could_read_is_private_once_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"old")
    path.chmod(0o666)

    write_private(path, b"new")

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("target", ["there", "nowhere"])
def test_nothing_is_written_through_a_link(tmp_path: Path, target: str) -> None:
    (tmp_path / "there").write_bytes(b"theirs")
    path = tmp_path / "f"
    path.symlink_to(tmp_path / target)

    with pytest.raises(Foreign, match="is a symbolic link: remove it"):
        write_private(path, b"ours")

    assert path.is_symlink()
    assert (tmp_path / "there").read_bytes() == b"theirs"
    assert not (tmp_path / "nowhere").exists()


def test_a_pipe_or_a_folder_is_not_written_over(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()

    for name in ("pipe", "folder"):
        with pytest.raises(Foreign, match="no regular file"):
            write_private(tmp_path / name, b"ours")


def test_a_disk_that_is_full_leaves_the_old_file_whole(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"old")
    code = (
        "import sys, signal; from pathlib import Path; from generator.foreign import write_private;"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); write_private(Path(sys.argv[1]), b'n' * 100_000)"
    )

    done = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        cwd=ROOT,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)),
        capture_output=True,
        text=True,
        check=False,
    )

    assert f"File too large: '{path}'" in done.stderr
    assert path.read_bytes() == b"old"
    assert [one.name for one in tmp_path.iterdir()] == ["f"]
