"""A file that a stack uploads is a diff; what may be secret in it is hidden, what cannot be read is said."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from deployer.changes.contents import with_contents
from deployer.errors import NotAllowed
from deployer.facts.uploads import FileChange, file_change
from deployer.graph import graph
from deployer.plan import StackPlan
from deployer.run.leftovers import Scope
from deployer.states import Output, StackState
from generator.manifest import StackSpec, Upload
from tests.deployer.fakes import Clock, FakeCloud, manifest, spec, template


def test_names_stay_and_values_of_secrets_go() -> None:
    before = b"model_list:\n- model: a\n  api_key: hunter2-before\n"
    after = b"model_list:\n- model: b\n  api_key: hunter2-after\n  master_key: os.environ/KEY\n"

    assert file_change("s", "config.yaml", before, after).diff == (
        "--- config.yaml (deployed)",
        "+++ config.yaml (planned)",
        "@@ -1,3 +1,4 @@",
        " model_list:",
        "-- model: a",
        "+- model: b",
        "   api_key: (hidden)",
        "+  master_key: os.environ/KEY",
    )


def test_what_is_no_text_differs_and_says_no_more() -> None:
    assert file_change("s", "a.zip", b"\xff", b"\xfe").problem == "it is not a text: no diff"


class Denied(FakeCloud):
    """A cloud whose objects may not be read."""

    def get_object(self, bucket: str, key: str) -> bytes | None:
        raise NotAllowed("s3:GetObject is missing")


@pytest.mark.parametrize(
    ("cloud", "told"),
    [
        (FakeCloud, "the deployed text is not there (s3://files/old.yaml)"),
        (Denied, "the deployed text cannot be read (s3://files/old.yaml): s3:GetObject is missing"),
    ],
)
def test_a_text_that_cannot_be_read_is_said_in_one_line(cloud: type[FakeCloud], told: str) -> None:
    assert contents(cloud(Clock())).files == (FileChange("a", "c.yaml", problem=told),)


def test_the_deployed_text_is_read_from_its_bucket() -> None:
    cloud = FakeCloud(Clock())
    cloud.objects = {("files", "old.yaml"): b"a: 1\n"}

    (found,) = contents(cloud).files

    assert found.diff[-2:] == ("-a: 1", "+a: 2")


def contents(cloud: FakeCloud) -> StackPlan:
    """Return the plan of a stack that uploads another ``c.yaml`` than the one that is deployed."""
    noted = {"file": "c.yaml", "bucket_export": "Bucket", "key": "old.yaml"}
    live = json.dumps({"Metadata": {"gatestack": {"uploads": [noted]}}, "Resources": {}})
    cloud.template = lambda _: live  # type: ignore[method-assign]
    one: StackSpec = replace(spec("a", template()), uploads=(Upload("c.yaml", "Bucket", "new.yaml"),))
    wanted = replace(manifest(one), files={"c.yaml": b"a: 2\n"})
    state = StackState("dev-a", "arn:a", "UPDATE_COMPLETE", outputs=(Output("B", "files", "Bucket"),))
    plan = StackPlan("a", "dev-a", "update", exact=True, stack=state)
    return with_contents(plan, one, Scope(wanted, graph(wanted.stacks), (state,)), cloud)
