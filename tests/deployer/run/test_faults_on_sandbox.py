"""The deployer against an AWS that throttles, fails, drops connections, lags behind and goes away."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from deployer.aws.account import connect
from deployer.deploy import deploy
from deployer.options import Options
from deployer.progress import Event, Notice, ResourceEvent, Result
from sandbox.faults import CallFault, Rate, ResourceFault
from sandbox.key import Key
from tests.covering import parameter
from tests.sandbox.sandbox_fakes import SLOW
from tests.sandbox.sandbox_wire import REGION, Line, all_are, four, line, outcomes

BAD_NIGHTS: dict[str, list[CallFault | Rate]] = {
    "throttled": [CallFault("throttle", share=0.3)],
    "two looks a second": [Rate("DescribeStacks", per_second=2, burst=2)],
    "two calls a second": [Rate("*", per_second=2, burst=4)],
    "5xx": [CallFault("error", share=0.05)],
    "dropped": [CallFault("drop-before", share=0.05), CallFault("drop-after", share=0.05)],
    "all at once": [
        CallFault("throttle", share=0.3),
        CallFault("error", share=0.05),
        CallFault("drop-before", share=0.05),
        CallFault("drop-after", share=0.05),
        Rate("DescribeStacks", per_second=2, burst=2),
    ],
}


@pytest.fixture
def aws() -> Iterator[Line]:
    with line() as made:
        yield made


def make_bad(aws: Line, what: list[CallFault | Rate]) -> None:
    for fault in what:
        (aws.sandbox.faults.calls if isinstance(fault, CallFault) else aws.sandbox.faults.rates).append(fault)


NIGHTS = [parameter(night, seed, quick=seed == 0) for night in BAD_NIGHTS for seed in range(3)]


@pytest.mark.parametrize(("night", "seed"), NIGHTS)
def test_a_whole_life_in_a_bad_night_ends_right_and_nothing_is_done_twice(night: str, seed: int) -> None:
    with line(seed) as aws:
        make_bad(aws, BAD_NIGHTS[night])
        what = (night, f"seed {seed}")

        assert (outcomes(aws.deploy(four())), *what) == (all_are("create"), *what)
        made = aws.physical()
        assert (outcomes(aws.deploy(four())), *what) == (all_are("none"), *what)
        assert (aws.deploy(four("2")).exit_code, *what) == (0, *what)
        aws.sandbox.faults.resources.append(
            ResourceFault("update", logical_id="One", stack="dev-web", reason="no")
        )
        failed = aws.deploy(four("3"))
        assert (failed.exit_code, failed.stacks[-1].status, *what) == (1, "UPDATE_ROLLBACK_COMPLETE", *what)
        assert (aws.physical(), *what) == (made, *what)
        assert (outcomes(aws.destroy(four("3"))), *what) == (all_are("delete"), *what)

        whole = ["CREATE", "UPDATE", "UPDATE", "DELETE"]
        assert (aws.operations(), *what) == (
            {
                "dev-data": whole,
                "dev-keys": whole,
                "dev-net": ["CREATE", "DELETE"],
                "dev-web": ["CREATE", "UPDATE", "UPDATE", "UPDATE_ROLLBACK", "DELETE"],
            },
            *what,
        )
        assert (aws.stacks(), aws.box.provisioner.made) == ({}, {})


def test_the_rate_comes_down_with_throttling_and_recovers(aws: Line) -> None:
    make_bad(aws, [Rate("*", per_second=2, burst=2)])
    aws.deploy(four())
    outcomes_of_calls = [call.outcome for call in aws.sandbox.calls]
    assert outcomes_of_calls.count("Throttling") < len(outcomes_of_calls) / 2
    assert aws.budget.rate is not None
    assert aws.budget.rate < 6

    aws.sandbox.faults.clear()
    for _ in range(250):
        aws.aws.exports()
    assert aws.budget.rate is None


BEHIND = {(1.0, 0.0), (5.0, 2.5), (18.0, 10.0)}
"""The shortest, the longest, and one between them."""
LAGS = [
    parameter(stale, hidden, quick=(stale, hidden) in BEHIND)
    for stale in (1.0, 5.0, 12.0, 18.0)
    for hidden in (0.0, 2.5, 10.0)
]


@pytest.mark.parametrize(("stale", "hidden"), LAGS)
def test_reads_that_lag_behind_are_lived_with(stale: float, hidden: float) -> None:
    with line() as aws:
        aws.sandbox.faults.behaviour.stale_reads = stale
        aws.sandbox.faults.behaviour.hidden_change_sets = hidden

        assert outcomes(aws.deploy(four())) == all_are("create")
        made = aws.physical()
        assert aws.deploy(four("2")).exit_code == 0
        aws.sandbox.faults.resources.append(
            ResourceFault("update", logical_id="One", stack="dev-data", reason="no")
        )
        failed = aws.deploy(four("3"))
        assert outcomes(failed) == {
            "keys": ("update", "done"), "net": ("none", "done"),
            "data": ("update", "failed"), "web": ("skipped", "skipped"),
        }  # fmt: skip
        aws.sandbox.advance(60)
        assert aws.deploy(four("4")).exit_code == 0
        assert aws.physical() == made
        assert outcomes(aws.destroy(four("4"))) == all_are("delete")


def deploy_slowly(aws: Line) -> Result:
    """Deploy with a resource that takes ten minutes, and few looks."""
    return aws.deploy(four(type_=SLOW), poll_interval=30.0)


def once(aws: Line, moment: Callable[[], bool], do: Callable[[], None]) -> None:
    """Have *do* done after the first call at whose end *moment* has come."""

    def after() -> None:
        if moment():
            aws.wire.after = lambda: None
            do()

    aws.wire.after = after


def once_it_goes_on(aws: Line, do: Callable[[], None]) -> None:
    once(aws, lambda: "CREATE_IN_PROGRESS" in aws.stacks().values(), do)


@pytest.mark.parametrize("action", ["*", "DescribeStacks", "ExecuteChangeSet"])
def test_credentials_that_expire_in_mid_wait_end_in_5_and_say_how_to_resume(aws: Line, action: str) -> None:
    once_it_goes_on(aws, lambda: aws.sandbox.faults.calls.append(CallFault("expired", action)))

    blind = deploy_slowly(aws)

    assert blind.exit_code == 5
    assert {stack.outcome for stack in blind.stacks} <= {"done", "going-on", "skipped"}
    assert "going-on" in {stack.outcome for stack in blind.stacks}
    assert any("log in again" in stack.reason for stack in blind.stacks)
    assert blind.resume == "gatestack deploy dev"

    aws.sandbox.faults.clear()
    assert deploy_slowly(aws).exit_code == 0
    assert {name: begun for name, begun in aws.operations().items() if begun != ["CREATE"]} == {}
    assert aws.change_sets() == []


@pytest.mark.parametrize(("renewed", "code"), [(True, 0), (False, 5)])
def test_credentials_that_something_else_renews_are_taken_up(
    aws: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, renewed: bool, code: int
) -> None:
    file = tmp_path / "credentials"
    text = "[default]\naws_access_key_id = AKIA{}\naws_secret_access_key = example\n"
    for one in ("OLD", "NEW"):
        aws.sandbox.logins.add(Key(f"AKIA{one}", "example"))
    file.write_text(text.format("OLD"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    connected = connect(REGION, endpoint=aws.sandbox.endpoint, budget=aws.budget)
    expired = CallFault("expired", "DescribeStacks", times=1)

    def tell(event: Event) -> None:
        if isinstance(event, ResourceEvent) and expired not in aws.sandbox.faults.calls:
            aws.sandbox.faults.calls.append(expired)
            file.write_text(text.format("NEW" if renewed else "OLD"))

    result = deploy(four(), connected, Options(poll_interval=5.0), replace(aws.host(), tell=tell))

    assert (result.exit_code, expired.times) == (code, 0)


def gone(aws: Line, seconds: float) -> None:
    aws.wire.gone_until = aws.now() + seconds


@pytest.mark.parametrize("seconds", [3, 60, 550])
def test_an_endpoint_that_is_gone_for_a_while_is_waited_for(aws: Line, seconds: float) -> None:
    once_it_goes_on(aws, lambda: gone(aws, seconds))

    assert outcomes(deploy_slowly(aws)) == all_are("create")
    assert {tuple(begun) for begun in aws.operations().values()} == {("CREATE",)}


def test_an_endpoint_that_is_gone_for_good_is_lost_sight_of(aws: Line) -> None:
    once_it_goes_on(aws, lambda: gone(aws, 1e9))
    began = aws.now()

    blind = deploy_slowly(aws)

    assert blind.exit_code == 5
    assert {stack.outcome for stack in blind.stacks} == {"going-on", "skipped"}
    assert "no answer from AWS for 1" in blind.stacks[0].reason
    assert aws.now() - began < 900

    aws.wire.gone_until = 0.0
    assert deploy_slowly(aws).exit_code == 0


def test_a_first_look_that_is_throttled_for_half_a_minute_is_no_failure(aws: Line) -> None:
    aws.sandbox.faults.calls.append(CallFault("throttle", times=12))

    assert outcomes(aws.deploy(four())) == all_are("create")


def test_the_answer_to_the_very_last_look_may_be_lost(aws: Line) -> None:
    fault = CallFault("throttle", "DescribeStacks", times=30)
    over = {"CREATE_COMPLETE"}
    once(aws, lambda: set(aws.stacks().values()) == over, lambda: aws.sandbox.faults.calls.append(fault))

    assert outcomes(aws.deploy(four())) == all_are("create")


@pytest.mark.parametrize("code", ["ListChangeSets", "DescribeStackEvents"])
def test_what_is_only_shown_or_tidied_up_does_not_decide_how_a_run_ends(aws: Line, code: str) -> None:
    aws.sandbox.faults.calls.append(CallFault("error", code))

    assert outcomes(aws.deploy(four())) == all_are("create")
    assert [
        event for event in aws.told if isinstance(event, ResourceEvent)
    ] == [] or code != "DescribeStackEvents"
    assert [event for event in aws.told if isinstance(event, Notice) and event.warning] == []
