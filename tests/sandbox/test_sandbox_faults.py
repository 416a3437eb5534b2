"""Failures that tests set, the clock, and the pages under `/_sandbox/`."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from botocore.exceptions import ConnectionClosedError, HTTPClientError

from sandbox.clock import Agenda, ManualClock, RealClock
from sandbox.faults import Faults
from sandbox.local import ask
from tests.command import CREDENTIALS, KEY
from tests.sandbox.sandbox_fakes import SLOW, World, exporting, of, refusal, thing, world


@pytest.fixture
def aws() -> Iterator[World]:
    with world() as made:
        yield made


def page(aws: World, name: str, given: Any = None, method: str | None = None) -> Any:
    return ask(aws.sandbox.endpoint, KEY, name, given, method=method or "")


def test_calls_can_be_throttled_failed_and_expired_a_number_of_times(aws: World) -> None:
    calls = [{"kind": kind, "action": "ListStacks", "times": 1} for kind in ("throttle", "error", "expired")]
    page(aws, "faults", {"calls": calls})
    refusals = [refusal(aws.client.list_stacks) for _ in range(3)]
    assert refusals == [
        ("Throttling", "Rate exceeded", 400),
        ("InternalFailure", "The request processing has failed because of an unknown error.", 500),
        ("ExpiredToken", "The security token included in the request is expired", 403),
    ]
    assert aws.client.list_stacks()["StackSummaries"] == []
    assert [call.outcome for call in aws.sandbox.calls] == [
        "Throttling",
        "InternalFailure",
        "ExpiredToken",
        "ok",
    ]


def test_a_connection_can_drop_before_or_after_the_call_was_carried_out(aws: World) -> None:
    body = json.dumps(of({"A": thing()}))
    for number, kind in enumerate(("drop-before", "drop-after")):
        aws.sandbox.faults.add({"calls": [{"kind": kind, "action": "CreateStack", "times": 1}]})
        with pytest.raises((ConnectionClosedError, HTTPClientError)):
            aws.client.create_stack(StackName="one", TemplateBody=body, ClientRequestToken="t")
        assert len(aws.client.list_stacks()["StackSummaries"]) == number
    assert aws.client.create_stack(StackName="one", TemplateBody=body, ClientRequestToken="t")["StackId"]
    assert len(aws.client.list_stacks()["StackSummaries"]) == 1


def test_a_token_bucket_throttles_in_virtual_time(aws: World) -> None:
    page(aws, "faults", {"rates": [{"action": "ListStacks", "per_second": 1, "burst": 2}]})
    aws.client.list_stacks()
    aws.client.list_stacks()
    assert refusal(aws.client.list_stacks)[0] == "Throttling"
    aws.sandbox.advance(1)
    aws.client.list_stacks()
    aws.client.list_exports()


def test_a_share_of_the_calls_is_the_same_share_with_the_same_seed() -> None:
    def kinds(seed: int) -> list[str | None]:
        faults = Faults(seed)
        faults.add({"calls": [{"kind": "throttle", "share": 0.5}]})
        found = [faults.of_call("ListStacks", 0.0) for _ in range(50)]
        return [fault.kind if fault else None for fault in found]

    assert kinds(7) == kinds(7)
    assert kinds(7) != kinds(8)
    assert set(kinds(7)) == {None, "throttle"}


def test_a_resource_can_take_longer(aws: World) -> None:
    aws.sandbox.faults.add({"resources": [{"operation": "create", "logical_id": "A", "seconds": 100.0}]})
    aws.prepare("one", of({"A": thing()}))
    aws.client.execute_change_set(StackName="one", ChangeSetName="cs")
    aws.sandbox.advance(50)
    assert aws.stack("one")["StackStatus"] == "CREATE_IN_PROGRESS"
    aws.sandbox.advance(60)
    assert aws.stack("one")["StackStatus"] == "CREATE_COMPLETE"


def test_faults_can_be_read_and_cleared_and_wrong_ones_are_refused(aws: World) -> None:
    page(aws, "faults", {"behaviour": {"stale_reads": 2.0}, "calls": [{"kind": "throttle"}]})
    found = page(aws, "faults")
    assert (found["seed"], found["behaviour"]["stale_reads"], len(found["calls"])) == (0, 2.0, 1)
    assert page(aws, "faults", method="DELETE")["calls"] == []
    with pytest.raises(ValueError, match="knd"):
        page(aws, "faults", {"calls": [{"knd": "throttle"}]})
    with pytest.raises(ValueError, match="no such page"):
        page(aws, "nothing")


def test_clock_calls_and_state_are_pages_too(aws: World) -> None:
    before = page(aws, "clock")["now"]
    aws.prepare("one", of({"A": thing(SLOW)}))
    aws.client.execute_change_set(StackName="one", ChangeSetName="cs")
    assert page(aws, "clock", {"advance": 10})["now"] == before + 15
    assert page(aws, "clock", {"finish": True})["now"] > before + 600
    calls = page(aws, "calls")
    assert [(call["action"], call["stack"]) for call in calls][:1] == [("CreateChangeSet", "one")]
    assert page(aws, "reset", {}) == {"status": "ok"}
    assert aws.client.list_stacks()["StackSummaries"] == []
    with pytest.raises(ValueError, match="has no speed"):
        page(aws, "clock", {"speed": 2})


def test_what_is_not_cloudformation_goes_elsewhere_and_unoffered_actions_say_so(aws: World) -> None:
    made: Any = boto3.client("s3", "eu-central-1", endpoint_url=aws.sandbox.endpoint, **CREDENTIALS)
    answer = made.get_object(Bucket="bucket", Key="key")["Body"].read()
    assert json.loads(answer) == {"served": "elsewhere"}
    assert refusal(aws.client.list_types) == (
        "InvalidAction",
        "The action ListTypes is not offered by this sandbox.",
        400,
    )


def test_presigned_forms_are_recognised(aws: World) -> None:
    session = boto3.Session(**CREDENTIALS, region_name="eu-central-1")
    url = session.client("cloudformation", endpoint_url=aws.sandbox.endpoint).generate_presigned_url(
        "list_exports", HttpMethod="GET"
    )
    with urllib.request.urlopen(url) as answer:  # noqa: S310 - loopback
        assert b"ListExportsResult" in answer.read()


def test_many_threads_deploying_at_once_all_get_their_stacks(aws: World) -> None:
    def deploy(name: str) -> str:
        client = aws.client_in("eu-central-1")
        template = of(
            {"A": thing(), "B": thing(Value={"Ref": "A"})}, Outputs={"O": exporting(name, {"Ref": "B"})}
        )
        client.create_stack(StackName=name, TemplateBody=json.dumps(template))
        return name

    with ThreadPoolExecutor(4) as pool:
        names = sorted(pool.map(deploy, [f"s{number}" for number in range(20)]))
    aws.sandbox.finish()
    stacks = aws.client.describe_stacks()["Stacks"]
    assert {each["StackStatus"] for each in stacks} == {"CREATE_COMPLETE"}
    assert sorted(each["Name"] for each in aws.client.list_exports()["Exports"]) == names


def test_a_real_clock_runs_as_fast_as_it_is_told() -> None:
    wall = iter([0.0, 1.0, 2.0, 3.0, 3.0, 4.0])
    clock = RealClock(10.0, wall=lambda: next(wall))
    start = clock.now() - 10.0
    assert clock.now() - start == pytest.approx(20.0)
    clock.run_at(1.0)
    assert clock.now() - start == pytest.approx(31.0)
    assert clock.speed == 1.0


def test_the_agenda_gives_every_transition_its_own_time() -> None:
    clock = ManualClock(0.0)
    agenda, seen = Agenda(clock), list[float]()
    agenda.after(2, lambda: seen.append(agenda.now()))
    agenda.after(1, lambda: agenda.after(1.5, lambda: seen.append(agenda.now())))
    clock.advance(10)
    agenda.settle()
    assert (seen, agenda.now(), agenda.next_due()) == ([2.0, 2.5], 10.0, None)
