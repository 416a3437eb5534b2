"""What people and machines read: plans, results, states, events, as text, JSON and Markdown."""

import json
from datetime import UTC, datetime

from jsonschema import Draft202012Validator

from deployer import report
from deployer.facts import document
from deployer.facts.interruptions import OF_A_REPLACEMENT
from deployer.plan import Plan, StackPlan
from deployer.progress import Cause, Result, StackOutput, StackResult
from deployer.states import Change, PropertyChange, StackEvent, StackState

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)

UPDATE = Plan(
    "dev",
    (
        StackPlan("network", "dev-litellm-network", "none", exact=True, reason="nothing to change"),
        StackPlan(
            "database",
            "dev-litellm-database",
            "update",
            exact=True,
            changes=(
                Change(
                    "Modify",
                    "Database",
                    "AWS::RDS::DBInstance",
                    replacement="True",
                    details=(PropertyChange("Properties", "Engine", "Always", "postgres", "mysql"),),
                ),
                Change("Add", "SlowReads", "AWS::CloudWatch::Alarm"),
                Change(
                    "Modify",
                    "Subnets",
                    "AWS::RDS::DBSubnetGroup",
                    replacement="Conditional",
                    details=(PropertyChange("Properties", "SubnetIds"),),
                ),
            ),
            protected=("Database",),
        ),
        StackPlan(
            "service", "dev-litellm-service", "create", exact=False, problems=("the image is missing",)
        ),
    ),
    notices=("the offered versions cannot be looked up",),
)


LOST = (
    "database/Database (AWS::RDS::DBInstance) is replaced because of Engine; "
    "refused without --allow-replace Database"
)


def test_a_plan_shows_what_is_replaced_what_holds_data_and_what_it_takes_to_allow_it() -> None:
    assert report.plan_text(UPDATE).splitlines() == [
        "DATA AT RISK",
        f"  {LOST}",
        "to allow it: gatestack deploy dev --allow-replace Database",
        "INTERRUPTION",
        "  database/Database: a new database takes its place: downtime until it is there",
        f"  database/Subnets: if it is replaced: {OF_A_REPLACEMENT}",
        "dev-litellm-network: none  nothing to change",
        "dev-litellm-database: update",
        "  ~ Database (AWS::RDS::DBInstance)  REPLACED  HOLDS DATA  Engine: postgres -> mysql",
        "  + SlowReads (AWS::CloudWatch::Alarm)",
        "  ~ Subnets (AWS::RDS::DBSubnetGroup)  may be REPLACED  SubnetIds",
        "  ! holds data: deploy refuses this without --allow-replace Database",
        "dev-litellm-service: create  (predicted from the template)",
        "  ! the image is missing",
        "note: the offered versions cannot be looked up",
        "dev: 2 of 3 stacks change, +1 ~2 (2 replaced)",
    ]


def test_a_plan_without_changes_says_so() -> None:
    plan = Plan("dev", (StackPlan("alb", "dev-litellm-alb", "none", exact=True),))

    assert report.plan_text(plan).splitlines() == ["dev-litellm-alb: none", "dev: nothing changes"]


def test_a_plan_for_machines_has_the_promised_keys() -> None:
    plan = json.loads(report.plan_json(UPDATE))

    assert plan["environment"] == "dev"
    assert plan["cost"] == {"monthly_usd_before": None, "monthly_usd_after": None}
    assert [(s["name"], s["stack_name"], s["action"], s["exact"]) for s in plan["stacks"]] == [
        ("network", "dev-litellm-network", "none", True),
        ("database", "dev-litellm-database", "update", True),
        ("service", "dev-litellm-service", "create", False),
    ]
    Draft202012Validator(json.loads(document.schema())).validate(plan)
    changes = plan["stacks"][1]["changes"]
    assert (changes[0]["what"], changes[0]["interruption"]["level"]) == ("replaced", "interruption")
    assert changes[0]["properties"][0]["differences"] == [
        {"path": "Engine", "before": "postgres", "after": "mysql"}
    ]
    assert (plan["version"], plan["consent"]) == (1, "gatestack deploy dev --allow-replace Database")
    assert plan["notices"] == ["the offered versions cannot be looked up"]
    promised = ("action", "logical_id", "type", "replacement", "stateful")
    assert [{key: one[key] for key in promised} for one in changes[:2]] == [
        {
            "action": "Modify",
            "logical_id": "Database",
            "type": "AWS::RDS::DBInstance",
            "replacement": "True",
            "stateful": True,
        },
        {
            "action": "Add",
            "logical_id": "SlowReads",
            "type": "AWS::CloudWatch::Alarm",
            "replacement": None,
            "stateful": False,
        },
    ]


def test_a_plan_for_a_pull_request_has_a_row_a_stack() -> None:
    lines = report.plan_markdown(UPDATE).splitlines()

    assert lines[0] == "## Plan for dev"
    assert "| dev-litellm-database | update | +1 ~2 (2 replaced) | yes |" in lines
    assert "| dev-litellm-network | none | nothing | yes |" in lines
    folded = lines.index(next(line for line in lines if line.startswith("<details>")))
    assert "gatestack deploy dev --allow-replace Database" in lines[:folded]
    assert any("is replaced because of Engine" in line for line in lines[:folded])
    assert any("downtime until it is there" in line for line in lines[:folded])
    assert "- **the image is missing**" in lines
    assert "> the offered versions cannot be looked up" in lines


FAILED = Result(
    "dev",
    "deploy",
    (
        StackResult("network", "dev-litellm-network", "create", "done", "CREATE_COMPLETE", 12.3),
        StackResult(
            "database",
            "dev-litellm-database",
            "create",
            "failed",
            "ROLLBACK_COMPLETE",
            40.0,
            cause=Cause(
                "Database", "AWS::RDS::DBInstance", "CREATE_FAILED", "no capacity", "pick another class"
            ),
        ),
        StackResult(
            "service", "dev-litellm-service", "skipped", "skipped", "", 0.0, reason="database failed"
        ),
    ),
    outputs=(StackOutput("network", "VpcId", "vpc-1"),),
    seconds=52.3,
)


CAUSE = "Database (AWS::RDS::DBInstance): no capacity -> pick another class"


def test_a_failed_run_names_the_first_cause_and_the_remedy() -> None:
    assert report.first_cause(FAILED) == "database: " + CAUSE


def test_a_result_for_machines_has_the_promised_keys() -> None:
    result = json.loads(report.result_json(FAILED))

    assert result["outputs"] == {"network": {"VpcId": "vpc-1"}}
    assert result["stacks"][0] == {
        "name": "network",
        "stack_name": "dev-litellm-network",
        "action": "create",
        "status": "CREATE_COMPLETE",
        "seconds": 12.3,
        "outcome": "done",
        "reason": "",
    }
    assert result["stacks"][2]["status"] is None


def test_outputs_end_with_the_address() -> None:
    rows = [StackOutput("alb", "Url", "http://x"), StackOutput("service", "ClusterName", "dev-litellm")]

    assert report.outputs_text(rows).splitlines() == [
        "service.ClusterName  dev-litellm",
        "alb.Url              http://x",
    ]


def test_states_of_stacks_there_and_not_there() -> None:
    state = StackState("dev-litellm-alb", "arn:1", "UPDATE_COMPLETE", "fine", NOON, NOON)
    names = {"alb": "dev-litellm-alb", "service": "dev-litellm-service"}
    states = {"alb": state, "service": None}

    patched = {("alb", "LoadBalancer"): "patched by environments/dev.yaml:5: our baseline"}

    assert report.status_text(states, patched).splitlines() == [
        "alb      UPDATE_COMPLETE  2026-11-20T12:00:00+00:00  fine",
        "  ~ LoadBalancer patched by environments/dev.yaml:5: our baseline",
        "service  not there",
    ]
    assert json.loads(report.status_json("dev", names, states, patched)) == {
        "environment": "dev",
        "stacks": [
            {
                "name": "alb",
                "stack_name": "dev-litellm-alb",
                "status": "UPDATE_COMPLETE",
                "reason": "fine",
                "last_updated": "2026-11-20T12:00:00+00:00",
                "patched": {"LoadBalancer": "patched by environments/dev.yaml:5: our baseline"},
            },
            {
                "name": "service",
                "stack_name": "dev-litellm-service",
                "status": None,
                "reason": "",
                "last_updated": None,
                "patched": {},
            },
        ],
    }


def test_an_event_is_one_line() -> None:
    event = StackEvent(
        "1", "arn:1", "dev-litellm-alb", NOON, "Alb", "arn:alb", "AWS::X::Alb", "CREATE_FAILED", "no"
    )

    assert (
        report.event_text("alb", event)
        == "12:00:00  alb       CREATE_FAILED                Alb (AWS::X::Alb)  no"
    )
    assert json.loads(report.events_json("dev", [("alb", event)]))["events"][0]["reason"] == "no"
