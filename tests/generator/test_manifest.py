"""A built folder is somebody else's until it is read: it is what `write` wrote, or it is refused in words."""

from __future__ import annotations

import copy
import json
import os
import stat
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st

from generator import manifest as manifests
from generator.foreign import Foreign
from generator.manifest import Manifest, contents
from generator.manifest_rules import FACTS, MOST_TEMPLATE_BYTES
from generator.render import render
from stacks.bases import environment_files
from stacks.environment import load
from tests.command import User
from tests.covering import searched
from tests.places import ENVIRONMENTS, ROOT
from tests.stacks.environments import environments

FILES = environment_files(ENVIRONMENTS)
Edit = Callable[[dict[str, Any]], Any]


@cache
def made(name: str = "prod") -> Manifest:
    return render(load(ROOT / "environments" / f"{name}.yaml"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A built folder beside a file that is none of its business."""
    manifests.write(made(), tmp_path / "built")
    (tmp_path / "hush").write_text('{"Resources": {}}')
    return tmp_path / "built"


def edit(path: Path, change: Edit) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def refusal(folder: Path) -> str:
    with pytest.raises(Foreign) as refused:
        manifests.read(folder)
    return str(refused.value)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_shipped_environment_is_read_as_it_was_written(path: Path, tmp_path: Path) -> None:
    manifest = made(path.stem)
    manifests.write(manifest, tmp_path / "built")

    found = manifests.read(tmp_path / "built")

    assert found == manifest
    assert contents(found) == contents(manifest)


@searched(8, 200, environments())
def test_any_environment_is_read_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, drawn: Any
) -> None:
    place, manifest = tmp_path_factory.mktemp("any"), render(drawn)
    manifests.write(manifest, place)

    assert manifests.read(place) == manifest


def stack(number: int, **values: Any) -> Edit:
    return lambda index: index["stacks"][number].update(values)


def inside(number: int, part: str, **values: Any) -> Edit:
    """Change the migration, or the first lookup or upload, of a stack: of the service's by default."""

    def change(index: dict[str, Any]) -> None:
        found = index["stacks"][number][part]
        (found[0] if isinstance(found, list) else found).update(values)

    return change


def tag(key: str, value: str) -> Edit:
    return lambda index: index["stacks"][1]["tags"].update({key: value})


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda index: index.update(files=["../hush"]), "files.0: no plain file name"),
        (lambda index: index.update(files=["/etc/passwd"]), "files.0: no plain file name"),
        (lambda index: index.update(files=[".aws"]), "files.0: no plain file name"),
        (lambda index: index.update(files=["a\nb"]), "files.0: no plain file name"),
        (lambda index: index.update(files=["alb.json"]), "the same name"),
        (lambda index: index.update(files=["Manifest.json"]), "the same name"),
        (lambda index: index.update(files=["x"] * 2), "the same name"),
        (lambda index: index.update(files={"a": 1}), "files: Input should be a valid"),
        (lambda index: index.update(files=[f"f{number}" for number in range(51)]), "files: 51 of them"),
        (lambda index: index.update(stacks=[]), "stacks: 0 of them"),
        (lambda index: index.update(stacks={}), "stacks: Input should be a valid"),
        (lambda index: index.update(extra=1), "extra: Unexpected"),
        (lambda index: index.update(production=1), "production: Input should be a valid boolean"),
        (lambda index: index.update(account="12345678901"), "account: not of its shape"),
        (lambda index: index.update(account=123456789012), "account: Input should be a valid string"),
        (lambda index: index.update(region="us-east-1.evil.example"), "region: not of its shape"),
        (lambda index: index.update(environment="../prod"), "environment: not of its shape"),
        (lambda index: index.update(environment="staging"), "stacks.0.stack_name"),
        (lambda index: index.update(usage={"nat_gb": -1}), "usage: a name or a number out of range"),
        (lambda index: index["stacks"].append(index["stacks"][0]), "the same name"),
        (stack(0, name="../hush"), "stacks.0.name: not lower-case"),
        (stack(0, stack_name="dev-litellm-security"), "stacks.0.stack_name: not environment"),
        (stack(0, template="{}"), "stacks.0.template: Unexpected"),
        (stack(0, capabilities=["CAPABILITY_NOPE"]), "stacks.0.capabilities: only CAPABILITY_AUTO_EXPAND"),
        (stack(0, capabilities="CAPABILITY_IAM"), "stacks.0.capabilities: Input should be a valid"),
        (stack(0, termination_protection="false"), "stacks.0.termination_protection: Input should be"),
        (stack(0, timeout_minutes=0), "stacks.0.timeout_minutes: 1 to 1440"),
        (stack(0, timeout_minutes=10**30), "stacks.0.timeout_minutes"),
        (stack(0, timeout_minutes=60.5), "stacks.0.timeout_minutes: Input should be a valid integer"),
        (stack(0, rollback_minutes=181), "stacks.0.rollback_minutes: 0 to 180"),
        (stack(0, rollback_alarms=["a"] * 6), "stacks.0.rollback_alarms: 5 names or ARNs at most"),
        (stack(0, rollback_alarms=["a\n"]), "stacks.0.rollback_alarms"),
        (tag("ManagedBy", "somebody"), "stacks.1.tags: ManagedBy contradicts"),
        (tag("Environment", "dev"), "stacks.1.tags: Environment contradicts"),
        (tag("Stack", "database"), "stacks.1.tags: Stack contradicts"),
        (tag("managedby", "gatestack"), "stacks.1.tags"),
        (tag("aws:cloudformation:stack-name", "x"), "stacks.1.tags: names that begin with aws:"),
        (tag("AWS:x", "x"), "stacks.1.tags: names that begin with aws:"),
        (tag("Team", "a\nb"), "stacks.1.tags: a tag's value"),
        (tag("x" * 200, "x"), "stacks.1.tags: a tag's name"),
        (inside(4, "lookups", rule="other"), "stacks.4.lookups.0.rule: Input should be"),
        (inside(4, "lookups", facts={"tag": "v1"}), "lookups.0.facts: desired-count has repository, tag"),
        (inside(4, "lookups", parameter="a b"), "lookups.0.parameter: not of its shape"),
        (inside(3, "lookups", facts={**dict.fromkeys(FACTS["engine-version"], "x")}), "facts.engine"),
        (inside(4, "uploads", file="other.zip"), "uploads.0.file: not among the manifest's files"),
        (inside(4, "uploads", bucket_export="elsewhere-Bucket"), "uploads.0.bucket_export: no export of"),
        (inside(4, "uploads", key="../x y"), "uploads.0.key: not of its shape"),
        (inside(4, "migration", image=""), "stacks.4.migration.image: empty"),
        (lambda index: index.update(account=""), "account: empty"),
        (inside(4, "migration", subnet_exports=[]), "security_group_exports: one at least"),
        (inside(4, "migration", definition_export="dev-litellm-database-Task"), "definition_export"),
        (lambda index: index["existing"].update(vpc_id="vpc-1 or 1=1"), "existing.vpc_id: not of its shape"),
        (lambda index: index["existing"].update(domain="a b"), "existing.domain: not of its shape"),
    ],
)  # fmt: skip
def test_an_index_that_gatestack_would_not_write_is_refused_by_its_place(
    folder: Path, change: Edit, why: str
) -> None:
    edit(folder / "manifest.json", change)

    told = refusal(folder)

    assert told.startswith(f"{folder} is not a folder that `gatestack generate` wrote: manifest.json: ")
    assert why in told
    assert len(told) < 700


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda t: t.update(Transform="AWS::Include"), "Transform: only AWS::LanguageExtensions"),
        (lambda t: t.update(Hooks={}), "no such section"),
        (lambda t: t["Resources"].update(X={"Type": "AWS::CloudFormation::Stack"}), "neither nested stacks"),
        (lambda t: t["Resources"].update(X={"Type": "AWS::CloudFormation::Macro"}), "neither nested stacks"),
        (lambda t: t["Outputs"].update(X={"Value": {"Fn::Transform": {"Name": "x"}}}), "no Fn::Transform"),
        (lambda t: t.update(Resources=[]), "a JSON object with Resources"),
        (lambda t: t["Resources"].update(X="text"), "Resources: expected objects"),
        (lambda t: t["Resources"].update(X={"Type": 7}), "each has a Type"),
        (lambda t: t.update(Outputs=[]), "Outputs: expected objects"),
        (lambda t: t.update(Outputs={"X": {"Export": "name"}}), "an Export has a Name"),
        (lambda t: t["Resources"].update({f"X{n}": {"Type": "A::B::C"} for n in range(501)}), "takes 500"),
    ],
)  # fmt: skip
def test_a_template_that_gatestack_would_not_write_is_refused(folder: Path, change: Edit, why: str) -> None:
    edit(folder / "alb.json", change)

    told = refusal(folder)

    assert "wrote: alb.json: " in told
    assert why in told


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[" * 100_000, "nested deeper than"),
        (" " * (MOST_TEMPLATE_BYTES + 1), f"longer than {MOST_TEMPLATE_BYTES} bytes"),
        ('{"Resources": {}, "Resources": {}}', "stands there twice"),
        ('{"Resources": NaN}', "NaN"),
        ("", "no JSON"),
    ],
)
def test_a_template_that_is_no_sound_json_is_refused(folder: Path, text: str, why: str) -> None:
    (folder / "alb.json").write_text(text)

    assert why in refusal(folder)


@pytest.mark.parametrize("name", ["manifest.json", "alb.json", "rotation-functions.zip"])
@pytest.mark.parametrize("kind", ["link", "fifo", "folder", "nothing"])
def test_an_entry_that_is_no_regular_file_is_refused_and_nothing_hangs(
    folder: Path, name: str, kind: str
) -> None:
    path = folder / name
    path.unlink()
    match kind:
        case "link":
            path.symlink_to("../hush")
        case "fifo":
            os.mkfifo(path)
        case "folder":
            path.mkdir()

    assert f"{path}" in refusal(folder)


def test_a_folder_is_refused_by_every_command_before_anything_is_touched(folder: Path) -> None:
    edit(folder / "manifest.json", lambda index: index.update(files=["../hush"]))
    user = User(folder.parent, {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"})

    for arguments in (("plan", "built"), ("deploy", "built", "--yes"), ("destroy", "built", "--yes")):
        done = user.run(*arguments)

        assert done.code == 2, done.err
        assert "manifest.json: files.0: no plain file name" in done.err


def test_what_is_built_is_for_this_user_alone(tmp_path: Path) -> None:
    manifests.write(made(), tmp_path / "new" / "built")

    written = [tmp_path / "new", tmp_path / "new" / "built"]
    files = list((tmp_path / "new" / "built").iterdir())
    assert {stat.S_IMODE(path.stat().st_mode) for path in written} == {0o700}
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


def test_a_link_in_place_of_a_file_is_not_written_through(folder: Path) -> None:
    (folder / "service.json").unlink()
    (folder / "service.json").symlink_to("../hush")
    before = (folder.parent / "hush").read_text()

    with pytest.raises(Foreign, match=r"service\.json is a symbolic link: remove it"):
        manifests.write(made(), folder)

    assert (folder.parent / "hush").read_text() == before


def test_a_link_in_place_of_the_folder_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / "built").symlink_to("theirs")

    with pytest.raises(Foreign, match="built is a symbolic link: remove it"):
        manifests.write(made(), tmp_path / "built")

    assert list((tmp_path / "theirs").iterdir()) == []


@pytest.mark.parametrize("link", ["build", "build/dev", "build/dev/alb.json"])
def test_generate_refuses_a_link_in_one_sentence(tmp_path: Path, link: str) -> None:
    user = User.at(tmp_path)
    (tmp_path / "theirs").mkdir()
    (tmp_path / link).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / link).symlink_to(tmp_path / "theirs")

    done = user.run("generate", "dev")

    assert done.code == 2
    assert f"{link} is a symbolic link: remove it" in done.err
    assert list((tmp_path / "theirs").iterdir()) == []
    (tmp_path / link).unlink()
    assert user.run("generate", "dev").code == 0


# --- anything at all ------------------------------------------------------------------------------

JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**40), 10**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(
        ["", "..", "../hush", "/etc/passwd", "aws:x", "CAPABILITY_AUTO_EXPAND", "\ud800", "\x00"]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def places(node: Any) -> list[tuple[Any, Any]]:
    """Every holder of a value in *node*, with the key or number that it has there."""
    items = list(node.items() if isinstance(node, dict) else enumerate(node))
    below = [place for _, value in items if isinstance(value, dict | list) for place in places(value)]
    return [(node, key) for key, _ in items] + below


def agrees(there: Any, written: Any) -> bool:
    """Whether *written* says what stands *there*; what was left out is the default."""
    if isinstance(there, dict) and isinstance(written, dict):
        return all(
            agrees(value, written[key]) if key in written else not value for key, value in there.items()
        )
    if isinstance(there, list) and isinstance(written, list):
        return len(there) == len(written) and all(map(agrees, there, written))
    return bool(there == written)


@st.composite
def mutated(draw: st.DrawFn) -> tuple[str, bytes]:
    """A file of the folder's, and what is in it instead."""
    name = draw(st.sampled_from(["manifest.json", "manifest.json", "network.json", "service.json"]))
    document = copy.deepcopy(json.loads(contents(made())[name]))
    for _ in range(draw(st.integers(1, 3))):
        holder, key = draw(st.sampled_from(places(document)))
        match draw(st.sampled_from(["value", "drop", "add", "deep", "twice"])):
            case "value":
                holder[key] = draw(JUNK)
            case "drop":
                del holder[key]
            case "add" if isinstance(holder, dict):
                holder[draw(st.text(max_size=10))] = draw(JUNK)
            case "twice" if isinstance(holder, list):
                holder.append(holder[key])
            case "deep":
                for _ in range(draw(st.sampled_from([3, 63, 200]))):
                    holder[key] = [holder.get(key) if isinstance(holder, dict) else holder[key]]
        if not places(document):
            break
    text = json.dumps(document).encode()
    return name, draw(
        st.sampled_from([text, text, text, text[: len(text) // 2], text + b"}", b"\xff" + text])
    )


@searched(40, 1000, mutated())
def test_any_mutation_is_read_as_it_stands_there_or_refused(
    tmp_path_factory: pytest.TempPathFactory, drawn: tuple[str, bytes]
) -> None:
    name, content = drawn
    folder = tmp_path_factory.getbasetemp() / "mutated"
    if not folder.exists():
        manifests.write(made(), folder)
    before = (folder / name).read_bytes()
    (folder / name).write_bytes(content)
    try:
        found = manifests.read(folder)
    except Foreign as refused:
        told = str(refused)
    else:
        told = ""
        assert agrees(json.loads(content), json.loads(contents(found)[name]))
    finally:
        (folder / name).write_bytes(before)
    assert told.isprintable()
    assert len(told) < 1000
