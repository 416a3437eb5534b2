"""`service.sidecars`: further containers in the application's tasks."""

from typing import Annotated, Literal

from pydantic import Field

from stacks.checking.fields import between
from stacks.checking.tasks import container_fields as kinds
from stacks.sections import Section

Texts = Annotated[tuple[str, ...], Field(strict=False)]
Condition = Literal["START", "COMPLETE", "SUCCESS", "HEALTHY"]


class SidecarCheck(Section):
    """ECS's own health check, inside the container."""

    command: Annotated[Texts, kinds.CHECK]
    """CMD and a program with its arguments, or CMD-SHELL and a line for the image's shell."""
    interval_seconds: Annotated[int, between(5, 300, "seconds")] = 30
    """Time between two checks."""
    timeout_seconds: Annotated[int, between(2, 60, "seconds")] = 5
    """A later response counts as a failure."""
    retries: Annotated[int, between(1, 10, "checks")] = 3
    """Failures in a row until the container is unhealthy."""
    start_seconds: Annotated[int, between(0, 300, "seconds")] = 0
    """How long a starting container may fail."""


class Dependency(Section):
    """What another container of the task must have reached before this one starts."""

    container: kinds.ContainerName
    """Name of a sidecar, or of the application's own container."""
    condition: Condition = "START"
    """Whether that container must have started (START), be healthy (HEALTHY), or have ended (COMPLETE;
    SUCCESS: with exit code 0)."""


class Sidecar(Section):
    """One container beside the application's."""

    name: kinds.ContainerName
    """Its name in the task, and what its log streams begin with."""
    image: kinds.Image
    """Registry path with tag or digest."""
    cpu: Annotated[int, between(2, 16384, "CPU units")] = 128
    """Its share of service.cpu; the application gets the rest."""
    memory_mb: Annotated[int, between(6, 122_880, "MB")] = 256
    """Its share of service.memory_mb; a container that uses more is killed. The application gets the
    rest."""
    essential: bool = False
    """Whether the whole task stops when this container does."""
    environment: dict[str, str] = Field(default_factory=dict)
    """Environment variables; no secrets."""
    secrets: Annotated[tuple[kinds.Variable, ...], Field(strict=False)] = ()
    """Those of the tasks' variables from Secrets Manager or Parameter Store that this container gets, by
    name."""
    command: Texts = ()
    """Arguments; left out: the image's own."""
    entry_point: Texts = ()
    """Program; left out: the image's own."""
    ports: Annotated[tuple[Annotated[int, between(1, 65535)], ...], Field(strict=False)] = ()
    """Ports that it listens on. The containers of a task share localhost; no other host reaches these."""
    health_check: SidecarCheck | None = None
    """ECS's own check of it; left out: it is well while its process runs."""
    depends_on: Annotated[tuple[Dependency, ...], Field(strict=False)] = ()
    """Containers that must have come so far before this one starts."""
    user: kinds.User | None = None
    """User, user:group or their numbers; left out: the image's own."""
    readonly_root: bool = False
    """Whether the container's own file system is read-only."""
    beside: Annotated[tuple[kinds.ProgramName, ...], Field(strict=False)] = ()
    """Programs whose tasks have this container; left out: the one that gets the requests."""
