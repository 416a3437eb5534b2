"""Files that extend another one: what is laid over what, which file a problem stands in, what is refused."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st

from stacks.bases import environment_files, is_base, named
from stacks.environment import EnvironmentFileError, load, parse_settings
from stacks.extensions import Added
from stacks.inheritance import merged
from stacks.settings import Settings
from tests.covering import searched
from tests.places import ENVIRONMENTS
from tests.stacks.environments import PATH, files, written

BASE = "system: litellm\ntags: {Owner: a, Team: b}\nservice:\n  cpu: 1024\n  memory_mb: 2048\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(**texts: str) -> None:
    """Write files of the folder ``e`` by their names without ending."""
    Path("e").mkdir(exist_ok=True)
    for name, text in texts.items():
        Path("e", f"{name}.yaml").write_text(text)


def problems(path: str) -> list[str]:
    with pytest.raises(EnvironmentFileError) as caught:
        load(Path(path))
    return str(caught.value).splitlines()


def test_maps_lie_over_each_other_and_lists_and_texts_replace(folder: Path) -> None:
    write(
        base=BASE
        + "  providers: [openai, anthropic]\n  environment: {A: base, B: base}\nregion: eu-west-1\n",
        eu="extends: base.yaml\nservice: {environment: {B: eu}, providers: [openai]}\n",
        dev="extends: eu.yaml\nenvironment: dev\nregion:\ntags: {Owner: c}\nservice: {environment: {C: x}}\n",
    )
    made = load(Path("e/dev.yaml"))
    assert (made.region, made.tags) == ("eu-west-1", {"Owner": "c", "Team": "b"})
    assert made.service.environment == {"A": "base", "B": "eu", "C": "x"}
    assert (made.service.cpu, made.service.providers) == (1024, ("openai",))


def test_a_path_is_seen_from_the_file_that_says_it(folder: Path) -> None:
    (folder / "common" / "deep").mkdir(parents=True)
    (folder / "common" / "all.yaml").write_text(BASE)
    (folder / "common" / "deep" / "eu.yaml").write_text("extends: ../all.yaml\n")
    write(dev="extends: ../common/deep/eu.yaml\nenvironment: dev\n")
    assert load(Path("e/dev.yaml")).service.cpu == 1024
    assert load(folder / "e" / "dev.yaml").service.cpu == 1024


def test_a_problem_names_the_file_and_line_where_its_value_stands(folder: Path) -> None:
    write(
        base="system: litellm\nalb:\n  wafs: true\n  hosted_zone_id: Z123\nservice:\n  memory_mb: 8192\n",
        dev="extends: base.yaml\nenvironment: dev\nregoin: eu-west-1\nservice:\n  cpu: 512\n  port: 0\n",
    )
    assert problems("e/dev.yaml") == [
        "e/dev.yaml:3: regoin: unknown key; did you mean region?",
        "e/dev.yaml:6: service.port: 0 is out of range; 1 to 65535",
        "e/base.yaml:3: alb.wafs: unknown key; did you mean waf?",
        "e/base.yaml:4: alb.hosted_zone_id: says where, not which name; add alb.domain_name",
        (
            "e/base.yaml:6: service.memory_mb: Fargate has no 8192 MB with 512 CPU units; "
            "1024, 2048, 3072, 4096"
        ),
    ]


def test_a_value_that_is_replaced_is_not_judged_and_a_line_is_that_of_what_replaces_it(folder: Path) -> None:
    write(base=BASE + "  port: 0\nalb: 5\n", dev="extends: base.yaml\nenvironment: dev\nalb: {}\n")
    assert problems("e/dev.yaml") == ["e/base.yaml:6: service.port: 0 is out of range; 1 to 65535"]
    write(dev="extends: base.yaml\nenvironment: dev\nalb: {waf: 3}\nservice: {port: 4000}\n")
    assert problems("e/dev.yaml") == ["e/dev.yaml:3: alb.waf: expected true or false, found a number"]


def test_what_yaml_gets_wrong_in_a_base_is_told_with_its_file(folder: Path) -> None:
    write(base=BASE + "tags: {A: b}\nregion: 2024-01-01\n", dev="extends: base.yaml\nenvironment: dev\n")
    assert problems("e/dev.yaml") == [
        (
            "e/base.yaml:6: tags: stands twice, first on line 2; "
            "merge it: move what is below it to what is below line 2"
        ),
        'e/base.yaml:7: region: YAML reads this as a date; if it is text, quote it: "2024-01-01"',
    ]


def test_a_key_that_no_file_has_is_missing_in_the_environments_file(folder: Path) -> None:
    write(base="tier: dev\n", dev="extends: base.yaml\nenvironment: dev\n")
    assert problems("e/dev.yaml") == ["e/dev.yaml: system: missing"]


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("bas.yaml", "e/dev.yaml:2: extends: e/bas.yaml: no such file; e has base.yaml"),
        ("/e/base.yaml", "e/dev.yaml:2: extends: an absolute path is another place on each machine; "),
        ("[base.yaml]", "e/dev.yaml:2: extends: expected the path of one file, like extends: base.yaml"),
        ("5", "e/dev.yaml:2: extends: expected the path of one file"),
        ('"a\\0b"', "e/dev.yaml:2: extends: expected the path of one file"),
        ("''", "e/dev.yaml:2: extends: expected the path of one file"),
        ("..", "e/dev.yaml:2: extends: e/.. is no file"),
        ("dev.yaml", "e/dev.yaml:2: extends: e/dev.yaml would be below itself"),
        ("../e/dev.yaml", "e/dev.yaml:2: extends: e/../e/dev.yaml would be below itself"),
        ("../notes.txt", "e/dev.yaml:2: extends: e/../notes.txt is no environment file"),
        ("../list.yaml", "e/dev.yaml:2: extends: e/../list.yaml is no environment file"),
        ("../broken.yaml", "e/../broken.yaml:2: not YAML: while parsing a flow node"),
        ("../latin.yaml", "e/dev.yaml:2: extends: e/../latin.yaml:2: not UTF-8 text; save the file as UTF-8"),
        ("2024-01-01", "e/dev.yaml:2: extends: YAML reads this as a date"),
    ],
)
def test_what_cannot_be_extended_is_refused_where_it_stands(folder: Path, said: str, problem: str) -> None:
    Path("notes.txt").write_text("PASSWORD=hush\nmore words\n")
    Path("list.yaml").write_text("- a\n")
    Path("broken.yaml").write_text("a: [\n")
    Path("latin.yaml").write_bytes(b"tier: dev\ntags: {Owner: \xe4}\n")
    write(base=BASE, dev=f"environment: dev\nextends: {said}\n")
    (told,) = problems("e/dev.yaml")
    assert told.startswith(problem)
    assert "hush" not in told


def test_a_circle_is_refused_in_the_file_that_closes_it(folder: Path) -> None:
    write(
        a="extends: b.yaml\nenvironment: a\n",
        b="system: litellm\nextends: c.yaml\n",
        c="\n\nextends: a.yaml\n",
    )
    expected = (
        "e/c.yaml:3: extends: e/a.yaml would be below itself; take the extends: out of one of the files"
    )
    assert problems("e/a.yaml") == [expected]
    Path("e/same.yaml").symlink_to("a.yaml")
    write(c="extends: same.yaml\n")
    assert problems("e/a.yaml")[0].startswith("e/c.yaml:1: extends: e/same.yaml would be below itself")


def test_ten_files_lie_below_one_and_no_more(folder: Path) -> None:
    write(**{f"f{n}": f"extends: f{n + 1}.yaml\n" for n in range(10)})
    write(dev="extends: f1.yaml\nenvironment: dev\n", f10=BASE)
    assert load(Path("e/dev.yaml")).service.cpu == 1024
    assert is_base(Path("e/f1.yaml"))
    write(dev="extends: f0.yaml\nenvironment: dev\n")
    assert problems("e/dev.yaml") == [
        "e/f9.yaml:1: extends: more than 10 files below e/dev.yaml; put some of them together"
    ]


def test_a_base_may_be_empty_and_a_device_is_none(folder: Path) -> None:
    write(base="# nothing yet\n", dev="extends: base.yaml\nsystem: litellm\nenvironment: dev\n")
    assert load(Path("e/dev.yaml")).environment == "dev"
    Path("e/base.yaml").unlink()
    Path("e/base.yaml").symlink_to("/dev/zero")
    assert problems("e/dev.yaml") == ["e/dev.yaml:1: extends: e/base.yaml is no file"]


def test_a_base_is_no_environment_of_its_folder(folder: Path) -> None:
    write(
        base=BASE,
        eu="extends: base.yaml\nregion: eu-west-1\n",
        dev="extends: eu.yaml\nenvironment: dev\n",
        local=BASE + "environment: local\n",
        canary="extends: local.yaml\n",
        flow="{system: litellm, environment: flow}",
        broken="environment: [\n",
    )
    for said in ("/dev/zero", "../../../../../../dev/zero", "nowhere.yaml", "base.yaml"):
        write(odd=f"extends: {said}\n")
        assert is_base(Path("e/odd.yaml")) == (said == "base.yaml")
    Path("e/odd.yaml").unlink()
    assert not is_base(Path("e/odd.yaml"))
    assert [path.stem for path in environment_files(Path("e"))] == [
        "broken",
        "canary",
        "dev",
        "flow",
        "local",
    ]
    assert environment_files(Path("nowhere")) == []
    (said,) = problems("e/dve.yaml")
    assert said == (
        "e/dve.yaml: no such file; e has broken.yaml, canary.yaml, dev.yaml, flow.yaml, local.yaml; "
        "did you mean dev.yaml?"
    )
    assert (named(Path("e/canary.yaml")).environment, named(Path("e/dev.yaml")).system) == (
        "local",
        "litellm",
    )


def test_a_base_by_itself_says_what_it_lacks(folder: Path) -> None:
    write(base="tier: dev\nalb: {wafs: true}\n")
    assert problems("e/base.yaml") == [
        "e/base.yaml: environment: missing; a file without it is a base, for others to name behind extends:",
        "e/base.yaml: system: missing",
        "e/base.yaml:2: alb.wafs: unknown key; did you mean waf?",
    ]


def test_every_shipped_file_but_the_base_is_an_environment() -> None:
    assert set(ENVIRONMENTS.glob("*.yaml")) - set(environment_files(ENVIRONMENTS)) == {
        ENVIRONMENTS / "base.yaml"
    }


def parted(
    draw: Callable[[st.SearchStrategy[str]], str], value: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return two mappings that make *value* when the second is laid over the first."""
    below: dict[str, Any] = {}
    above: dict[str, Any] = {}
    for key, one in value.items():
        where = draw(st.sampled_from(["below", "above", "both"]))
        if isinstance(one, dict) and where == "both":
            below[key], above[key] = parted(draw, one)
        elif where == "below":
            below[key] = deepcopy(one)
        else:
            above[key] = deepcopy(one)
    return below, above


def outcome(read: Callable[[], Settings]) -> Settings | list[str]:
    """Return the settings, or the problems without their lines."""
    try:
        return read()
    except EnvironmentFileError as error:
        return sorted(map(str, error.problems))


@searched(8, 300, st.data())
def test_a_file_in_two_parts_is_refused_or_means_what_it_means_in_one(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    file = data.draw(files())
    below, above = parted(data.draw, file)
    assert merged(below, above) == file
    place = tmp_path_factory.getbasetemp() / "parts"
    place.mkdir(exist_ok=True)
    (place / "base.yaml").write_text(written(below))
    over = place / "any.yaml"
    over.write_text(written({"extends": "base.yaml"} | above))
    # Where a patch stands is not what it means.
    one = outcome(lambda: parse_settings(written(file), PATH).adding(Added()))
    assert outcome(lambda: load(over).adding(Added())) == one
