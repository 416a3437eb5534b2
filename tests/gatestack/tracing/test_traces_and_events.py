"""
What commands tell of the past: the trace of a run, one, at its end; events since a moment.

Whatever becomes of a trace, the exit code is the run's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from sandbox.server import Sandbox
from tests.command import Done, User
from tests.covering import only
from tests.gatestack.tracing.collector import Collector, attributes
from tests.serving import serving

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SECRET = "AKIAEXAMPLE-0123456789abcdefghij"
DAYS = """
observability:
  log_retention_days: {days}
"""

Traced = tuple[User, Collector]


@pytest.fixture
def traced(deployed: User) -> Iterator[Traced]:
    collector = Collector()
    with serving(collector) as url:
        variables = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": url,
            "OTEL_EXPORTER_OTLP_HEADERS": f"api-key={SECRET}",
            "OTEL_RESOURCE_ATTRIBUTES": "team=platform",
            "TRACEPARENT": f"00-{TRACE}-{SPAN}-01",
        }
        yield replace(deployed, variables=deployed.variables | variables), collector


def deploy(user: User, days: int, *options: str) -> Done:
    with (user.folder / "environments" / "local.yaml").open("a") as file:
        file.write(DAYS.format(days=days))
    return user.run("deploy", "local", "--yes", "--only", "service", *options)


def by_name(spans: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in spans}


def check_tree(spans: list[dict[str, Any]]) -> None:
    """Check that all are one trace, below one root that the pipeline's span is the parent of, in time."""
    root, by_id = spans[0], {one["spanId"]: one for one in spans}
    assert len(by_id) == len(spans)
    assert {one["traceId"] for one in spans} == {TRACE}
    assert root["parentSpanId"] == SPAN
    for one in spans:
        assert int(one["startTimeUnixNano"]) <= int(one["endTimeUnixNano"])
        if one is not root:
            parent = by_id[one["parentSpanId"]]
            assert int(parent["startTimeUnixNano"]) <= int(one["startTimeUnixNano"])
            assert int(one["endTimeUnixNano"]) <= int(parent["endTimeUnixNano"])


@pytest.mark.parametrize("options", only({("--quiet",)}, [(), ("--quiet",)]))
def test_a_deployment_is_one_trace_of_its_stacks_and_their_resources(
    traced: Traced, options: tuple[str, ...]
) -> None:
    user, collector = traced
    done = deploy(user, 3 if options else 5, *options)

    assert done.code == 0, done.err
    assert "trace" not in done.err
    spans = collector.spans
    check_tree(spans)
    named = by_name(spans)
    root, stack, resource = (named[name] for name in ("gatestack deploy", "update service", "update TaskLog"))
    assert root is spans[0]
    assert stack["parentSpanId"] == root["spanId"]
    assert resource["parentSpanId"] == stack["spanId"]
    assert attributes(root) == {
        "gatestack.environment": "local",
        "gatestack.system": "litellm",
        "process.exit.code": "0",
    }
    assert attributes(stack)["cloudformation.status"] == "UPDATE_COMPLETE"
    assert attributes(resource)["cloudformation.resource_type"] == "AWS::Logs::LogGroup"
    assert all(one["status"] == {} for one in spans)
    resource_of = attributes(collector.got[0]["resourceSpans"][0]["resource"])
    assert resource_of["service.name"] == "gatestack"
    assert resource_of["team"] == "platform"
    assert resource_of["deployment.environment.name"] == "local"
    assert collector.asked[0]["HTTP_API_KEY"] == SECRET


def test_a_failure_is_an_error_with_its_first_cause_and_without_secrets(
    traced: Traced, account: Sandbox
) -> None:
    user, collector = traced
    reason = f"no room for logs, Authorization: Bearer {SECRET}"
    account.faults.add({"resources": [{"logical_id": "TaskLog", "operation": "update", "reason": reason}]})
    done = deploy(user, 7)

    assert done.code == 1
    check_tree(collector.spans)
    named = by_name([one for one in collector.spans if one["status"]])
    assert named.keys() == {"gatestack deploy", "update service", "update TaskLog"}
    for one in named.values():
        assert one["status"]["code"] == 2
        assert "no room for logs" in one["status"]["message"]
    assert attributes(named["update TaskLog"])["cloudformation.status"] == "UPDATE_FAILED"
    assert SECRET not in str(collector.got)


def test_a_refusal_before_anything_is_touched_is_a_trace_too(traced: Traced) -> None:
    user, collector = traced
    with (user.folder / "environments" / "local.yaml").open("a") as file:
        file.write("\ndatabase:\n  engine: aurora-postgresql\n")
    done = user.run("deploy", "local", "--yes", "--only", "database")

    assert done.code == 4, done.err
    root = collector.spans[0]
    assert root["status"]["code"] == 2
    assert "--allow-replace" in root["status"]["message"]
    assert attributes(root)["process.exit.code"] == "4"


def test_a_run_that_aws_refuses_is_a_trace_with_its_reason(traced: Traced, account: Sandbox) -> None:
    user, collector = traced
    refusal = {
        "kind": "refused",
        "action": "DescribeStacks",
        "code": "AccessDenied",
        "message": "not authorized",
    }
    account.faults.add({"calls": [refusal]})
    done = user.run("deploy", "local", "--yes", "--only", "network")

    assert done.code != 0
    (root,) = collector.spans
    assert root["status"]["code"] == 2
    assert "not authorized" in root["status"]["message"]


def test_a_destruction_that_is_refused_is_a_trace_of_its_own_name(traced: Traced) -> None:
    user, collector = traced
    done = user.run("destroy", "local", "--only", "network", "--yes")

    assert done.code != 0
    root = collector.spans[0]
    assert (root["name"], root["status"]["code"]) == ("gatestack destroy", 2)


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"},
            "the trace was not sent to 127.0.0.1:1: no answer",
        ),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "no trace is sent: OTEL_EXPORTER_OTLP_PROTOCOL is grpc"),
    ],
)
def test_a_trace_that_cannot_be_sent_is_one_warning(
    traced: Traced, variables: dict[str, str], words: str
) -> None:
    user, collector = traced
    done = replace(user, variables=user.variables | variables).run(
        "deploy", "local", "--yes", "--only", "network"
    )

    assert done.code == 0, done.err
    assert [words in line for line in done.err.splitlines() if "trace" in line] == [True]
    assert SECRET not in done.err
    assert collector.got == []


def test_a_disabled_sdk_sends_nothing(traced: Traced) -> None:
    user, collector = traced
    quiet = replace(user, variables=user.variables | {"OTEL_SDK_DISABLED": "true"})

    assert quiet.run("deploy", "local", "--yes", "--only", "network").code == 0
    assert collector.got == []


def test_the_command_takes_a_moment_for_one_stack_or_all(deployed: User) -> None:
    whole = json.loads(deployed.run("events", "local", "--format", "json").out)["events"]
    since = whole[len(whole) // 2]["time"]
    done = deployed.run("events", "local", "--since", since, "--format", "json")

    assert done.code == 0, done.err
    assert json.loads(done.out)["events"] == [one for one in whole if one["time"] >= since]
    alb = deployed.run("events", "local", "--stack", "alb", "--since", since)
    stacks = [one["stack"] for one in whole if one["time"] >= since]
    assert len(alb.out.splitlines()) == max(stacks.count("alb"), 1)
    page = deployed.run("events", "local", "--since", "2999-01-01", "--format", "html")
    assert "CloudFormation has no events of local" in page.out


def test_a_moment_that_is_none_is_refused_before_anything_is_asked(deployed: User) -> None:
    done = deployed.run("events", "local", "--since", "yesterday")

    assert (done.code, done.out) == (2, "")
    assert "'yesterday' is neither a time before now (30s, 30m, 2h, 3d, 1w)" in done.err
