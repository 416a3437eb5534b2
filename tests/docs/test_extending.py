"""docs/extending.md and sign-in.md: each example is an environment in which cfn-lint finds nothing."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from deployer.graph import graph
from generator.manifest import Manifest
from generator.render import render
from stacks.environment import load
from tests.covering import only
from tests.linted import check
from tests.places import ENVIRONMENTS, ROOT

PAGES = "\n".join((ROOT / "docs" / page).read_text() for page in ("extending.md", "sign-in.md"))
BLOCKS = re.findall(r"(?ms)^```yaml\n(.*?)^```", PAGES)
FILES = {text.split("\n", 1)[0].removeprefix("# "): text for text in BLOCKS if text.startswith("# ")}
"""Place of a file that the page shows in full -> its text."""
EXAMPLES = [text for text in BLOCKS if "\nResources:" not in text]


LINTED = ("extend:", "oidc:")
"""
What examples say that `make test` has cfn-lint look at here.

`make check-deep` has it look at all: sidecars, which collectors are too, logs of prompts and HTTPS have tests
of their own that do.
"""


def name_of(example: object) -> str:
    return str(example).split(":")[1].strip()[:40]


def rendered(said: dict[str, Any], place: Path) -> Manifest:
    for name, text in FILES.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text)
    shutil.copy(ENVIRONMENTS / "base.yaml", place / "environments")
    path = place / "environments" / "shown.yaml"
    path.write_text(yaml.safe_dump({"system": "litellm", "environment": "dev", **said}))
    return render(load(path))


@pytest.mark.parametrize("example", EXAMPLES, ids=name_of)
def test_an_example_of_the_page_is_an_environment(example: str, tmp_path: Path) -> None:
    said: dict[str, Any] = yaml.safe_load(example)
    manifest = rendered(said, tmp_path)

    assert {"security", "service"} < {*graph(manifest.stacks).names}
    patched = [one.resource for stack in manifest.stacks for one in stack.patched]
    assert len(patched) == len(said.get("extend", {}).get("patches", ()))


@pytest.mark.parametrize(
    "example",
    only([one for one in EXAMPLES if any(key in one for key in LINTED)], EXAMPLES),
    ids=name_of,
)
def test_cfn_lint_finds_nothing_in_an_example(example: str, tmp_path: Path) -> None:
    assert [str(one) for one in check(rendered(yaml.safe_load(example), tmp_path))] == []
