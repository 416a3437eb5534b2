"""
A botocore session whose credential chain always ends: programs have a timeout, prompts need a terminal.

botocore runs a `credential_process` without a timeout and asks for an MFA code wherever stdin is. Both are
limited here on its own providers, also behind a `source_profile`.
"""

from __future__ import annotations

import getpass
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.credentials import ProcessProvider, ProfileProviderBuilder
from botocore.utils import parse_timestamp

from deployer.aws.sign_in.settings_errors import SettingsError

PROGRAM_SECONDS = 120.0
"""Time limit of a `credential_process`: it may ask the user to touch a key."""

_EXCHANGE = "provide-client-params.sts.AssumeRoleWithWebIdentity"
"""botocore's event before the parameters of that call are checked."""
_OURS = re.compile(r"arn:[a-z-]+:iam::\d{12}:role/gatestack-(deploy|plan)-[a-z0-9-]+")
"""The roles that `gatestack bootstrap` makes, whose MaxSessionDuration is the file's `session_hours`."""

Ask = Callable[[str], str]
"""Prompt -> MFA code."""


def opened(
    profile: str | None,
    region: str,
    ask: Ask,
    *,
    seconds: float = PROGRAM_SECONDS,
    session_seconds: int | None = None,
) -> botocore.session.Session:
    """
    Return a session of *profile*; *ask* is asked for MFA codes.

    *session_seconds*: DurationSeconds of a token's exchange for a role of gatestack's. If the settings name
    no region, roles are assumed in *region*.

    Raises:
        SettingsError: a configuration file is a folder, or may not be read, which botocore takes for none;
            there is no such CA bundle, which it would take for a certificate that is not trusted.
        Exception: any that botocore's reading of variables and files lets through.

    """
    session = botocore.session.Session(profile=profile)
    session.user_agent_extra = "gatestack"
    session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_time)
    session.set_default_client_config(Config(defaults_mode="legacy"))  # type: ignore[arg-type] # the stubs take it for a flag
    for name in ("config_file", "credentials_file"):
        _check(Path(session.get_config_variable(name)).expanduser())
    _by_name(session.get_component("data_loader"))
    if bundle := session.get_config_variable("ca_bundle"):
        _check_bundle(bundle)
    if not session.get_config_variable("region"):
        session.set_config_variable("region", region)
    if session_seconds is not None:
        session.register(_EXCHANGE, partial(_ask_for, session_seconds))
    popen = partial(Program, seconds=seconds)
    chain = session.get_component("credential_provider")
    chain.get_provider("custom-process")._popen = popen  # noqa: SLF001 - botocore has no public way
    roles = chain.get_provider("assume-role")
    roles._prompter = ask  # noqa: SLF001 - as above
    roles._profile_provider_builder = _Sources(session, popen)  # noqa: SLF001 - as above
    return session


def _by_name(loader: Any) -> None:
    """
    Make botocore's *loader* treat each of its folders as a service.

    It otherwise checks 400 of them first, which takes 20 ms of each command.
    """
    folders: Callable[[], Iterator[str]] = loader._potential_locations  # noqa: SLF001 - it has no public name

    def listed(type_name: str) -> list[str]:
        del type_name
        return [path.name for one in folders() for path in Path(one).iterdir()]

    loader.list_available_services = listed


def _time(value: Any) -> datetime:
    """
    Return a timestamp of an answer; raises ValueError where it is none.

    The standard library parses ISO 8601, as in CloudFormation's events, a hundred times faster than
    botocore's parser, which reads the rest: a run reads thousands.
    """
    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return parse_timestamp(value)


def _ask_for(seconds: int, params: dict[str, Any], **_: Any) -> None:
    """
    Request a session of so many *seconds*: botocore's provider sets none, and STS then grants an hour.

    Roles not created by `gatestack bootstrap` may allow no more than an hour: none is requested there.
    """
    if _OURS.fullmatch(params.get("RoleArn", "")):
        params.setdefault("DurationSeconds", seconds)


def ask_at_terminal(prompt: str) -> str:
    """
    Ask for an MFA code at the terminal.

    Raises:
        SettingsError: there is none, or nobody answers.

    """
    if _has_terminal():
        try:
            return getpass.getpass(prompt)
        except EOFError:
            pass
    raise SettingsError(
        "the profile's role needs an MFA code (mfa_serial), and there is no terminal to ask for it: run the "
        "command in a terminal, or log in first with session credentials"
    )


def ask_nobody(_prompt: str) -> str:
    """Refuse to ask in the middle of a run; raises SettingsError."""
    raise SettingsError("the AWS login has expired, and a new one needs an MFA code: log in again")


class Program(subprocess.Popen[bytes]):
    """A program that prints credentials, with a timeout of *seconds*."""

    def __init__(self, command: list[str], *, seconds: float, **how: Any) -> None:
        self._seconds = seconds
        self._name = f"the program of credential_process ({command[0] if command else 'empty'})"
        try:
            super().__init__(command, **how)
        except (OSError, ValueError, IndexError) as error:
            why = error.strerror if isinstance(error, OSError) else type(error).__name__
            raise SettingsError(f"{self._name} cannot be run ({why}): correct the profile") from error

    def communicate(self, *_: Any, **__: Any) -> tuple[bytes, bytes]:
        """
        Return its standard output; its standard error is dropped.

        Raises:
            SettingsError: it failed, took too long, or printed something else than a JSON object.

        """
        try:
            out, _said = super().communicate(timeout=self._seconds)
        except subprocess.TimeoutExpired as error:
            self.kill()
            why = f"is not finished after {self._seconds:g} seconds"
            raise SettingsError(f"{self._name} {why}: run it yourself, or log in another way") from error
        if self.returncode:
            why = f"ended with exit code {self.returncode}"
            raise SettingsError(f"{self._name} {why}: run it yourself, or log in another way")
        if not _is_object(out):
            raise SettingsError(
                f"{self._name} printed no JSON object: run it yourself, or log in another way"
            )
        return out, b""


class _Sources(ProfileProviderBuilder):
    """The chain behind a `source_profile`, with the same timeout for programs."""

    def __init__(self, session: botocore.session.Session, popen: Any) -> None:
        super().__init__(session, cache={})
        self._files = lambda: session.full_config
        self._bounded = popen

    def _create_process_provider(self, profile_name: str) -> ProcessProvider:
        return ProcessProvider(profile_name, self._files, popen=self._bounded)


def _check(path: Path) -> None:
    if path.is_dir() or (path.exists() and not os.access(path, os.R_OK)):
        raise SettingsError(f"{path} cannot be read: it has to be a file, and yours to read")


def _check_bundle(bundle: str) -> None:
    if not Path(bundle).exists():
        raise SettingsError(f"{bundle} is not there: AWS_CA_BUNDLE, or ca_bundle of the profile, names it")


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return sys.stdin is not None and sys.stdin.isatty()
    return True


def _is_object(text: bytes) -> bool:
    try:
        return isinstance(json.loads(text.decode("utf-8")), dict)
    except ValueError:
        return False
