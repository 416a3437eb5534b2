"""What ECS refuses of a task definition's containers, in the sandbox."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.provisioning import ProvisionError
from sandbox.services.containers import check

OWN: dict[str, Any] = {"Name": "own", "Image": "x:1"}
BESIDE: dict[str, Any] = {"Name": "beside", "Image": "x:1", "Essential": False}


def task(*containers: dict[str, Any]) -> dict[str, Any]:
    return {"Cpu": "256", "Memory": "512", "ContainerDefinitions": list(containers)}


def waits(name: str, condition: str) -> dict[str, Any]:
    return {"DependsOn": [{"ContainerName": name, "Condition": condition}]}


def test_what_ecs_takes_is_taken() -> None:
    check(task(OWN))
    check({"ContainerDefinitions": [OWN | {"Cpu": 4096, "Memory": 8192}]})
    check(task(OWN | {"Cpu": 128, "MemoryReservation": 256}, BESIDE | {"Cpu": 128, "Memory": 256}))
    check(task(OWN | waits("beside", "SUCCESS"), BESIDE))
    check(task(OWN | {"HealthCheck": {}}, BESIDE | waits("own", "HEALTHY")))


@pytest.mark.parametrize(
    ("containers", "said"),
    [
        (
            (OWN | {"Cpu": 200}, BESIDE | {"Cpu": 100}),
            "The sum of all container 'cpu' values cannot be greater than the value of the task 'cpu'.",
        ),
        ((OWN, BESIDE | {"Memory": 1024}), "The 'memory' setting for container 'beside' is greater than for"),
        ((OWN | {"MemoryReservation": 400}, BESIDE | {"Memory": 200}), "memory reservations"),
        ((OWN, BESIDE | {"Name": "own"}), "must be unique: 'own'"),
        ((BESIDE,), "At least one container must be essential."),
        (
            (OWN, BESIDE | waits("own", "COMPLETE")),
            "A dependency container with SUCCESS or COMPLETE condition cannot be an essential container",
        ),
        ((OWN, BESIDE | waits("own", "HEALTHY")), "needs a health check of 'own'"),
        ((OWN, BESIDE | waits("nobody", "START")), "names 'nobody'"),
        ((OWN | waits("beside", "START"), BESIDE | waits("own", "START")), "beside, own have a cycle"),
        (tuple(OWN | {"Name": f"c{one}"} for one in range(11)), "Too many containers."),
        (
            (
                OWN
                | {
                    "Environment": [{"Name": "A", "Value": "1"}],
                    "Secrets": [{"Name": "A", "ValueFrom": "x"}],
                },
            ),
            "such as 'A'",
        ),
    ],
)
def test_what_ecs_refuses_is_refused(containers: tuple[dict[str, Any], ...], said: str) -> None:
    with pytest.raises(ProvisionError) as caught:
        check(task(*containers))

    assert said in str(caught.value)
    assert "Create TaskDefinition" in str(caught.value)
