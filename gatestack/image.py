"""`image`: builds the image of an environment's tasks, and pushes it to the environment's own repository."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from pathlib import Path

import click

from deployer.aws.registry import Registry
from deployer.errors import DeployError, Refused
from gatestack import programs, telling
from gatestack.account import check_account, clients, connect
from gatestack.base_image import base
from gatestack.cli import Options
from gatestack.environment import Environment, SettingsRefused, resolve
from stacks.checking.image_tag import with_image_tag
from stacks.settings import Settings

FOLDER = Path("image")
"""LiteLLM's Dockerfile."""
PLATFORMS = {"x86_64": "linux/amd64", "arm64": "linux/arm64"}


@dataclass(frozen=True)
class _Build:
    """What is to be built."""

    settings: Settings
    folder: Path
    tag: str
    arguments: tuple[str, ...]
    """Of `docker buildx build`, beside platform, name and folder."""

    def run(self, name: str) -> None:
        """
        Build it as *name*.

        Without provenance it is one image, not an index of two: the repository keeps the last 20.
        """
        platform = PLATFORMS[self.settings.service.architecture]
        flags = ("--load", "--pull", "--provenance=false", "--platform", platform, "--tag", name)
        programs.docker("buildx", "build", *flags, *self.arguments, str(self.folder))


@click.command()
@click.argument("env")
@click.option("--tag", metavar="TAG", help="Its tag; default: the commit that is checked out.")
@click.option("--push", is_flag=True, help="Push it to ENV's repository; a tag that is there is refused.")
@click.option("--keep-existing", is_flag=True, help="With --push: a tag that is there is left as it is.")
@click.option(
    "--context",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=FOLDER,
    show_default=True,
    help="Folder with the Dockerfile of another application than LiteLLM.",
)
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text")
@click.pass_obj
def image(
    options: Options, env: str, tag: str | None, folder: Path, style: str, *, push: bool, keep_existing: bool
) -> int:
    """Build the image that ENV's tasks run, for their architecture; with --push put it where they pull it."""
    environment = resolve(env, options.region)
    settings = _settings(environment, env)
    dockerfile = _dockerfile(environment, folder)
    tag, revision = _named(settings, tag, folder, push=push)
    programs.find_docker()
    place = _place(environment, options, env) if push else settings.repository_name
    if push and connect(environment, options).has_image(settings.repository_name, tag):
        if not keep_existing:
            what = f"{place}:{tag} is there already, and a tag never changes its meaning"
            raise Refused(f"{what}: commit what is new, or give another --tag (or --keep-existing)")
        click.echo(f"{place}:{tag} is there already: it is left as it is", err=True)
        return _told(environment, f"{place}:{tag}", tag, style, pushed=False)
    build = _Build(settings, folder, tag, (*_signed(dockerfile, folder), *revision))
    build.run(f"{place}:{tag}")
    if push:
        _push(environment, options, place, tag)
    return _told(environment, f"{place}:{tag}", tag, style, pushed=push)


def _settings(environment: Environment, env: str) -> Settings:
    """Return the environment's settings; refuses where its tasks pull an image that nobody here builds."""
    if environment.settings is None:
        raise click.UsageError("a rendered folder does not say what to build: give the environment's file")
    name = environment.settings.service.image
    if name != "ecr":
        what = f"{env} runs {name}, which others build and keep"
        raise SettingsRefused(f"{what}: write service.image: ecr for a repository of its own")
    return environment.settings


def _dockerfile(environment: Environment, folder: Path) -> str:
    """Return the Dockerfile's text; refuses LiteLLM's for another application, and a folder without one."""
    path = folder / "Dockerfile"
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}; give its folder with --context") from error
    found = base(text)
    if found and found.name != environment.application.public_image:
        what = f"{path} is LiteLLM's, and {environment.name} runs {environment.application.title}"
        raise Refused(f"{what}: give the folder of its own Dockerfile with --context")
    return text


def _named(settings: Settings, tag: str | None, folder: Path, *, push: bool) -> tuple[str, tuple[str, ...]]:
    """Return the tag, and the label with the commit where the tag is one."""
    revision: tuple[str, ...] = ()
    if tag is None:
        tag, clean = programs.commit_of(folder)
        if push and not clean:
            raise Refused(f"{folder} holds what commit {tag} does not: commit it, or give --tag")
        revision = ("--label", f"org.opencontainers.image.revision={tag}")
    try:
        with_image_tag(settings, tag)
    except ValueError as error:
        raise SettingsRefused(f"--tag {tag}: {error}") from error
    if tag.startswith("sha256:"):
        raise click.BadParameter("a digest names what is there already: give a tag", param_hint="--tag")
    return tag, revision


def _place(environment: Environment, options: Options, env: str) -> str:
    assert environment.settings  # noqa: S101 - a folder was refused
    check_account(environment, connect(environment, options))
    name = environment.settings.repository_name
    place = Registry(clients(environment, options)).place(name)
    if place is None:
        deploy = f"`gatestack deploy {shlex.quote(env)}`"
        raise DeployError(f"the repository {name} is not there: {deploy} makes it, with no tasks yet")
    return place


def _signed(dockerfile: str, folder: Path) -> tuple[str, ...]:
    """Return what makes docker build on exactly what was verified; says so where nobody can verify it."""
    found = base(dockerfile)
    if found is None:
        return ()
    digest = programs.verify(found)
    if digest is not None:
        return ("--build-arg", f"LITELLM_DIGEST={digest}")
    if not found.digest:
        what = f"cosign has not verified {found.reference}, so what the tag means today is built"
        telling.warning(f"{what}: install cosign, or pin LITELLM_DIGEST in {folder / 'Dockerfile'}")
    return ()


def _push(environment: Environment, options: Options, place: str, tag: str) -> None:
    programs.log_in(Registry(clients(environment, options)).log_in(place))
    programs.docker("push", f"{place}:{tag}")
    name = place.partition("/")[2]
    if connect(environment, options).has_image(name, tag) is False:
        raise DeployError(f"docker has pushed {place}:{tag}, and ECR does not have it: push it again")


def _told(environment: Environment, reference: str, tag: str, style: str, *, pushed: bool) -> int:
    if style == "json":
        found = {"environment": environment.name, "image": reference, "tag": tag, "pushed": pushed}
        click.echo(json.dumps(found, indent=2))
    else:
        click.echo(reference)
    telling.variables({"image": reference, "image_tag": tag})
    return 0
