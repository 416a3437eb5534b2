"""What `verify` makes of what it sees: each check, and what one that cannot be asked does to the others."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.error import URLError

import pytest

from deployer.day2 import verification
from deployer.day2.health import Question, answers
from deployer.day2.probe import ATTEMPTS, get_once, probe
from deployer.day2.rotation import RotatedSecret
from deployer.day2.service import Deployment, Service, TaskDefinition
from deployer.day2.verification import Answer, Check, Target
from deployer.errors import CloudError, DeployError, Interrupted, LostSight, NotAllowed, NotOffered
from deployer.states import StackState
from stacks.systems import application
from tests.deployer.fakes import Clock, host
from tests.serving import serving

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
API_KEYS = "dev-litellm/api-keys"
ARN = f"arn:aws:secretsmanager:us-east-1:123456789012:secret:{API_KEYS}-AbCdEf"
MASTER = "arn:aws:secretsmanager:us-east-1:123456789012:secret:dev-litellm/master-key-AbCdEf"


def stack(status: str) -> StackState:
    return StackState("dev-litellm-network", "arn", status)


@pytest.mark.parametrize(
    ("state", "outcome", "remedy"),
    [
        (stack("CREATE_COMPLETE"), "ok", ""),
        (stack("UPDATE_COMPLETE"), "ok", ""),
        (None, "failed", "`gatestack deploy dev` creates it"),
        (stack("REVIEW_IN_PROGRESS"), "failed", "`gatestack deploy dev` creates it"),
        (stack("UPDATE_IN_PROGRESS"), "failed", "`gatestack watch dev`"),
        (stack("UPDATE_ROLLBACK_COMPLETE"), "failed", "`gatestack events dev --stack network` says why"),
        (stack("ROLLBACK_COMPLETE"), "failed", "`gatestack plan dev`"),
        (stack("DELETE_FAILED"), "failed", "`gatestack plan dev`"),
    ],
)
def test_a_stack_is_well_at_the_end_of_an_operation_that_succeeded(
    state: StackState | None, outcome: str, remedy: str
) -> None:
    check = verification.stack("network", state, "dev")

    assert (check.name, check.outcome) == ("stack network", outcome)
    assert remedy in check.remedy


def service(*deployments: Deployment, desired: int = 2, running: int = 2, status: str = "ACTIVE") -> Service:
    return Service("arn", "dev-litellm-proxy", status, desired, running, "task:1", deployments)


STEADY = Deployment("ecs-svc/1", "PRIMARY", "COMPLETED", desired=2, running=2)
BEGUN = Deployment("ecs-svc/2", "PRIMARY", "IN_PROGRESS")
LEAVES = Deployment("ecs-svc/1", "ACTIVE", "COMPLETED")
FAILED = Deployment("ecs-svc/2", "PRIMARY", "FAILED", "tasks failed to start")


@pytest.mark.parametrize(
    ("seen", "outcome", "detail"),
    [
        (service(STEADY), "ok", "2 of 2 tasks run"),
        (None, "failed", "not there"),
        (service(STEADY, status="DRAINING"), "failed", "not there"),
        (service(STEADY, desired=0, running=0), "failed", "it is to run no tasks"),
        (service(STEADY, running=1), "failed", "1 of 2 tasks run; a task stopped: exit code 1"),
        (
            service(FAILED),
            "failed",
            "2 of 2 tasks run; tasks failed to start; a task stopped: exit code 1",
        ),
        (service(BEGUN, LEAVES), "failed", "2 of 2 tasks run, not steady"),
        (service(STEADY, LEAVES), "failed", "2 of 2 tasks run, not steady"),
    ],
)
def test_a_service_is_well_with_all_its_tasks_and_no_deployment_under_way(
    seen: Service | None, outcome: str, detail: str
) -> None:
    check = verification.service(seen, "dev", ["a task stopped: exit code 1"])

    assert (check.outcome, check.detail) == (outcome, detail)
    assert bool(check.remedy) == (outcome == "failed")


@pytest.mark.parametrize(
    ("seen", "remedy"),
    [
        (None, "`gatestack deploy dev` creates it"),
        (service(STEADY, running=1), "see the tasks' log (/ecs/dev-litellm-proxy)"),
        (service(STEADY, desired=0, running=0), "push its image, or raise service.desired_count"),
    ],
)
def test_a_service_beside_the_first_one_has_a_check_of_its_own(seen: Service | None, remedy: str) -> None:
    check = verification.service(seen, "dev", name="service dispatcher")

    assert (check.name, check.outcome) == ("service dispatcher", "failed")
    assert remedy in check.remedy


def test_targets_are_well_when_all_that_stay_are_healthy() -> None:
    well, ill = Target("10.0.11.1", "healthy"), Target("10.0.12.1", "unhealthy", "Health checks failed")
    leaving = Target("10.0.11.2", "draining", "Target deregistration is in progress")

    assert verification.targets([well, leaving], "dev").outcome == "ok"
    assert verification.targets([], "dev").outcome == "failed"
    assert verification.targets([leaving], "dev").outcome == "failed"
    check = verification.targets([well, ill], "dev")
    assert check.outcome == "failed"
    assert check.detail == "1 of 2 not healthy: 10.0.12.1 is unhealthy (Health checks failed)"


def keys(**values: str) -> str:
    return json.dumps(values)


def test_placeholders_are_told_from_keys_and_neither_is_shown() -> None:
    text = keys(OPENAI_API_KEY="REPLACE_ME", ANTHROPIC_API_KEY="sk-ant-real")
    needed = ["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "OTHER_API_KEY"]

    checks = verification.provider_keys(API_KEYS, text, needed, "dev")

    assert [(check.name, check.outcome) for check in checks] == [
        ("key OPENAI_API_KEY", "failed"),
        ("key ANTHROPIC_API_KEY", "ok"),
        ("key OTHER_API_KEY", "failed"),
    ]
    assert checks[0].detail == f"OPENAI_API_KEY of {API_KEYS} is still the placeholder"
    assert checks[0].remedy == "`gatestack secret set dev OPENAI_API_KEY`"
    assert "REPLACE_ME" not in repr(checks)
    assert "sk-ant-real" not in repr(checks)


def test_only_keys_that_the_tasks_take_are_needed() -> None:
    secrets = {
        "OPENAI_API_KEY": f"{ARN}:OPENAI_API_KEY::",
        "LITELLM_MASTER_KEY": f"{MASTER}:LITELLM_MASTER_KEY::",
    }
    text = keys(OPENAI_API_KEY="a", ANTHROPIC_API_KEY="b", AWS_BEDROCK_REGION="us-east-1")

    assert verification.needed_keys([TaskDefinition({}, secrets)], API_KEYS, text) == ("OPENAI_API_KEY",)


def test_keys_that_any_of_several_services_takes_are_needed_once() -> None:
    one, both = ({key: f"{ARN}:{key}::" for key in keys} for keys in (["A"], ["A", "B"]))

    needed = verification.needed_keys([TaskDefinition({}, one), TaskDefinition({}, both)], API_KEYS, "{}")

    assert needed == ("A", "B")


def test_without_a_task_definition_the_configured_keys_are_needed_else_all() -> None:
    text = keys(OPENAI_API_KEY="a", ANTHROPIC_API_KEY="b", AWS_BEDROCK_REGION="us-east-1")

    configured = verification.needed_keys((), API_KEYS, text, ["ANTHROPIC_API_KEY"])
    every = verification.needed_keys((), API_KEYS, text)

    assert configured == ("ANTHROPIC_API_KEY",)
    assert every == ("OPENAI_API_KEY", "ANTHROPIC_API_KEY")


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        (keys(LITELLM_MASTER_KEY="sk-0123456789"), "ok"),
        (keys(LITELLM_MASTER_KEY="0123456789"), "failed"),
        (keys(OTHER="sk-0123456789"), "failed"),
        ("no json", "failed"),
    ],
)
def test_a_master_key_begins_with_sk(text: str, outcome: str) -> None:
    check = verification.own_key("master-key", text, "LITELLM_MASTER_KEY", "sk-", "LiteLLM", "dev")

    assert check.outcome == outcome
    assert "0123456789" not in repr(check)


def test_a_key_without_a_prefix_only_has_to_be_there() -> None:
    checks = [
        verification.own_key("signing-key", text, "KEY", "", "It", "dev")
        for text in (keys(KEY="0123456789"), keys(KEY=""), "no json")
    ]

    assert [check.outcome for check in checks] == ["ok", "failed", "failed"]
    assert checks[1].remedy == "`gatestack rotate dev signing-key` makes a new one"


@pytest.mark.parametrize(
    ("text", "outcome", "detail"),
    [
        ('{"keys": [{"id": "a", "key": "sk-secret"}]}', "ok", "as the application reads it"),
        ('{"keys": ["sk-secret"]}', "failed", "entry 1 of keys"),
        ('{"keys": []}', "failed", "one entry at least"),
        ('["sk-secret"]', "failed", "it is not a JSON object"),
    ],
)
def test_a_list_of_keys_is_well_when_the_application_can_read_it(
    text: str, outcome: str, detail: str
) -> None:
    (own,) = application("llm-testing").secrets
    assert own.objection

    check = verification.own_rules("api-keys", text, own.objection, "test")

    assert (check.name, check.outcome) == ("secret api-keys", outcome)
    assert detail in check.detail
    assert bool(check.remedy) == (outcome == "failed")
    assert "sk-secret" not in repr(check)


def rotated(**more: object) -> RotatedSecret:
    facts = {"function": "arn", "enabled": True, "stages": {"1": frozenset({"AWSCURRENT"})}}
    return RotatedSecret("dev-litellm/database-login", **{**facts, **more})  # type: ignore[arg-type]


PENDING = {"1": frozenset({"AWSCURRENT"}), "2": frozenset({"AWSPENDING"})}


@pytest.mark.parametrize(
    ("found", "pending_for", "outcome", "detail"),
    [
        (rotated(next_rotation=NOW + timedelta(days=9)), None, "ok", "enabled, next by 2026-02-09"),
        (rotated(next_rotation=NOW - timedelta(hours=9)), None, "ok", "enabled, next by 2026-01-31"),
        (rotated(next_rotation=NOW - timedelta(days=2)), None, "failed", "overdue since 2026-01-29"),
        (rotated(), None, "ok", "enabled"),
        (rotated(enabled=False), None, "failed", "not set up"),
        (rotated(function=""), None, "failed", "not set up"),
        (rotated(stages=PENDING), 300, "ok", "in progress"),
        (rotated(stages=PENDING), None, "ok", "in progress"),
        (rotated(stages=PENDING), 9000, "failed", "stuck since 2026-01-31 09:30; the current value works"),
        (None, None, "failed", "there is no such secret"),
    ],
)
def test_a_rotation_is_well_when_it_is_set_up_on_time_and_not_stuck(
    found: RotatedSecret | None, pending_for: int | None, outcome: str, detail: str
) -> None:
    since = NOW - timedelta(seconds=pending_for) if pending_for else None

    check = verification.rotation("database", found, "dev", NOW, since)

    assert (check.outcome, check.detail) == (outcome, detail)


def test_a_version_that_is_current_and_pending_is_a_rotation_that_is_over() -> None:
    assert rotated(stages={"1": frozenset({"AWSCURRENT", "AWSPENDING"})}).pending is None


def test_the_tasks_should_not_log_in_as_the_administrator() -> None:
    administrator = json.dumps({"username": "litellm", "password": "secret1"})

    same = verification.login(administrator, administrator, "dev")
    other = verification.login(json.dumps({"username": "litellm_1"}), administrator, "dev")
    broken = verification.login("{}", administrator, "dev")

    assert [one.outcome for one in (same, other, broken)] == ["failed", "ok", "failed"]
    assert "`gatestack rotate dev database`" in same.remedy
    assert "secret1" not in repr((same, other, broken))


def test_the_config_that_the_tasks_read_has_to_be_there() -> None:
    where = ("bucket", "config-1.yaml")

    outcomes = [verification.config(*where, "dev", there=there).outcome for there in (True, False)]

    assert outcomes == ["ok", "failed"]
    assert verification.config(None, None, "dev", there=False).outcome == "skipped"


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (Answer("https://llm.example.com/health/readiness", 200), "ok"),
        (Answer("https://llm.example.com/health/readiness", 503), "failed"),
        (Answer("https://llm.example.com/health/readiness", None, "refused"), "failed"),
        (Answer("https://llm.example.com/health/readiness", None, "expired", untrusted=True), "failed"),
        (Answer("https://a.us-east-1.elb.amazonaws.com/x", None, "mismatch", untrusted=True), "unknown"),
    ],
)
def test_the_gateways_own_answer_is_judged(answer: Answer, outcome: str) -> None:
    check = verification.endpoint(answer, "dev", named_by_aws="elb.amazonaws.com" in answer.url)

    assert check.outcome == outcome
    assert bool(check.remedy) == (outcome != "ok")


@pytest.mark.parametrize(
    ("answer", "outcome", "said"),
    [
        (Answer("https://llm.example.com/x", None, "alert", closed=True), "unknown", "curl --cert"),
        (Answer("https://llm.example.com/x", 200), "failed", "gatestack drift dev"),
        (Answer("https://llm.example.com/x", None, "refused"), "failed", "alb.allowed_cidrs"),
        (
            Answer("https://llm.example.com/x", None, "expired", untrusted=True),
            "failed",
            "alb.certificate_arn",
        ),
    ],
)
def test_a_load_balancer_that_verifies_clients_is_to_refuse_this_machine(
    answer: Answer, outcome: str, said: str
) -> None:
    check = verification.endpoint(answer, "dev", named_by_aws=False, verifies_clients=True)

    assert (check.outcome, said in check.remedy) == (outcome, True)


# asking


def raising(error: Exception) -> Callable[[], tuple[Check, ...]]:
    def ask() -> tuple[Check, ...]:
        raise error

    return ask


def test_what_cannot_be_asked_fails_by_itself_only() -> None:
    denied = NotAllowed(
        "secretsmanager GetSecretValue: no: grant the permission secretsmanager:GetSecretValue"
    )
    questions = [
        Question("a", raising(denied)),
        Question("b", raising(NotOffered("this endpoint has no ecs"))),
        Question("c", raising(CloudError("broken"))),
        Question("d", lambda: (Check("d1", "ok"), Check("d2", "failed"))),
    ]

    found = answers(questions, host(Clock()))

    assert [(check.name, check.outcome) for check in found] == [
        ("a", "unknown"),
        ("b", "skipped"),
        ("c", "unknown"),
        ("d1", "ok"),
        ("d2", "failed"),
    ]
    assert found[0].remedy == "grant the permission secretsmanager:GetSecretValue"


def test_a_login_that_is_over_ends_everything() -> None:
    with pytest.raises(LostSight):
        answers([Question("a", raising(LostSight("log in again")))], host(Clock()))


def test_a_signal_ends_it_without_asking_on() -> None:
    asked: list[str] = []
    signals = [0]

    def first() -> tuple[Check, ...]:
        asked.append("first")
        signals[0] = 1
        return ()

    def second() -> tuple[Check, ...]:
        asked.append("second")
        return ()

    with pytest.raises(Interrupted, match="nothing was changed"):
        answers([Question("a", first), Question("b", second)], host(Clock(), stop=lambda: signals[0]))

    assert asked == ["first"]


def test_what_is_no_refusal_of_aws_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        answers([Question("a", raising(ZeroDivisionError()))], host(Clock()))

    assert answers([Question("a", raising(DeployError("odd")))], host(Clock()))[0].outcome == "unknown"


# the gateway's own answer


@contextmanager
def gateway(*statuses: tuple[str, int]) -> Iterator[tuple[str, list[str]]]:
    """A gateway that answers each path with the statuses given for it, the last one again and again."""
    left: dict[str, list[int]] = {}
    for path, status in statuses:
        left.setdefault(path, []).append(status)
    asked: list[str] = []

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        asked.append(environ["PATH_INFO"])
        those = left.get(environ["PATH_INFO"], [404])
        start_response(f"{those.pop(0) if len(those) > 1 else those[0]} as told", [])
        return []

    with serving(app) as url:
        yield url, asked


PATHS = READY, ALIVE = application("litellm").answers_at


def test_a_gateway_that_is_ready_answers_at_once() -> None:
    with gateway((READY, 200)) as (url, asked):
        assert probe(url, PATHS, host(Clock())).status == 200

    assert asked == [READY]


def test_a_gateway_that_is_not_ready_yet_is_asked_again() -> None:
    with gateway((READY, 503), (READY, 200)) as (url, asked):
        assert probe(url, PATHS, host(Clock())).status == 200

    assert asked == [READY, READY]


def test_a_gateway_without_readiness_is_asked_whether_it_lives_and_never_for_health() -> None:
    with gateway((ALIVE, 200)) as (url, asked):
        assert probe(url, PATHS, host(Clock())).status == 200

    assert asked == [READY, ALIVE]


def test_each_application_is_asked_at_its_own_paths() -> None:
    with gateway(("/health", 200)) as (url, asked):
        assert probe(url, application("llm-proxy").answers_at, host(Clock())).status == 200

    assert asked == ["/health"]


def test_a_gateway_that_stays_ill_is_told_with_its_status() -> None:
    with gateway((READY, 503)) as (url, asked):
        answer = probe(url, PATHS, host(Clock()))

    assert (answer.status, len(asked)) == (503, ATTEMPTS)


def test_nobody_there_is_an_answer_too() -> None:
    with gateway() as (url, _):
        pass  # its port is closed again

    answer = get_once(url)

    assert answer.status is None
    assert "refused" in answer.problem


def test_a_certificate_that_is_not_accepted_is_not_asked_again() -> None:
    asked: list[str] = []

    def get(url: str) -> Answer:
        asked.append(url)
        return Answer(url, None, str(URLError(ssl.SSLCertVerificationError("expired"))), untrusted=True)

    assert probe("https://llm.example.com", PATHS, host(Clock()), get).untrusted
    assert len(asked) == 1
