"""Which stacks of an environment in express mode CloudFormation waits for all the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from generator.express_mode import express
from generator.foreign import Foreign
from generator.manifest import contents, read, write
from generator.render import render
from stacks.environment import parse_settings
from tests.places import ENVIRONMENTS


def modes(**keys: Any) -> dict[str, str]:
    file = {"system": "litellm", "environment": "dev", "deployment": {"mode": "express"}} | keys
    made = render(parse_settings(yaml.safe_dump(file), Path("dev.yaml")))
    return {one.name: one.express for one in made.stacks}


def test_a_stack_whose_secret_rotates_at_once_is_created_in_standard_mode() -> None:
    assert modes() == {
        "security": "always",
        "network": "always",
        "alb": "always",
        "database": "updates",
        "service": "always",
    }
    assert set(modes(deployment={"mode": "standard"}).values()) == {"never"}


def test_a_stack_with_a_certificate_is_left_to_cloudformation() -> None:
    alb = {"domain_name": "llm.acme.org", "hosted_zone_id": "Z0123456789ABCDEFGHIJ"}

    assert modes(alb=alb)["alb"] == "never"
    assert express({"Resources": {"Edge": {"Type": "AWS::CloudFront::Distribution"}}}) == "never"


@pytest.mark.parametrize("production", [False, True])
def test_the_manifest_carries_it_and_not_for_production(tmp_path: Path, *, production: bool) -> None:
    path = ENVIRONMENTS / "local.yaml"
    text = path.read_text() + "\ndeployment: {mode: express}\n"
    made = replace(render(parse_settings(text, path)), production=production)
    write(made, tmp_path / "built")

    if production:
        with pytest.raises(Foreign, match="express is not for production"):
            read(tmp_path / "built")
        return
    assert contents(read(tmp_path / "built")) == contents(made)
