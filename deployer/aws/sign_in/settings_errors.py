"""
Errors in a user's AWS settings, as one sentence that names the file or the variable.

Messages of botocore and of credential programs are not repeated: they may contain secrets.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from botocore import exceptions as boto

SETUP = "set up AWS credentials and region, or name another --profile"
FILES = "~/.aws/config or ~/.aws/credentials (AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE)"
OVER = (
    boto.CredentialRetrievalError,
    boto.LoginError,
    boto.RefreshWithMFAUnsupportedError,
    boto.SSOError,
    boto.TokenRetrievalError,
)
"""A login that expired, or was never started."""
REQUEST = (
    boto.ParamValidationError,
    boto.DataNotFoundError,
    boto.UnknownServiceError,
    boto.StubResponseError,
)
"""Errors of one request, independent of the settings."""


class SettingsError(Exception):
    """Something is wrong with the AWS settings; the message is ours."""


REFRESHING = (SettingsError, OSError)
"""Exceptions of botocore's credential chain while it reads files and runs programs."""

LOST = "the AWS login has expired or cannot be renewed: log in again"

_SENTENCES: tuple[tuple[type[Exception], str], ...] = (
    (boto.NoCredentialsError, f"there are no AWS credentials: {SETUP}"),
    (boto.NoRegionError, f"there is no region: {SETUP}"),
    (boto.ProfileNotFound, f"there is no profile {{profile}} in {FILES}: {SETUP}"),
    (boto.ConfigParseError, "{path} cannot be read: it is not an INI file in UTF-8: correct it"),
    (
        boto.PartialCredentialsError,
        "the AWS credentials are incomplete, {cred_var} is missing: set it, or set none of them",
    ),
    (
        boto.InfiniteLoopConfigError,
        f"the profiles of {FILES} name each other in a circle: correct source_profile",
    ),
    (
        boto.InvalidConfigError,
        f"the profile in {FILES} is not complete: see its role_arn, source_profile, sso_session, services",
    ),
    (boto.RefreshWithMFAUnsupportedError, "the AWS login has expired and needs an MFA code: log in again"),
    (boto.SSOError, f"{LOST} (aws sso login)"),
    (boto.TokenRetrievalError, f"{LOST} (aws sso login)"),
    (boto.LoginError, f"{LOST} (aws login)"),
    (KeyError, f"{LOST}: what the last login left in ~/.aws/sso/cache or ~/.aws/login/cache is broken"),
    (
        boto.ParamValidationError,
        "the web identity's token is empty: see AWS_WEB_IDENTITY_TOKEN_FILE and web_identity_token_file",
    ),
)
"""The first that fits; the words in braces are of botocore's exception: names, and no values."""
_PROVIDERS: Mapping[str, str] = {
    "custom-process": "the program of credential_process printed no credentials: run it yourself",
    "container-role": (
        "there are no credentials at AWS_CONTAINER_CREDENTIALS_FULL_URI or "
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: correct it, or unset it"
    ),
    "iam-role": "this machine's role gives no credentials: attach one to the instance, or log in",
}
"""By botocore's name of the provider."""

_VALUE = re.compile(r"(?:Invalid|configured|configuration) value .*?for '?([a-z0-9_]+)", re.DOTALL)
"""Start of botocore's message about a wrong value of a setting (args.py, exceptions.py), up to its name."""


def told(error: Exception) -> str:
    """Return the sentence for *error*, whatever it is."""
    if isinstance(error, SettingsError):
        return str(error)
    found: Mapping[str, Any] = getattr(error, "kwargs", {})
    if isinstance(error, boto.CredentialRetrievalError):
        return _PROVIDERS.get(str(found.get("provider")), LOST)
    if isinstance(error, OSError) and error.filename:
        return f"{_text(error.filename)} cannot be read ({error.strerror}): {_whose(error.filename)}"
    if found_in := _VALUE.search(str(error)) if isinstance(error, boto.BotoCoreError) else None:
        return (
            f"{_setting(found_in[1])} has a value that AWS's settings do not allow: correct it, or unset it"
        )
    unknown = f"the AWS configuration is not valid ({type(error).__name__}): see {_present()}"
    return next((text.format(**found) for kind, text in _SENTENCES if isinstance(error, kind)), unknown)


def endpoint_refused(service: str, error: Exception) -> SettingsError | Exception:
    """Return that the endpoint of *service* is not a URL, if that is what *error* says."""
    named = [name for name in _variables() if name.startswith("AWS_ENDPOINT_URL")]
    if isinstance(error, ValueError) and not isinstance(error, boto.BotoCoreError):
        where = ", ".join(named) or f"endpoint_url in {FILES}"
        return SettingsError(f"the endpoint of {service} is not a URL: write http://HOST:PORT in {where}")
    return error


def _setting(key: str) -> str:
    """Return the variable that sets *key*, a key of the files; the key where none does."""
    name = f"AWS_{key.upper()}"
    return name if name in os.environ else f"{key} in {FILES}"


def _whose(path: Any) -> str:
    """Return which variable or key names the file *path*."""
    naming = [name for name in _variables() if os.environ[name] == _text(path)]
    return f"correct {naming[0]}" if naming else f"correct the profile that names it, in {FILES}"


def _present() -> str:
    """Return the names of the variables that are set, and the files."""
    return ", ".join([*_variables(), FILES])


def _variables() -> list[str]:
    return sorted(name for name in os.environ if name.startswith("AWS_"))


def _text(path: Any) -> str:
    return os.fsdecode(path) if isinstance(path, (str, bytes, os.PathLike)) else str(path)
