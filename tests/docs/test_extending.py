"""docs/extending.md and sign-in.md: each example is an environment in which cfn-lint finds nothing."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from deployer.graph import graph
from generator.render import render
from stacks.environment import load
from tests.linted import check
from tests.places import ENVIRONMENTS, ROOT

PAGES = "\n".join((ROOT / "docs" / page).read_text() for page in ("extending.md", "sign-in.md"))
BLOCKS = re.findall(r"(?ms)^```yaml\n(.*?)^```", PAGES)
FILES = {text.split("\n", 1)[0].removeprefix("# "): text for text in BLOCKS if text.startswith("# ")}
"""Place of a file that the page shows in full -> its text."""
EXAMPLES = [text for text in BLOCKS if "\nResources:" not in text]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda text: text.split(":")[1].strip()[:40])
def test_an_example_of_the_page_is_an_environment(example: str, tmp_path: Path) -> None:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    shutil.copy(ENVIRONMENTS / "base.yaml", tmp_path / "environments")
    said: dict[str, Any] = yaml.safe_load(example)
    path = tmp_path / "environments" / "shown.yaml"
    path.write_text(yaml.safe_dump({"system": "litellm", "environment": "dev", **said}))
    manifest = render(load(path))

    assert [str(one) for one in check(manifest)] == []
    assert {"security", "service"} < {*graph(manifest.stacks).names}
    patched = [one.resource for stack in manifest.stacks for one in stack.patched]
    assert len(patched) == len(said.get("extend", {}).get("patches", ()))
