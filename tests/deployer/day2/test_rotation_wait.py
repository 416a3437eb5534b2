"""Waiting for a rotation: its own clock, a Secrets Manager that does what the test says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import pytest

from deployer.day2.rotation import FAILED_SECONDS, Record, RotatedSecret, Rotator, standing
from deployer.day2.waiting import Patience
from deployer.errors import CloudError, DeployError, Interrupted, LostSight, NotAllowed, Transient
from deployer.progress import Event, Notice
from tests.deployer.fakes import Clock, host

SECRET = "dev-litellm/database-login"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:dev-litellm-database-rotation"
OLD = "11111111-old"
BUSY = Transient("secretsmanager DescribeSecret: Rate exceeded", code="ThrottlingException")


def done(step: str) -> Record:
    return Record(step, "done")


def failed(step: str, error: str = "OperationalError: no route to host") -> Record:
    return Record(step, "failed", error)


@dataclass
class Rotations:
    """One secret; what happens to it is a list of (second, what)."""

    clock: Clock
    secret: RotatedSecret | None = field(
        default_factory=lambda: RotatedSecret(
            SECRET, FUNCTION, enabled=True, stages={OLD: frozenset({"AWSCURRENT"})}
        )
    )
    happens: list[tuple[float, Callable[[], None]]] = field(default_factory=list)
    written: list[tuple[float, Record]] = field(default_factory=list)
    busy: tuple[float, float] = (0, 0)
    """From when to when every look is refused."""
    started: list[str] = field(default_factory=list)
    refusals: list[CloudError | None] = field(default_factory=list)
    """What the next starts meet: an error, or None for somebody else's rotation that is under way."""
    log_refuses: CloudError | None = None

    def look(self, secret: str) -> RotatedSecret | None:
        assert secret == SECRET
        if self.busy[0] <= self.clock.now < self.busy[1]:
            raise BUSY
        for at, what in [one for one in self.happens if one[0] <= self.clock.now]:
            self.happens.remove((at, what))
            what()
        return self.secret

    def start(self, secret: str, token: str) -> str | None:
        self.started.append(token)
        if self.refusals:
            refusal = self.refusals.pop(0)
            if refusal:
                raise refusal
            return None
        self.label(token, "AWSPENDING")
        return token

    def skip(self, function: str) -> None:
        assert function == FUNCTION
        self.written = [(at, record) for at, record in self.written if at > self.clock.now]

    def records(self, function: str, version: str) -> Sequence[Record]:
        assert function == FUNCTION
        if self.log_refuses:
            raise self.log_refuses
        return [record for at, record in self.written if at <= self.clock.now]

    def label(self, version: str, *labels: str) -> None:
        assert self.secret
        self.secret = replace(self.secret, stages={**self.secret.stages, version: frozenset(labels)})

    def finish(self) -> None:
        assert self.secret
        new = self.secret.pending or self.started[-1]
        stages = {OLD: frozenset({"AWSPREVIOUS"}), new: frozenset({"AWSCURRENT", "AWSPENDING"})}
        self.secret = replace(self.secret, stages=stages)

    def give_up(self) -> None:
        assert self.secret
        self.secret = replace(self.secret, stages={OLD: frozenset({"AWSCURRENT"})})


class World:
    """A rotation of one secret."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.aws = Rotations(self.clock)
        self.told: list[Event] = []
        self.signals: list[float] = []

    def rotator(self, minutes: float = 15) -> Rotator:
        def stop() -> int:
            return sum(self.clock.now >= at for at in self.signals)

        here = host(self.clock, self.told, stop=stop)
        return Rotator(self.aws, here, Patience(minutes), "dev")

    def said(self) -> list[str]:
        return [event.text for event in self.told if isinstance(event, Notice)]


@pytest.fixture
def rotation() -> World:
    return World()


def test_a_rotation_is_over_when_its_version_is_current_and_its_steps_are_told(rotation: World) -> None:
    rotation.aws.written = [(2, done("createSecret")), (4, done("setSecret"))]
    rotation.aws.happens = [(20, rotation.aws.finish)]

    rotator = rotation.rotator()
    ended = rotator.follow(rotator.begin(SECRET))

    assert (ended.status, ended.version) == ("COMPLETED", rotation.aws.started[0])
    assert 20 <= ended.seconds < 30
    assert [text for text in rotation.said() if "done" in text] == ["createSecret done", "setSecret done"]


def test_a_rotation_that_another_one_has_overtaken_is_over_as_well(rotation: World) -> None:
    rotator = rotation.rotator()
    begun = rotator.begin(SECRET)
    rotation.aws.happens = [(5, lambda: rotation.aws.label(begun.version, "AWSPREVIOUS"))]

    assert rotator.follow(begun).status == "COMPLETED"


def test_one_that_is_under_way_is_taken_up(rotation: World) -> None:
    rotation.aws.refusals = [None]
    rotation.aws.label("22222222-theirs", "AWSPENDING")
    rotation.aws.happens = [(3, rotation.aws.finish)]

    rotator = rotation.rotator()
    begun = rotator.begin(SECRET)

    assert (begun.version, begun.attached) == ("22222222-theirs", True)
    assert "in progress already" in rotation.said()[0]
    assert rotator.follow(begun).status == "COMPLETED"


def test_what_failed_before_it_was_taken_up_is_no_failure_of_now(rotation: World) -> None:
    rotation.aws.refusals = [None]
    rotation.aws.label("22222222-theirs", "AWSPENDING")
    rotation.aws.written = [(0, failed("setSecret"))] * 5
    rotation.aws.happens = [(FAILED_SECONDS + 60, rotation.aws.finish)]

    rotator = rotation.rotator()

    assert rotator.follow(rotator.begin(SECRET)).status == "COMPLETED"
    assert not any("failed" in text for text in rotation.said())


def test_one_that_ends_just_when_it_is_taken_up_is_followed_by_ours(rotation: World) -> None:
    rotation.aws.refusals = [None]

    begun = rotation.rotator().begin(SECRET)

    assert begun.version == rotation.aws.started[1] == rotation.aws.started[0]
    assert not begun.attached


def test_a_step_that_keeps_failing_is_a_failure_with_its_reason_and_the_page(rotation: World) -> None:
    rotation.aws.written = [(1, done("createSecret")), (2, failed("setSecret"))]
    rotation.aws.written += [(30, done("createSecret")), (32, failed("setSecret"))]

    rotator = rotation.rotator()
    ended = rotator.follow(rotator.begin(SECRET))

    assert ended.status == "FAILED"
    assert "setSecret: OperationalError: no route to host" in ended.reason
    assert "`gatestack docs rotation-failed`" in ended.reason
    assert FAILED_SECONDS <= ended.seconds < FAILED_SECONDS + 20


def test_a_step_that_has_failed_often_enough_is_not_waited_for(rotation: World) -> None:
    rotation.aws.written = [(second, failed("createSecret")) for second in range(1, 6)]

    rotator = rotation.rotator()
    ended = rotator.follow(rotator.begin(SECRET))

    assert (ended.status, ended.seconds < FAILED_SECONDS / 2) == ("FAILED", True)


def test_a_step_that_works_when_it_is_repeated_is_no_failure(rotation: World) -> None:
    rotation.aws.written = [(2, failed("setSecret")), (60, done("setSecret")), (61, failed("testSecret"))]
    rotation.aws.written += [(140, done("testSecret"))]
    rotation.aws.happens = [(160, rotation.aws.finish)]

    rotator = rotation.rotator()

    assert rotator.follow(rotator.begin(SECRET)).status == "COMPLETED"


@pytest.mark.parametrize(
    ("records", "step"),
    [
        ([], None),
        ([failed("setSecret")], "setSecret"),
        ([failed("setSecret"), done("createSecret")], "setSecret"),
        ([failed("setSecret"), done("createSecret"), done("setSecret")], None),
        ([failed("setSecret"), done("testSecret")], None),
        ([failed("createSecret"), done("createSecret"), failed("finishSecret")], "finishSecret"),
    ],
)
def test_a_failure_stands_until_its_step_or_a_later_one_works(records: list[Record], step: str) -> None:
    found = standing(records)

    assert (found.step if found else None) == step


def test_a_rotation_that_was_given_up_is_a_failure(rotation: World) -> None:
    rotator = rotation.rotator()
    begun = rotator.begin(SECRET)
    rotation.aws.happens = [(5, rotation.aws.give_up)]

    ended = rotator.follow(begun)

    assert (ended.status, "was cancelled" in ended.reason) == ("FAILED", True)
    assert ended.seconds < 60


def test_a_version_that_is_not_visible_yet_is_waited_for(rotation: World) -> None:
    rotator = rotation.rotator()
    begun = rotator.begin(SECRET)
    rotation.aws.give_up()
    rotation.aws.happens = [(30, lambda: rotation.aws.label(begun.version, "AWSPENDING"))]
    rotation.aws.happens += [(40, rotation.aws.finish)]

    assert rotator.follow(begun).status == "COMPLETED"


def test_the_time_limit_leaves_it_going_on_and_says_how_to_look_again(rotation: World) -> None:
    rotator = rotation.rotator(minutes=2)
    begun = rotator.begin(SECRET)

    with pytest.raises(LostSight, match=r"after 2 minutes: .* continues .*`gatestack verify dev`") as caught:
        rotator.follow(begun)

    assert caught.value.exit_code == 5
    assert rotation.clock.now == pytest.approx(120, abs=10)


def test_ctrl_c_says_what_goes_on(rotation: World) -> None:
    rotation.signals = [7]
    rotator = rotation.rotator()

    with pytest.raises(Interrupted, match=f"continues the rotation of {SECRET}"):
        rotator.follow(rotator.begin(SECRET))

    assert rotation.clock.now < 15


def test_an_aws_that_is_busy_for_minutes_is_endured(rotation: World) -> None:
    rotator = rotation.rotator()
    begun = rotator.begin(SECRET)
    rotation.aws.busy = (1, 300)
    rotation.aws.happens = [(100, rotation.aws.finish)]

    assert rotator.follow(begun).status == "COMPLETED"


def test_an_aws_that_never_answers_again_is_lost_sight_of(rotation: World) -> None:
    rotator = rotation.rotator(minutes=60)
    begun = rotator.begin(SECRET)
    rotation.aws.busy = (1, 1e9)

    with pytest.raises(LostSight, match=r"no answer for \d+ minutes .*continues"):
        rotator.follow(begun)


def test_a_log_that_may_not_be_read_is_said_once_and_the_end_is_seen_all_the_same(rotation: World) -> None:
    rotation.aws.log_refuses = NotAllowed("logs FilterLogEvents: grant the permission logs:FilterLogEvents")
    rotation.aws.happens = [(30, rotation.aws.finish)]

    rotator = rotation.rotator()

    assert rotator.follow(rotator.begin(SECRET)).status == "COMPLETED"
    assert sum("logs:FilterLogEvents" in text for text in rotation.said()) == 1


def test_a_secret_that_nothing_rotates_is_not_rotated(rotation: World) -> None:
    assert rotation.aws.secret
    rotation.aws.secret = replace(rotation.aws.secret, function="")

    with pytest.raises(DeployError, match=r"no function rotates .*`gatestack deploy dev` first") as caught:
        rotation.rotator().begin(SECRET)

    assert (caught.value.exit_code, rotation.aws.started) == (1, [])


def test_a_secret_that_is_not_there_is_not_rotated(rotation: World) -> None:
    rotation.aws.secret = None

    with pytest.raises(DeployError, match="there is no secret"):
        rotation.rotator().begin(SECRET)


def test_a_start_without_an_answer_may_have_begun(rotation: World) -> None:
    rotation.aws.refusals = [Transient("secretsmanager RotateSecret: no connection")]

    with pytest.raises(LostSight, match="may have begun"):
        rotation.rotator().begin(SECRET)
