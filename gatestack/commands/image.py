"""`image`: builds the image of an environment's tasks, and pushes it to the environment's repository."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from pathlib import Path

import click

from deployer.aws.stores.registry import Registry
from deployer.errors import DeployError, Refused
from gatestack import telling
from gatestack.account import check_account, clients, connect, login
from gatestack.environment import Environment, SettingsRefused, resolve
from gatestack.image import programs, release
from gatestack.image.base_image import FOLDER, Base, bases, is_of_litellm
from gatestack.image.pin_image import pin as pinned
from gatestack.options import ENV, FORMAT, Options
from gatestack.repository.shipped import IMAGE
from stacks.checking.image_tag import with_image_tag
from stacks.settings import Settings

PLATFORMS = {"x86_64": "linux/amd64", "arm64": "linux/arm64"}


@dataclass(frozen=True)
class _Build:
    """The build of an image."""

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
@ENV
@click.option(
    "--tag", metavar="TAG", help="Image tag (default: the commit; LiteLLM's release without image/)."
)
@click.option("--push", is_flag=True, help="Push it to ENV's repository; an existing tag is refused.")
@click.option("--keep-existing", is_flag=True, help="With --push: an existing tag is left unchanged.")
@click.option(
    "--context",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=FOLDER,
    show_default=True,
    help="Folder with another Dockerfile; without image/, that of the installed gatestack is used.",
)
@click.option(
    "--unverified",
    is_flag=True,
    help="In a terminal, without cosign: build on the digest that the Dockerfile pins, unverified.",
)
@click.option(
    "--pin", is_flag=True, help="Verify the Dockerfile's release, and write its digest there; build nothing."
)
@FORMAT
@click.pass_obj
def image(
    options: Options,
    env: str,
    tag: str | None,
    folder: Path,
    style: str,
    *,
    push: bool,
    keep_existing: bool,
    unverified: bool,
    pin: bool,
) -> int:
    """Build ENV's container image for its architecture; with --push, push it to ENV's ECR repository."""
    environment = resolve(env, options.region)
    if pin:
        _judge(environment, _bases(environment, folder), folder)
        click.echo(pinned(folder / "Dockerfile"))
        return 0
    settings = _settings(environment, env)
    if push and options.sandbox:
        what = "docker reaches no registry of the sandbox's"
        image = f"{settings.repository_name}:{tag or 'TAG'}"
        raise Refused(f"{what}: `gatestack local provide image {image}` puts it there")
    folder = IMAGE if folder == FOLDER and not folder.exists() else folder
    found = _bases(environment, folder)
    if folder == IMAGE and found and tag is None:
        tag = found[0].release  # without a commit that identifies the content
    tag, revision = _named(settings, tag, folder, push=push)
    _judge(environment, found, folder, tag)
    programs.find_docker()
    _check_verifiable(found, folder, env, unverified=unverified)
    place = _place(environment, options, options.called(env)) if push else settings.repository_name
    if push and connect(environment, options).has_image(settings.repository_name, tag):
        if not keep_existing:
            what = f"{place}:{tag} exists already, and tags are immutable"
            raise Refused(f"{what}: commit what is new, or give another --tag (or --keep-existing)")
        click.echo(f"{place}:{tag} exists already: it is left unchanged", err=True)
        return _told(environment, f"{place}:{tag}", tag, style, pushed=False)
    digests = [_verify(one, folder, env) for one in found]
    verified = tuple(f"--build-arg=LITELLM_DIGEST={one}" for one in digests if one)
    build = _Build(settings, folder, tag, (*revision, *verified))
    build.run(f"{place}:{tag}")
    if push:
        _push(environment, options, place, tag)
    return _told(environment, f"{place}:{tag}", tag, style, pushed=push)


def _settings(environment: Environment, env: str) -> Settings:
    """Return the environment's settings; refuses if its tasks use an image that is not built here."""
    if environment.settings is None:
        raise click.UsageError("a rendered folder does not say what to build: give the environment's file")
    name = environment.settings.service.image
    if name != "ecr":
        what = f"{env} runs {name}, which others publish"
        raise SettingsRefused(f"{what}: write service.image: ecr for a repository of its own")
    return environment.settings


def _bases(environment: Environment, folder: Path) -> tuple[Base, ...]:
    """Return the base releases of LiteLLM; refuses them for another application."""
    path = folder / "Dockerfile"
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise Refused(f"{path} cannot be read: {why}; give its folder with --context") from error
    found = bases(text)
    if found and not is_of_litellm(environment.application.public_image):
        what = f"{path} is LiteLLM's, and {environment.name} runs {environment.application.title}"
        raise Refused(f"{what}: give the folder of its own Dockerfile with --context")
    return found


def _judge(environment: Environment, found: tuple[Base, ...], folder: Path, tag: str = "") -> None:
    """Refuse for production a base release with known vulnerabilities; warn of it elsewhere."""
    settings = environment.settings
    if settings is None:
        return
    named = (one for one in found if one.release)  # without one it is refused elsewhere
    built_on = {f"{folder / 'Dockerfile'} builds on {one.tagged}": (one.name, one.release) for one in named}
    if not found and tag:
        built_on = {f"--tag {tag}": ("ecr", tag)}
    for where, (name, release_tag) in built_on.items():
        judged = release.of_base(settings, name, release_tag, release.today())
        if judged.open and environment.production:
            raise SettingsRefused(f"{where}: {judged.told}: {judged.remedy}")
        for said in judged.sentences(where):
            telling.warning(said)


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
        raise click.BadParameter("a digest names an existing image: give a tag", param_hint="--tag")
    return tag, revision


def _place(environment: Environment, options: Options, called: str) -> str:
    assert environment.settings  # noqa: S101 - a folder was refused
    check_account(environment, connect(environment, options))
    name = environment.settings.repository_name
    place = Registry(clients(environment, options)).place(name)
    if place is None:
        deploy = f"`gatestack deploy {called}`"
        raise DeployError(f"the repository {name} does not exist: {deploy} creates it, with no tasks yet")
    return place


def _check_verifiable(found: tuple[Base, ...], folder: Path, env: str, *, unverified: bool) -> None:
    """Refuse what is not pinned, and what cannot be verified here, unless the user accepts that."""
    path = folder / "Dockerfile"
    for one in found:
        if one.missing:
            raise Refused(f"{path} builds on {one.name} and does not name {one.missing}")
        left_out = one.unpinned and len(found) == 1 and programs.has_cosign()
        if not one.pinned and not left_out:
            what = f"{path} builds on {one.tagged} without its digest"
            raise Refused(f"{what}: {_pin_command(env, folder)} verifies it and writes its LITELLM_DIGEST")
    if not found or programs.has_cosign():
        return
    install = "install cosign (`gatestack docs image`)"
    if telling.on_agent():
        raise Refused(f"cosign is not on the PATH, and a pipeline builds nothing unverified: {install}")
    if not unverified:
        raise Refused(
            f"cosign is not on the PATH to verify {found[0].tagged}: {install}, or give --unverified"
        )


def _pin_command(env: str, folder: Path) -> str:
    """Return the command that pins the release of the Dockerfile in *folder*."""
    context = () if folder == FOLDER else ("--context", str(folder))
    return f"`{shlex.join(('gatestack', 'image', env, '--pin', *context))}`"


def _verify(one: Base, folder: Path, env: str) -> str | None:
    """
    Accept only releases whose tag is signed and refers to the digest that is built on.

    Returns the digest missing in the Dockerfile.
    """
    if not programs.has_cosign():
        what = f"it is not verified that {one.digest} is {one.tagged}, signed by LiteLLM"
        telling.warning(f"{what}: the image is built on the digest that {folder / 'Dockerfile'} pins")
        return None
    digest = programs.verify(one)
    if one.unpinned:
        what = f"{folder / 'Dockerfile'} pins no digest: {one.tagged} is {digest} today"
        telling.warning(f"{what}; {_pin_command(env, folder)} writes it there, to be committed")
        return digest
    if digest != one.digest:
        what = f"{one.tagged} is {digest}, and {folder / 'Dockerfile'} pins {one.digest}: nothing is built"
        again = f"If you have changed the release, run {_pin_command(env, folder)}"
        raise DeployError(f"{what}. {again}; otherwise the tag has moved")
    return None


def _push(environment: Environment, options: Options, place: str, tag: str) -> None:
    programs.log_in(Registry(clients(environment, options)).log_in(place))
    login(environment, options).asked = True  # by docker
    programs.docker("push", f"{place}:{tag}")
    name = place.partition("/")[2]
    if connect(environment, options).has_image(name, tag) is False:
        raise DeployError(f"docker has pushed {place}:{tag}, and ECR does not have it: push it again")


def _told(environment: Environment, reference: str, tag: str, style: str, *, pushed: bool) -> int:
    if style == "json":
        found = {"environment": environment.name, "image": reference, "tag": tag, "pushed": pushed}
        telling.document(json.dumps(found, indent=2))
    else:
        click.echo(reference)
    telling.variables({"image": reference, "image_tag": tag})
    return 0
