"""
Sidecars in the application's tasks, and the part of a task's size that remains for the application. Pure.

A task's size is what the file says (`service.cpu`, `service.memory_mb`) and what is billed; sidecars get
shares of it, as in AWS Copilot's manifests and in ECS. The size never increases by itself: that would change
the price.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from stacks import collector, task_secrets
from stacks.application import Application, FromParameter, Injected, Program
from stacks.checking import limits
from stacks.checking.tasks.container_fields import parts
from stacks.sections.beside import Sidecar
from stacks.settings import Settings
from stacks.systems import application

_PRIVATE: Final = (
    r"(?P<account>[0-9]{12})\.dkr\.ecr(-fips)?\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?"
    r"/(?P<repository>.+)"
)


class PrivateImage(NamedTuple):
    """An image in a private repository of Amazon ECR."""

    account: str
    region: str
    repository: str


class Size(NamedTuple):
    """CPU units and MB."""

    cpu: int
    memory_mb: int


def sidecars(settings: Settings, program: str) -> tuple[Sidecar, ...]:
    """Return the sidecars of *program* (``proxy``), in the order of the file."""
    return tuple(one for one in every(settings) if program in programs(settings, one))


def every(settings: Settings) -> tuple[Sidecar, ...]:
    """Return the sidecars of all programs: gatestack's own first."""
    return (*added(settings), *settings.service.sidecars)


def added(settings: Settings) -> tuple[Sidecar, ...]:
    """Return the sidecars that other keys imply; the file does not list them."""
    return (collector.sidecar(settings),) if collector.wanted(settings) else ()


def programs(settings: Settings, sidecar: Sidecar) -> tuple[str, ...]:
    """
    Return the programs that have *sidecar*.

    By default the one that gets the requests: most sidecars are collectors or proxies for client traffic. A
    migration has none: it ends with its own container.
    """
    return sidecar.beside or (application(settings.system).entrance.name,)


def left(size: Size, beside: tuple[Sidecar, ...]) -> Size:
    """Return the part of a task's *size* that remains for the application after *beside*."""
    return Size(
        size.cpu - sum(one.cpu for one in beside), size.memory_mb - sum(one.memory_mb for one in beside)
    )


def sizes(settings: Settings) -> Iterator[tuple[Program, Size]]:
    """Yield every program that may have a sidecar with the size of its tasks."""
    own, service = application(settings.system), settings.service
    yield own.entrance, Size(service.cpu, service.memory_mb)
    for one in own.background(settings):
        yield one.program, Size(one.cpu, one.memory_mb)


def smallest(wanted: Size) -> Size | None:
    """Return Fargate's smallest task that has as much as *wanted*; None where there is none."""
    return next(
        (
            Size(cpu, memory)
            for cpu, sizes_ in limits.FARGATE_MEMORY_MB.items()
            for memory in sizes_
            if cpu >= wanted.cpu and memory >= wanted.memory_mb
        ),
        None,
    )


def given(known: Application, settings: Settings, program: Program) -> dict[str, Injected]:
    """Return variable -> its source at the start of a task of *program*; sidecars choose from these."""
    of_the_user = {known.variable_of(name): FromParameter(name) for name in settings.service.parameters}
    migrates = known.migration is not None and known.migration.program is program
    of_people = {} if migrates else task_secrets.injected(settings)
    return {**program.injected(settings), **of_the_user, **of_people}


def private_image(image: str) -> PrivateImage | None:
    """Return where *image* is, if that is a private repository of ECR."""
    found = re.fullmatch(_PRIVATE, parts(image)[0])
    return PrivateImage(found["account"], found["region"], found["repository"]) if found else None


def host(image: str) -> str:
    """Return the registry that *image* is pulled from; Docker Hub where it names none (as Docker does)."""
    first, slash, _ = image.partition("/")
    return first if slash and re.search(r"[.:]|^localhost$", first) else "docker.io"


def from_outside(settings: Settings) -> tuple[str, ...]:
    """
    Return the registries that no endpoint of the VPC leads to: all but the region's own private ECR.

    Amazon ECR User Guide, "Amazon ECR interface VPC endpoints": they serve private repositories of their
    region; images of Amazon ECR Public come from the internet.
    """
    found = dict.fromkeys(
        host(one.image)
        for one in every(settings)
        if (there := private_image(one.image)) is None or there.region != settings.region
    )
    return tuple(found)
