"""docs/extending.md: each of its examples is an environment in which cfn-lint finds nothing."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from generator.lint import check
from generator.render import render
from stacks.environment import parse_settings
from tests.places import ROOT

EXAMPLES = re.findall(r"(?ms)^```yaml\n(.*?)^```", (ROOT / "docs" / "extending.md").read_text())


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda text: text.split(":")[1].strip())
def test_an_example_of_the_page_is_an_environment(example: str) -> None:
    said: dict[str, Any] = yaml.safe_load(example)
    whole = yaml.safe_dump({"system": "litellm", "environment": "dev", **said})

    assert [str(one) for one in check(render(parse_settings(whole, Path("dev.yaml"))))] == []
