"""Resolves ENV on the command line to an environment: a file to render, or a folder that is already built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gatestack import telling
from gatestack.options import on_sandbox
from generator import manifest as manifests
from generator.manifest import Manifest, Notified
from stacks import STACKS
from stacks.extensions import ExtensionError
from stacks.systems import MODULES, has_database_stack
from stacks.systems import application as described

if TYPE_CHECKING:
    from stacks.application import Application
    from stacks.settings import Settings

FOLDER = Path("environments")
SANDBOX_ENVIRONMENT = "local"
"""The environment whose commands go to the sandbox, and never to AWS."""


class SettingsRefused(click.ClickException):
    """The environment cannot be read; nothing was changed."""

    exit_code = 2


@dataclass(frozen=True)
class Environment:
    """One environment by name and place; its templates are rendered on demand."""

    name: str
    region: str
    production: bool
    stack_names: Mapping[str, str]
    """Short name -> CloudFormation's name."""
    system: str
    """``litellm``."""
    settings: Settings | None
    rendered: Manifest | None
    file: Path | None = None
    """The settings file."""
    retagged: bool = False
    """Whether the settings have another image tag than the file."""

    @property
    def application(self) -> Application:
        """What the environment consists of: its system, without a database if it uses an existing one."""
        whole = described(self.system)
        return whole._replace(database=None) if self._brings_database else whole

    @property
    def _brings_database(self) -> bool:
        if self.settings:
            return self.settings.database.existing is not None
        there = self.rendered.existing if self.rendered else None
        return there is not None and any(one.key == "database.existing" for one in there.stores)

    @property
    def prefix(self) -> str:
        """The prefix of all its names: ``dev-litellm``."""
        return f"{self.name}-{self.system}"

    @property
    def patched(self) -> Mapping[tuple[str, str], str]:
        """Short name of a stack and logical id -> where and why the file patches that resource."""
        if self.settings:
            patches = [(one.stack, one.resource, one.mark) for one in self.settings.added.patches]
        else:
            stacks = self.rendered.stacks if self.rendered else ()
            patches = [(stack.name, one.resource, str(one)) for stack in stacks for one in stack.patched]
        found: dict[tuple[str, str], str] = {}
        for stack, resource, mark in patches:
            found[stack, resource] = "; ".join(filter(None, [found.get((stack, resource)), mark]))
        return found

    @property
    def notified(self) -> tuple[Notified, ...]:
        """The webhooks that want to be told of deployments."""
        if self.rendered:
            return self.rendered.notify
        assert self.settings  # noqa: S101 - one of the two always exists
        return tuple(Notified(one.where, one.secret, one.events) for one in self.settings.deployment.notify)

    @property
    def session_seconds(self) -> int | None:
        """How long a session of the pipelines' roles lasts; None if no pipeline deploys."""
        hours = self.rendered.session_hours if self.rendered else None
        if self.settings and self.settings.pipelines.configured:
            hours = self.settings.pipelines.session_hours
        return hours * 3600 if hours else None

    def check_account(self, account: str) -> None:
        """Refuse *account* if the environment is for another; raises SettingsRefused."""
        source = self.settings or self.rendered
        if source and source.account not in {None, account}:
            what = f"the credentials are those of account {account}, {self.name} is for {source.account}"
            raise SettingsRefused(f"{what}: log in there, or correct the environment's file")

    def faults(self) -> tuple[str, ...]:
        """
        Return known vulnerabilities of the release, and versions whose support ends soon.

        Raises:
            SettingsRefused: production may not be deployed with that release; what runs it can still be seen,
                changed and destroyed.

        """
        from gatestack.image import release  # noqa: PLC0415 - only what deploys, or comes before that

        day = release.today()
        if self.settings is None:
            return release.of_folder(self.rendered, day) if self.rendered else ()
        found = release.of_file(self.settings, day)
        where = "--image-tag" if self.retagged else "service.image_tag"
        if found.open and self.production:
            refusal = f"{where}: {found.told}: {found.remedy}"
            raise SettingsRefused(refusal if self.retagged else f"{self.file}: {refusal}")
        return (*found.sentences(where), *release.ends(self.settings, day))

    def warn(self) -> None:
        """Warn on stderr of what is allowed but probably a mistake; raises as `faults` does."""
        for fault in self.faults():
            telling.warning(fault)
        if self.settings is None:
            return
        from deployer.changes.unguarded import unguarded  # noqa: PLC0415 - as below
        from stacks.checking.advice import advice  # noqa: PLC0415 - a rendered folder does without settings

        for warning in advice(self.settings):
            telling.warning(warning)
        for one in self.settings.added.stacks:
            for logical_id, sentence in unguarded(one.template):
                telling.warning(f"{one.where(('Resources', logical_id))}: {sentence}")

    def chosen(self, only: str | None) -> Mapping[str, str]:
        """
        Return the stacks that a command is about: the one called *only*, all of them without it.

        Raises:
            UsageError: there is no stack of that name.

        """
        if only is None:
            return self.stack_names
        if only not in self.stack_names:
            raise click.UsageError(f"no stack {only}; {self.name} has {', '.join(self.stack_names)}")
        return {only: self.stack_names[only]}

    def manifest(self) -> Manifest:
        """Return the templates: the reviewed ones of a folder, or freshly rendered ones."""
        if self.rendered:
            return self.rendered
        from generator.render import render  # noqa: PLC0415 - `status` must not wait for troposphere

        assert self.settings  # noqa: S101 - one of the two is always there
        try:
            return render(self.settings)
        except ExtensionError as error:
            raise SettingsRefused(str(error)) from error


def resolve(argument: str, region: str | None = None, *, guesses: bool = True) -> Environment:
    """
    Find the environment that *argument* means, in *region* if one is given.

    *guesses*: if there is none, the message may suggest a similar one; not for commands that delete.

    Raises:
        SettingsRefused: no such file or folder, or it is wrong; the message lists everything that is.

    """
    path = _path(argument)
    try:
        found = _from_folder(path, region) if path.is_dir() else _from_file(path, region, guesses=guesses)
    except ValueError as error:
        raise SettingsRefused(str(error)) from error
    if argument == SANDBOX_ENVIRONMENT != found.name:
        what = f"{path} is for {found.name}, and {SANDBOX_ENVIRONMENT} is the environment of the sandbox"
        raise SettingsRefused(f"{what}: name the file after its environment, or write environment: local")
    if found.settings and found.file:
        from stacks.namesakes import doubt  # noqa: PLC0415 - a rendered folder does without settings

        if doubtful := doubt(found.file, found.settings):
            telling.warning(doubtful)
    return _of_any_account(found) if on_sandbox() else found


def _of_any_account(found: Environment) -> Environment:
    """Return *found* for the sandbox, which accepts any account."""
    if found.rendered:
        return replace(found, rendered=replace(found.rendered, account=None))
    assert found.settings  # noqa: S101 - one of the two is always there
    return replace(found, settings=found.settings.model_copy(update={"account": None}))


def built_folder(argument: str) -> Path | None:
    """Return the folder that *argument* names; None if it names an environment's file."""
    path = _path(argument)
    return path if path.is_dir() else None


def file_named(argument: str) -> Path | None:
    """Return the file that *argument* names, existing or not; None if it names a folder."""
    path = _path(argument)
    return None if path.is_dir() else path


def retagged(environment: Environment, tag: str) -> Environment:
    """
    Return *environment* as if its file said ``service.image_tag: TAG``.

    Raises:
        UsageError: the environment is a rendered folder.
        SettingsRefused: an environment file could not say that tag.

    """
    if environment.settings is None:
        what = "a rendered folder holds its image's tag already"
        raise click.UsageError(f"{what}: give the environment's file, or deploy another folder")
    from stacks.checking.image_tag import with_image_tag  # noqa: PLC0415 - few commands take a tag

    try:
        return replace(environment, settings=with_image_tag(environment.settings, tag), retagged=True)
    except ValueError as error:
        raise SettingsRefused(f"--image-tag {tag}: {error}") from error


def tagged(environment: Environment, tag: str) -> Environment:
    """Return *environment* with an image tag that its file need not allow."""
    assert environment.settings  # noqa: S101 - a folder was refused
    service = environment.settings.service.model_copy(update={"image_tag": tag})
    return replace(environment, settings=environment.settings.model_copy(update={"service": service}))


def _path(argument: str) -> Path:
    named = FOLDER / f"{argument}.yaml"
    path = Path(argument)
    if named.is_file() or not path.exists():
        looks_like_a_path = path.suffix in {".yaml", ".yml"} or len(path.parts) > 1
        return path if looks_like_a_path and not named.is_file() else named
    return path


def _from_file(path: Path, region: str | None, *, guesses: bool) -> Environment:
    from stacks.environment import load  # noqa: PLC0415 - a rendered folder, and --help, do without settings

    settings = load(path, guesses=guesses)
    if region:
        settings = settings.model_copy(update={"region": region})
    here = (stack for stack in STACKS if stack != "database" or has_database_stack(settings))
    names = {stack: settings.stack_name(stack) for stack in here}
    names |= {one.name: settings.stack_name(one.name) for one in settings.added.stacks}
    system = settings.system
    return Environment(
        settings.environment,
        settings.region,
        settings.production,
        names,
        system,
        settings,
        None,
        path,
    )


def _from_folder(path: Path, region: str | None) -> Environment:
    manifest = manifests.read(path)
    if region and region != manifest.region:
        manifest = replace(manifest, region=region)
    names = {stack.name: stack.stack_name for stack in manifest.stacks}
    system = manifest.system
    if system not in MODULES:
        known = ", ".join(MODULES)
        raise ValueError(
            f"{path} is of the system {system}, and this gatestack knows {known}: use another one"
        )
    return Environment(
        manifest.environment,
        manifest.region,
        manifest.production,
        names,
        system,
        None,
        manifest,
    )
