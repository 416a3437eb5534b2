"""
Consistency of a task's containers: names, ports, shares, start order, secrets. Pure.

It refuses, before anything changes, what ECS refuses when a task definition is registered, and what would
fail only when tasks start: two containers on one port, a task without memory for its application.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from stacks.application import Program
from stacks.beside import Size, added, every, given, left, programs, sidecars, sizes, smallest
from stacks.checking.problems import Finding, printable
from stacks.checking.secret_texts import names_a_secret
from stacks.checking.tasks.container_fields import parts
from stacks.sections.beside import Sidecar
from stacks.settings import Settings
from stacks.systems import application

KEY: Final = "service.sidecars"
MOST_CONTAINERS: Final = 10
"""In a task definition (Amazon ECS Developer Guide, "Amazon ECS service quotas"; read 2026-11-28)."""
LEAST_MEMORY_MB: Final = 256
"""Half of what Fargate's smallest task has; what each system needs, its own advice says."""
LITTLE_CPU: Final = 256
"""What Fargate's smallest task has. A share of the CPU is a weight, so less is slow, and no failure."""

_ALSO = ("service.cpu", "service.memory_mb", "service.port", "dispatcher")


def sidecar_findings(settings: Settings) -> Iterator[Finding]:
    """Yield what is wrong with the sidecars, by the place of each in the file."""
    places = {one.name: index for index, one in enumerate(settings.service.sidecars)}
    known = {program.name: (program, size) for program, size in sizes(settings)}
    for index, one in enumerate(settings.service.sidecars):
        yield from _variables(index, one)
        for number, name in enumerate(one.beside):
            if name not in known:
                message = (
                    f"{name} is no program that runs as a service here; write {' or '.join(sorted(known))}"
                )
                yield _at(message, index, "beside", number)
    for program, size in known.values():
        beside = sidecars(settings, program.name)
        yield from _names(settings, program)
        yield from _ports(settings, program)
        yield from _room(size, beside, program, settings)
        yield from _order(program, beside, places)
        yield from _secrets(settings, program)


def sidecar_advice(settings: Settings) -> Iterator[str]:
    """Yield a sentence for each image that may change without notice, and for little CPU that is left."""
    for one in every(settings):
        _, tag, digest = parts(one.image)
        if not digest and (not tag or tag == "latest"):
            yield (
                f"{KEY}: {one.name}: {one.image} is another image with each release, and tasks that start "
                "later get it; name a version, or a digest with @sha256:"
            )
    for program, size in sizes(settings):
        beside = sidecars(settings, program.name)
        rest = left(size, beside)
        if beside and 0 < rest.cpu < LITTLE_CPU:
            yield (
                f"{KEY}: they leave {rest.cpu} CPU units of {size.cpu} to {program.container}; "
                "raise service.cpu, or lower their cpu"
            )


def _at(message: str, *below: str | int, also: tuple[str, ...] = ()) -> Finding:
    return Finding(KEY, message, also, below)


def _mine(settings: Settings, program: Program) -> Iterator[tuple[int, Sidecar]]:
    for index, one in enumerate(settings.service.sidecars):
        if program.name in programs(settings, one):
            yield index, one


def _added(settings: Settings, program: Program) -> list[Sidecar]:
    return [one for one in added(settings) if program.name in programs(settings, one)]


def _names(settings: Settings, program: Program) -> Iterator[Finding]:
    """ECS tells a task's containers from each other by their names."""
    taken = {program.container: "the application's own container"}
    taken |= {one.name: "a container of gatestack's own" for one in _added(settings, program)}
    for index, one in _mine(settings, program):
        if one.name in taken:
            yield _at(f"{one.name} is {taken[one.name]}; choose another name", index, "name")
        taken.setdefault(one.name, "another sidecar's name")
    count = len(sidecars(settings, program.name))
    if count >= MOST_CONTAINERS:
        message = f"{count} beside {program.container}; a task has {MOST_CONTAINERS} containers at the most"
        yield _at(message)


def _ports(settings: Settings, program: Program) -> Iterator[Finding]:
    """Containers of a task share one network interface (ECS Developer Guide, "awsvpc network mode")."""
    taken: dict[int, str] = {}
    if program.name == application(settings.system).entrance.name:
        taken[settings.service.port] = f"{program.container}'s own (service.port)"
    for one in _added(settings, program):
        taken |= dict.fromkeys(one.ports, f"{one.name}'s, which gatestack adds")
    for index, one in _mine(settings, program):
        for number, port in enumerate(one.ports):
            if port in taken:
                message = (
                    f"{port} is {taken[port]}, and the containers of a task share localhost; another one"
                )
                yield _at(message, index, "ports", number, also=("service.port",))
            taken.setdefault(port, f"{one.name}'s")


def _room(size: Size, beside: tuple[Sidecar, ...], program: Program, settings: Settings) -> Iterator[Finding]:
    """
    Refuse shares that leave nothing to the application.

    ECS's own words: "The sum of all container 'cpu' values cannot be greater than the value of the task
    'cpu'". The task is not enlarged automatically, since that costs more: the message names the size to
    write.
    """
    if not beside:
        return
    rest = left(size, beside)
    if rest.cpu > 0 and rest.memory_mb >= LEAST_MEMORY_MB:
        return
    taken = Size(size.cpu - rest.cpu, size.memory_mb - rest.memory_mb)
    enough = smallest(Size(taken.cpu + LITTLE_CPU, taken.memory_mb + size.memory_mb))
    entrance = application(settings.system).entrance.name == program.name
    section = "service" if entrance else program.name
    how = (
        f"write {section}.cpu: {enough.cpu} and {section}.memory_mb: {enough.memory_mb}"
        if enough
        else "lower theirs: Fargate has no larger task"
    )
    yield _at(
        f"they take {taken.cpu} CPU units and {taken.memory_mb} MB of the {size.cpu} and {size.memory_mb} of "
        f"a task of {program.name}, and {program.container} needs some CPU and {LEAST_MEMORY_MB} MB; {how}",
        also=_ALSO,
    )


def _order(program: Program, beside: tuple[Sidecar, ...], places: Mapping[str, int]) -> Iterator[Finding]:
    """
    Refuse dependencies that can never be met.

    Amazon ECS API Reference, ContainerDependency: HEALTHY wants a health check; in ECS's own words "A
    dependency container with SUCCESS or COMPLETE condition cannot be an essential container".
    """
    there = {one.name: one for one in beside}
    for one in beside:
        index = places.get(one.name, 0)
        for number, wanted in enumerate(one.depends_on):
            name, condition = wanted.container, wanted.condition
            at = (index, "depends_on", number)
            other = there.get(name)
            essential = name == program.container or (other is not None and other.essential)
            checked = name == program.container or (other is not None and other.health_check is not None)
            if other is None and name != program.container:
                names = [program.container, *(each for each in there if each != one.name)]
                message = f"{name} is no container of this task; write {' or '.join(names)}"
                yield _at(message, *at, "container")
            elif condition in {"COMPLETE", "SUCCESS"} and essential:
                message = f"{name} is essential, and the task ends when it does; write START or HEALTHY"
                yield _at(message, *at, "condition")
            elif condition == "HEALTHY" and not checked:
                yield _at(f"{name} has no health_check; add one, or write START", *at, "condition")
    circle = _circle(beside) if len(there) == len(beside) else ()
    if circle:
        whom = f"{', '.join(circle)} wait for each other" if circle[1:] else f"{circle[0]} waits for itself"
        yield _at(f"{whom}, and would never start; take one depends_on away")


def _circle(beside: tuple[Sidecar, ...]) -> tuple[str, ...]:
    """
    Return the sidecars that never start because they wait for each other; the application waits for none.
    """
    waits = {one.name: {other.container for other in one.depends_on} for one in beside}
    while free := {name for name, others in waits.items() if not others & waits.keys()}:
        waits = {name: others for name, others in waits.items() if name not in free}
    return tuple(waits)


def _secrets(settings: Settings, program: Program) -> Iterator[Finding]:
    known = application(settings.system)
    names = given(known, settings, program)
    for index, one in _mine(settings, program):
        for number, name in enumerate(one.secrets):
            if name in one.environment:
                message = f"{name} stands in its environment, too; ECS takes a variable once"
                yield _at(message, index, "secrets", number)
            elif name in one.secrets[:number]:
                yield _at(f"{name} stands twice; keep one of them", index, "secrets", number)
            elif name not in names:
                listed = ", ".join(sorted(names))
                message = f"the tasks of {program.name} are given no {name}; they are given {listed}"
                yield _at(message, index, "secrets", number, also=("service.parameters", "service.providers"))


def _variables(index: int, one: Sidecar) -> Iterator[Finding]:
    for name in one.environment:
        place = (index, "environment", name)
        if not name.isidentifier() or not name.isascii():
            yield _at("a variable's name has letters, digits and _, and begins with no digit", *place)
        elif names_a_secret(name):
            message = (
                "looks like a secret, and this file is none; name it in service.secrets and under secrets of "
                f"{printable(one.name)}, and put its value in with `gatestack secret set ENV {name}`"
            )
            yield _at(message, *place)
