"""
The task sizes of AWS Fargate: Linux, in CPU units and MiB.

Source: Amazon ECS API Reference, RegisterTaskDefinition, `cpu` and `memory` (read 2026-11-28). ECS's message
for every other pair is from users' reports.
"""

from __future__ import annotations

from collections.abc import Mapping

GB = 1024
MEMORY: Mapping[int, range | tuple[int, ...]] = {
    256: (512, GB, 2 * GB),
    512: range(GB, 4 * GB + 1, GB),
    1024: range(2 * GB, 8 * GB + 1, GB),
    2048: range(4 * GB, 16 * GB + 1, GB),
    4096: range(8 * GB, 30 * GB + 1, GB),
    8192: range(16 * GB, 60 * GB + 1, 4 * GB),
    16384: range(32 * GB, 120 * GB + 1, 8 * GB),
    32768: range(60 * GB, 244 * GB + 1, GB),
}
"""CPU -> the possible memory; of the largest, the steps are not documented."""
REFUSAL = "No Fargate configuration exists for given values."


def exists(cpu: int, memory: int) -> bool:
    """Whether Fargate has tasks of *cpu* units and *memory* MiB."""
    return memory in MEMORY.get(cpu, ())
