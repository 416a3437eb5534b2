"""
What a system consists of: all differences between the systems on the same five stacks, as data.

Builders read an `Application` and never check a system's name. Parts that depend on the environment file are
pure functions of the settings. No CloudFormation here: values of other stacks are named, not imported.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from stacks.calls.call import Reading
from stacks.confinement import Confinement

if TYPE_CHECKING:
    from stacks.checking.problems import Finding
    from stacks.checking.releases.advisory import Releases
    from stacks.settings import Settings

PLACEHOLDER = "REPLACE_ME"
"""Placeholder for a key from outside, until a person enters it."""

LOG_LEVEL = "log-level"
"""The SSM parameter that every system has; it holds the application's own word for the level."""

SHOWN: Mapping[str, str] = {
    "image": "service.image",
    "image-tag": "service.image_tag",
    LOG_LEVEL: "service.log_level",
    "max-tasks": "service.max_tasks",
    "min-tasks": "service.min_tasks",
}
"""The keys of its environment file that every system shows as SSM parameters."""

LOWER_CASE_LEVELS: Mapping[str, str] = {
    "DEBUG": "debug",
    "INFO": "info",
    "WARNING": "warn",
    "ERROR": "error",
}
"""The words of applications in Go and JavaScript."""


class Export(NamedTuple):
    """A value that a stack exports: ``Export("database", "DbEndpoint")``."""

    stack: str
    output: str


class Text(NamedTuple):
    """A text with exported values in it: ``${Host}:${Port}``."""

    template: str
    exports: Mapping[str, Export]


Value: TypeAlias = str | Export | Text


class FromSecret(NamedTuple):
    """One value of a JSON secret, which ECS reads as a task starts."""

    secret: Export
    """Its ARN."""
    key: str


class FromParameter(NamedTuple):
    """The environment's SSM parameter of that short name, which ECS reads as a task starts."""

    name: str


class FromArn(NamedTuple):
    """An existing resource by its ARN, in ECS's own form (`valueFrom`)."""

    arn: str


Injected: TypeAlias = FromSecret | FromParameter | FromArn


class Generated(NamedTuple):
    """A JSON secret with one value that Secrets Manager makes: letters and digits, nothing to escape."""

    key: str
    length: int
    beside: Mapping[str, str] = {}
    """The secret's other values."""

    @property
    def keys(self) -> tuple[str, ...]:
        """Names of its values."""
        return (*self.beside, self.key)


class Seeded(NamedTuple):
    """A JSON secret around a generated text that is not the whole value: with a prefix, or in a list."""

    template: str
    """JSON; ``{seed}`` stands where the generated text goes."""
    length: int

    @property
    def keys(self) -> tuple[str, ...]:
        """Names of its values."""
        return tuple(json.loads(self.template))


class Written(NamedTuple):
    """A JSON secret with `PLACEHOLDER` for values that people enter."""

    values: Mapping[str, str]
    """``{region}`` in one of them is the environment's region."""

    @property
    def keys(self) -> tuple[str, ...]:
        """Names of its values."""
        return tuple(self.values)


class OwnSecret(NamedTuple):
    """
    A secret of the environment. How its first value is made is frozen once shipped.

    As soon as one of the properties that make a value changes, a new version replaces what a rotation or a
    person has written ("AWS::SecretsManager::Secret", GenerateSecretString, SecretString).
    """

    name: str
    """Below the environment's prefix: ``master-key``, ``variables/AZURE_API_KEY``."""
    description: str
    value: Generated | Seeded | Written
    reader: Literal["start", "tasks", "nobody"] = "start"
    """Who reads it for the tasks: ECS at their start, their own code by the secret's name, or no one."""
    applied_by: Literal["rollout", "deploy"] = "rollout"
    """The command that applies a value that a person has set."""
    kept: bool = False
    """Whether production keeps it when its stack is deleted: a kept snapshot is useless without it."""
    not_by_hand: str = ""
    """Why no person writes it, and what to do instead ({env}); empty where people may."""
    not_rotated: str = ""
    """Why no function rotates it, and what to do instead ({env})."""
    objection: Callable[[Mapping[str, object]], str | None] | None = None
    """What is wrong with all its values, without repeating one; None: nothing is."""

    @property
    def title(self) -> str:
        """Its logical id: ``MasterKeySecret``; its ARN is exported as ``MasterKeySecretArn``."""
        return f"{camel(self.name.rpartition('/')[2])}Secret"

    @property
    def content(self) -> str:
        """What is in it, in words."""
        return ", ".join(self.value.keys)

    @property
    def arn(self) -> Export:
        """Where its ARN is found."""
        return Export("security", f"{self.title}Arn")


class Program(NamedTuple):
    """One container, and its configuration at the start."""

    name: str
    """Part of its service's, its task family's and its log group's name: ``proxy``."""
    container: str
    command: Callable[[Settings], tuple[str, ...]]
    variables: Callable[[Settings], Mapping[str, Value]]
    injected: Callable[[Settings], Mapping[str, Injected]]
    entry_point: Callable[[Settings], tuple[str, ...]] = lambda _: ()
    """Empty: the image's own."""
    folder: str | None = None
    """The working folder; left out: the image's own."""


class Background(NamedTuple):
    """A further service of the same image, without a load balancer."""

    program: Program
    cpu: int
    memory_mb: int
    tasks: int


class Migration(NamedTuple):
    """What migrates the database's schema for the image, once before tasks of that image start."""

    program: Program
    cpu: int
    memory_mb: int


class ConfigFile(NamedTuple):
    """A file in S3 that tasks fetch at their start; its key follows from its content: an edit rolls them."""

    file: str
    """Name in the built folder."""
    text: Callable[[Settings], str]
    key: Callable[[Settings], str]
    bucket_variable: str
    """The variable with the bucket."""
    key_variable: str
    """The variable with the key."""


class Administration(NamedTuple):
    """The paths for the administration of the system, each with everything below it."""

    paths: tuple[str, ...] = ()
    open_below: tuple[str, ...] = ()
    """Those below them that clients call."""
    lists: tuple[str, ...] = ()
    """Paths that list routes without a key, and that the system itself cannot switch off."""


class OwnRotation(NamedTuple):
    """A rotation that gives the secret's old value to running tasks before the new one becomes current."""

    secret: str
    module: str
    """Of `stacks.functions`."""


def _nothing(_: Settings) -> tuple[()]:
    return ()


def _no_calls(_: Settings) -> Reading:
    return Reading()


class Application(NamedTuple):
    """What runs on the five stacks."""

    title: str
    """What people call it: ``LiteLLM``."""
    secrets: tuple[OwnSecret, ...]
    entrance: Program
    """The program that gets the requests; sized, scaled and deployed by the section `service`."""
    probe: Callable[[int, str], tuple[str, ...]]
    """Port, path -> the container's health check, with what the image has for it."""
    routes: Mapping[int, str]
    """Priority -> path of the listener's rules; all lead to the entrance."""
    answers_at: tuple[str, ...]
    """Open paths that tell from outside whether it runs, the more telling one first."""
    shown: Mapping[str, str]
    """SSM parameter -> the key of the environment file that it shows."""
    read_by_tasks: Mapping[str, str]
    """SSM parameter -> the variable that tasks get from it, where that is not the name in capitals."""
    log_levels: Mapping[str, str]
    """`service.log_level` -> the application's own word for it."""
    reserved: frozenset[str]
    """Variables that `service.environment` may not set: they are set here, or have a meaning here."""
    providers: tuple[str, ...]
    """Model providers that it can call: what `service.providers` may name."""
    first_key: str
    """What `secret get` is asked for to get in for the first time: ``MANAGEMENT_TOKEN``."""
    public_image: str | None = None
    """Its public image; None: there is none, and every user builds one."""
    client_secrets: Mapping[str, str] = {}
    """Identity provider (`sso.provider`) -> variable of its client's secret; empty: no single sign-on."""
    callback: str = ""
    """Path to which an identity provider sends people back."""
    releases: Releases | None = None
    """Known vulnerabilities of its releases; None: there is no such list."""
    database: str | None = None
    """Name of the database and of its administrator; None: it uses none."""
    takes_tokens: bool = False
    """Whether it can log in to its database with tokens of IAM's (`database.iam_authentication`)."""
    background: Callable[[Settings], tuple[Background, ...]] = _nothing
    migration: Migration | None = None
    config: ConfigFile | None = None
    rotation: OwnRotation | None = None
    administration: Administration = Administration()
    """Paths that `alb.admin_cidrs` limits to some addresses."""
    signed_in: tuple[str, ...] = ()
    """Paths that `alb.oidc` requires a sign-in for, each with everything below it; no client calls them."""
    located: Mapping[str, Text] = {}
    """SSM parameter -> what it shows of the database stack's resources; only with a cache."""
    aliases: Mapping[str, str] = {}
    """Output -> the name under which the system's own document has it; both are exported."""
    calls: Callable[[Settings], Reading] = _no_calls
    """The AWS calls that its own configuration implies."""
    confined: Confinement = Confinement()
    """Restrictions on its containers."""
    findings: Callable[[Settings], Iterator[Finding]] = lambda _: iter(())
    """Errors by its own rules about an environment file."""
    advice: Callable[[Settings], Iterator[str]] = lambda _: iter(())
    """Warnings from its own experience."""

    def services(self, settings: Settings) -> Iterator[Program]:
        """Yield the programs that run as services: the one behind the load balancer first."""
        yield self.entrance
        yield from (one.program for one in self.background(settings))

    def programs(self, settings: Settings) -> Iterator[Program]:
        """Yield everything that runs as a task: the services, then the migration."""
        yield from self.services(settings)
        if self.migration:
            yield self.migration.program

    def variable_of(self, parameter: str) -> str:
        """Return the variable that tasks get from *parameter*: ``REDIS_DB`` from ``redis-db``."""
        return self.read_by_tasks.get(parameter, parameter.upper().replace("-", "_"))


def camel(name: str) -> str:
    """Return a short name as part of a logical id: ``ui-password`` and ``UI_PASSWORD`` are ``UiPassword``."""
    return "".join(part.capitalize() for part in name.replace("_", "-").split("-"))
