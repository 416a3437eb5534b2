"""How many tasks target tracking policies want."""

from __future__ import annotations

import pytest

from sandbox.gateway.tasks.scaling import CPU, REQUESTS, Policy, Scaling, Use, decided, measured

ON_CPU = Policy("cpu", CPU, "", 50, out_cooldown=60, in_cooldown=300, scales_in=True)
ON_REQUESTS = Policy(
    "requests", REQUESTS, "targetgroup/x/1", 100, out_cooldown=60, in_cooldown=300, scales_in=True
)
OUT_ONLY = Policy("requests", REQUESTS, "", 100, out_cooldown=60, in_cooldown=300, scales_in=False)
LOW, HIGH = [10.0] * 15, [90.0] * 3


@pytest.mark.parametrize(
    ("policies", "points", "since", "deploying", "wanted"),
    [
        pytest.param([ON_CPU], {}, 1e9, False, (2, ""), id="nothing is measured"),
        pytest.param([ON_CPU], {"cpu": [90.0, 90.0]}, 1e9, False, (2, ""), id="two minutes are too few"),
        pytest.param(
            [ON_CPU], {"cpu": HIGH}, 1e9, False, (4, "cpu"), id="three minutes above: in proportion"
        ),
        pytest.param([ON_CPU], {"cpu": [90.0, 50.0, 90.0]}, 1e9, False, (2, ""), id="not all of them above"),
        pytest.param([ON_CPU], {"cpu": HIGH}, 59, False, (2, ""), id="the cooldown is not over"),
        pytest.param([ON_CPU], {"cpu": HIGH}, 1e9, True, (4, "cpu"), id="a deployment scales out"),
        pytest.param([ON_CPU], {"cpu": LOW}, 1e9, False, (1, "cpu"), id="fifteen minutes below"),
        pytest.param([ON_CPU], {"cpu": LOW[1:]}, 1e9, False, (2, ""), id="fourteen are too few"),
        pytest.param([ON_CPU], {"cpu": [46.0] * 15}, 1e9, False, (2, ""), id="within 10 % of the target"),
        pytest.param([ON_CPU], {"cpu": LOW}, 299, False, (2, ""), id="the other cooldown is not over"),
        pytest.param([ON_CPU], {"cpu": LOW}, 1e9, True, (2, ""), id="no deployment scales in"),
        pytest.param(
            [ON_CPU, ON_REQUESTS],
            {"cpu": HIGH, "requests": [400.0] * 3},
            1e9,
            False,
            (8, "requests"),
            id="most",
        ),
        pytest.param(
            [ON_CPU, ON_REQUESTS],
            {"cpu": LOW, "requests": [95.0] * 15},
            1e9,
            False,
            (2, ""),
            id="not all below",
        ),
        pytest.param(
            [ON_CPU, OUT_ONLY],
            {"cpu": LOW, "requests": [95.0] * 15},
            1e9,
            False,
            (1, "cpu"),
            id="one never does",
        ),
        pytest.param([OUT_ONLY], {"requests": [0.0] * 15}, 1e9, False, (2, ""), id="it alone never does"),
    ],
)
def test_what_policies_want(
    policies: list[Policy],
    points: dict[str, list[float]],
    since: float,
    deploying: bool,  # noqa: FBT001 - a case
    wanted: tuple[int, str],
) -> None:
    assert decided(policies, points, 2, since, deploying=deploying) == wanted


def test_rates_are_of_real_seconds_for_each_task_that_was_there() -> None:
    arn = "arn:aws:elasticloadbalancing:us-east-1:1:targetgroup/x/1"
    before = Use(0, {"one": 1.0, "two": 5.0}, 0.5, {arn: 10, "other": 7})
    after = Use(4, {"one": 2.0, "two": 6.0, "new": 9.0}, 0.5, {arn: 30, "other": 99})

    assert measured(ON_CPU, before, after) == 50.0  # a quarter of a CPU each, of half a one
    assert measured(ON_REQUESTS, before, after) == 150.0  # five a second, to two tasks, a minute
    assert measured(ON_CPU, before, Use(4, {"new": 9.0}, 0.5, {})) is None
    memory = Policy.read(
        "memory",
        {
            "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageMemoryUtilization"},
            "TargetValue": 80,
        },
    )
    assert (memory.in_cooldown, memory.scales_in, measured(memory, before, after)) == (300.0, True, None)


def test_a_service_is_scaled_once_for_what_was_seen() -> None:
    scaling, found = Scaling(), []
    for second in range(9):
        use = Use(second, {"one": second * 0.9}, 1.0, {})
        found.append(scaling.wanted([ON_CPU], use, 1, second * 60.0, deploying=False)[0])

    assert found == [1, 1, 1, 1, 2, 1, 1, 2, 1]  # two seconds to measure, then three minutes each
