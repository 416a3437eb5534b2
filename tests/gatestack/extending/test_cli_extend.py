"""Stacks of a team's own and patches, by the command line, on the sandbox."""

import json
import re
from pathlib import Path

import pytest

from deployer.changes.unguarded import unguarded
from deployer.stateful import STATEFUL
from sandbox.server import Sandbox
from tests.command import User
from tests.sandbox.sandbox_account import client
from tests.stacks.extensions.extended import TEMPLATE

FILE = "environments/local.yaml"
QUEUE = """\
  Queue:
    Type: AWS::SQS::Queue
Outputs:
"""


OUTPUTS = """\
  environment_from: {PROMPTS_BUCKET: extras.BucketName}
  task_policy:
    - {sid: ReadPrompts, actions: [s3:GetObject], resources: ["arn:aws:s3:::${extras.BucketName}/*"]}
"""


def rights(sandbox: Sandbox) -> list[str]:
    """Return what the tasks' role may read of what own stacks make."""
    iam = client(sandbox, "iam")
    (role,) = (
        one["RoleName"]
        for one in iam.list_roles()["Roles"]
        if one["RoleName"].startswith("local-litellm-security-TaskRole")
    )
    if "OnOwnStacks" not in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        return []
    found = iam.get_role_policy(RoleName=role, PolicyName="OnOwnStacks")["PolicyDocument"]
    return [resource for one in found["Statement"] for resource in one["Resource"]]


def extend(user: User, template: str = TEMPLATE.replace("Outputs:\n", QUEUE)) -> None:
    """Give `local` a stack of the user's own whose bucket the tasks are told, and a patch."""
    folder = user.folder / "environments" / "extensions"
    folder.mkdir(exist_ok=True)
    (folder / "extras.yaml").write_text(template)
    with (user.folder / FILE).open("a") as file:
        file.write(
            "extend:\n"
            "  stacks:\n"
            '    - {name: extras, template: extensions/extras.yaml, parameters: {Retention: "30"}}\n'
            "  patches:\n"
            "    - stack: alb\n"
            "      resource: LoadBalancer\n"
            "      path: Properties.LoadBalancerAttributes[Key=idle_timeout.timeout_seconds].Value\n"
            '      set: "77"\n'
            "      reason: our baseline\n"
        )


def line_of(user: User, text: str) -> int:
    lines = (user.folder / FILE).read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


@pytest.mark.deep
def test_a_stack_of_ones_own_through_all_of_its_life(deployed: User, account: Sandbox) -> None:
    user = deployed
    user.edit("local", "service:\n", f"service:\n{OUTPUTS}")
    extend(user)
    mark = f"patched by {FILE}:{line_of(user, 'stack: alb')}: our baseline"

    planned = user.run("plan", "local")
    assert planned.code == 0, planned.err
    assert "local-litellm-extras: create" in planned.out
    assert "ReadPrompts: Allow s3:GetObject on " in planned.out
    assert [line for line in planned.out.splitlines() if "~ LoadBalancer" in line and line.endswith(mark)]
    document = json.loads(user.run("plan", "local", "--format", "json").out)
    changes = [one for stack in document["stacks"] for one in stack["changes"]]
    assert [one["logical_id"] for one in changes if one.get("patched") == mark] == ["LoadBalancer"]

    assert mark in user.run("plan", "local", "--format", "html").out

    first = user.run("deploy", "local", "--yes")
    assert first.code == 0, first.err
    assert first.err.index("extras    CREATE_COMPLETE") < first.err.index("service   UPDATE_COMPLETE")
    assert "local: nothing changes" in user.run("deploy", "local", "--yes").err

    assert rights(account) == ["arn:aws:s3:::local-litellm-prompts/*"]
    assert "extras    CREATE_COMPLETE" in user.run("status", "local").out
    assert "extras.BucketName" in user.run("outputs", "local").out
    assert "local-litellm-extras: in sync" in user.run("drift", "local", "--stack", "extras").out
    assert "Bucket" in user.run("events", "local", "--stack", "extras").out
    assert user.run("watch", "local").code == 0
    cost = user.run("cost", "local").out
    assert "resource (extras/Queue): gatestack has no price for resources of this type" in cost
    graph = user.run("graph", "local").out
    assert "<- extras: BucketName" in graph
    assert f"~ LoadBalancer {mark}" in graph
    assert user.run("preflight", "local").code == 0
    assert "<title>Stack extras</title>" in user.run("graph", "local", "--format", "svg").out

    user.edit("local", 'Retention: "30"', 'Retention: "60"')
    saved = user.run("plan", "local", "--only", "extras", "--save", "extras.plan")
    assert saved.code == 0, saved.err
    template = user.folder / "environments" / "extensions" / "extras.yaml"
    text = template.read_text()
    template.write_text(text.replace("Id: old", "Id: other"))
    assert user.run("deploy", "local", "--plan", "extras.plan").code == 4
    template.write_text(text)
    by_plan = user.run("deploy", "local", "--plan", "extras.plan")
    assert by_plan.code == 0, by_plan.err
    assert re.search(r"extras +UPDATE_COMPLETE", by_plan.err)

    everything = (user.folder / FILE).read_text()
    without = everything[: everything.index("extend:")].replace(OUTPUTS, "")
    (user.folder / FILE).write_text(without)
    left = user.run("deploy", "local", "--yes")
    assert left.code == 4, left.err
    assert "it holds Bucket, Queue; to allow it: --allow-replace Bucket" in left.err
    gone = user.run("deploy", "local", "--yes", "--allow-replace", "Bucket", "--allow-replace", "Queue")
    assert gone.code == 0, gone.err
    assert gone.err.index("service   UPDATE_COMPLETE") < gone.err.index("extras    DELETE_COMPLETE")
    assert "extras" not in user.run("status", "local").out
    assert rights(account) == []


def test_patched_resources_are_marked_in_status_and_in_every_drawing(deployed: User) -> None:
    extend(deployed)
    mark = f"patched by {FILE}:{line_of(deployed, 'stack: alb')}: our baseline"

    told = deployed.run("status", "local").out.splitlines()
    rows = [line.split()[0] for line in told]
    assert told[rows.index("alb") + 1] == f"  ~ LoadBalancer {mark}"
    assert rows.count("~") == 1
    stacks = json.loads(deployed.run("status", "local", "--format", "json").out)["stacks"]
    assert [one["patched"] for one in stacks if one["patched"]] == [{"LoadBalancer": mark}]

    drawn = {
        style: deployed.run("graph", "local", "--format", style).out for style in ("mermaid", "dot", "svg")
    }
    assert '  alb["alb #40;patched#41;"]' in drawn["mermaid"].splitlines()
    assert '  "alb" [label="alb (patched)"]' in drawn["dot"].splitlines()
    assert f"<title>Stack alb; LoadBalancer {mark}</title>" in drawn["svg"]
    assert {style: text.count("patched by") for style, text in drawn.items()}["svg"] == 1
    assert [text.count("alb (patched)") for text in (drawn["svg"], drawn["dot"])] == [1, 1]


def test_data_whose_end_nobody_has_decided_is_warned_of_with_its_line(deployed: User) -> None:
    extend(deployed)
    warned = (
        "warning: environments/extensions/extras.yaml:24: Queue (AWS::SQS::Queue) holds data and has no "
        "DeletionPolicy and no UpdateReplacePolicy: CloudFormation deletes it with its stack or its entry "
        "and when it is replaced; write DeletionPolicy and UpdateReplacePolicy: Retain, "
        "or Delete where the data may go"
    )
    told = deployed.run("lint", "local", "--only", "extras").err.splitlines()
    assert [line for line in told if "holds data" in line] == [warned]
    template = deployed.folder / "environments" / "extensions" / "extras.yaml"
    text = template.read_text()
    for policy in ("Retain", "Delete"):
        decided = f"AWS::SQS::Queue\n    DeletionPolicy: {policy}\n    UpdateReplacePolicy: {policy}\n"
        template.write_text(text.replace("AWS::SQS::Queue\n", decided))
        assert "holds data" not in deployed.run("lint", "local", "--only", "extras").err


@pytest.mark.parametrize("kind", sorted(STATEFUL))
def test_every_type_that_holds_data_wants_both_policies(kind: str) -> None:
    def told(**policies: str) -> list[str]:
        return [said for _, said in unguarded({"Resources": {"A": {"Type": kind, **policies}}})]

    half = told(DeletionPolicy="Retain")
    assert (len(told()), len(half)) == ((0, 0) if kind.startswith("AWS::RDS::") else (1, 1))
    assert all("no UpdateReplacePolicy: CloudFormation deletes it when it is replaced" in one for one in half)
    assert told(DeletionPolicy="Delete", UpdateReplacePolicy="Delete") == []
    assert [*unguarded({"Resources": {"A": {"Type": "AWS::SNS::Topic"}}})] == []


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("Resources: {A: {Type: 'AWS::Nope::Thing'}}", "AWS::Nope::Thing"),
        (
            "Transform: AWS::Serverless-2016-10-31\nResources: {A: {Type: 'AWS::SNS::Topic'}}",
            "not offered by this",
        ),
        (
            "Resources: {A: {Type: 'AWS::SNS::Topic', Properties: {TopicName: !ToJsonString {}}}}",
            "unsupported function",
        ),
    ],
)
def test_what_the_sandbox_does_not_know_it_refuses(deployed: User, template: str, said: str) -> None:
    extend(deployed, template)
    deployed.edit("local", ', parameters: {Retention: "30"}', "")
    done = deployed.run("deploy", "local", "--only", "extras", "--yes")
    assert done.code == 1, done.err
    assert said in done.err


LENGTH = """\
Transform: AWS::LanguageExtensions
Parameters:
  Teams: {Type: CommaDelimitedList}
Resources:
  Told:
    Type: AWS::SSM::Parameter
    Properties:
      Name: /extras/teams
      Type: String
      Value:
        Fn::ToJsonString: {count: {Fn::Length: !Ref Teams}, first: !Select [0, !Ref Teams]}
"""


def test_a_template_with_language_extensions_through_all_of_its_life(deployed: User) -> None:
    extend(deployed, LENGTH)
    deployed.edit("local", 'Retention: "30"', 'Teams: "a,b"')
    done = deployed.run("deploy", "local", "--only", "extras", "--yes")
    assert done.code == 0, done.err
    again = deployed.run("plan", "local", "--only", "extras")
    assert again.code == 0, again.err
    assert "local: nothing changes" in again.out
    assert "local-litellm-extras: in sync" in deployed.run("drift", "local", "--stack", "extras").out
    deployed.edit("local", 'Teams: "a,b"', 'Teams: "a,b,c"')
    changed = deployed.run("deploy", "local", "--only", "extras", "--yes")
    assert changed.code == 0, changed.err
    assert re.search(r"extras +UPDATE_COMPLETE", changed.err)
    gone = deployed.run("destroy", "local", "--only", "extras", "--yes")
    assert gone.code == 0, gone.err


def test_what_does_not_fit_is_refused_before_anything_is_touched(deployed: User) -> None:
    extend(deployed)
    deployed.edit("local", "resource: LoadBalancer", "resource: LoadBalancr")
    line = line_of(deployed, "stack: alb")
    for command in ("plan", "deploy", "lint", "generate", "graph", "cost"):
        done = deployed.run(command, "local", *(["--yes"] if command == "deploy" else []))
        assert done.code == 2, (command, done.err)
        assert f"{FILE}:{line}: alb/LoadBalancr: " in done.err
        assert "did you mean LoadBalancer?" in done.err


def test_stacks_in_a_circle_are_refused_in_words(deployed: User) -> None:
    deployed.edit("local", "service:\n", "service:\n  environment_from: {A: extras.BucketName}\n")
    extend(deployed, TEMPLATE.replace("-network-VpcId", "-service-LogGroupName"))
    done = deployed.run("deploy", "local", "--yes")
    assert done.code == 2
    assert "stacks import from each other in a circle: " in done.err
    assert "extras -> service" in done.err or "service -> extras" in done.err


def test_lint_shows_the_lines_of_the_templates_own_file_and_of_patches(deployed: User) -> None:
    extend(deployed, TEMPLATE.replace("DeletionPolicy: Retain", "DeletionPolicy: Retai", 1))
    deployed.edit(
        "local",
        "path: Properties.LoadBalancerAttributes[Key=idle_timeout.timeout_seconds].Value",
        "path: Properties.Scheme",
    )
    done = deployed.run("lint", "local", "--only", "alb", "--only", "extras")
    assert done.code == 1
    where = "environments/extensions/extras.yaml:11: Resources/Bucket/DeletionPolicy: E3035 error: "
    assert where in done.out
    assert "alb.json: Resources/LoadBalancer/Properties/Scheme: E3030 error: " in done.out
    line = line_of(deployed, "stack: alb")
    assert f"(patched by {FILE}:{line})" in done.out


def test_a_built_folder_says_it_all(deployed: User, tmp_path: Path) -> None:
    extend(deployed)
    assert deployed.run("generate", "local", "--out", "built").code == 0
    index = json.loads((deployed.folder / "built" / "manifest.json").read_text())
    marked = {one["name"]: one.get("patched") for one in index["stacks"]}
    assert [name for name, patched in marked.items() if patched] == ["alb"]
    planned = deployed.run("plan", "built", "--only", "alb")
    assert planned.code == 0, planned.err
    assert "patched by environments/local.yaml:" in planned.out
    assert deployed.run("plan", "built", "--only", "extras").code == 0


def test_an_environment_goes_with_its_own_stacks_in_the_right_order(deployed: User) -> None:
    deployed.edit(
        "local", "service:\n", "service:\n  environment_from: {PROMPTS_BUCKET: extras.BucketName}\n"
    )
    extend(deployed)
    assert deployed.run("deploy", "local", "--yes").code == 0
    done = deployed.run("destroy", "local", "--yes")
    assert done.code == 0, done.err
    went = [done.err.index(f"{name:<8}  DELETE_COMPLETE") for name in ("service", "extras", "network")]
    assert went == sorted(went)
    assert "kept: extras: Bucket (arn:aws:s3:::local-litellm-prompts" in done.err
