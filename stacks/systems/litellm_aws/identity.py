"""
The identity and region of LiteLLM's AWS calls. Pure.

Source: litellm/llms/bedrock/base_aws_llm.py (`get_credentials`, `_get_aws_region_name`): a web identity comes
first, then a role, a profile, keys, and last the tasks' role; each parameter may be a variable AWS_... too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from stacks.calls.call import Call, Grant
from stacks.checking.region_table import REGIONS
from stacks.checking.regions import KNOWN as REGIONS_KNOWN
from stacks.systems.litellm_aws.values import Hidden, Params, Text, Unclear

KEY: Final = "service.config"
ASSUME: Final = "sts:AssumeRole"
_ROLE: Final = r"arn:(aws[a-z-]*):iam::[0-9]{12}:role/[\w+=,.@/-]+"
_OF_AWS: Final = (".amazonaws.com", ".amazonaws.com.cn", ".amazonaws.eu", ".api.aws", ".on.aws")
"""AWS's hosts; any other host is somebody else's: a proxy, or an S3-compatible store."""


class Identity(NamedTuple):
    """Who calls, and where."""

    region: str
    role: str | None = None
    own: bool = True
    """Whether the tasks' role needs the permission itself."""


class Names(NamedTuple):
    """The parameter names of a section: ``s3_aws_role_name`` beside ``s3_region_name``."""

    prefix: str = "aws_"
    region: str = "aws_region_name"
    assumes: bool = True
    """Whether it is more than keys: a role, a profile."""


AWS: Final = Names()
LOGGED: Final = {one: Names(f"{one}_aws_", f"{one}_region_name") for one in ("s3", "sqs")}
KEYS_ONLY: Final = Names("s3_aws_", "s3_region_name", assumes=False)
VARIABLES: Final = Names("", "")
"""The names for sections without parameters."""


def identity(params: Params, allow: str, names: Names = AWS, region: str | None = None) -> Identity:
    """
    Return who calls with *params*, in *region* where they name none, else in the tasks' own.

    *allow* is the needed action.

    Raises:
        Unclear: they do not say, or what they say AWS refuses.

    """
    who = _who(params, names)
    said = params.text(names.region)
    if isinstance(said, Hidden):
        if who.own:
            raise params.unclear(said, names.region, allow)
        said = None
    found = said or region or params.known.variables[_variable("region_name")]
    _check_region(found, params, names.region)
    return Identity(found, who.role, who.own)


class _Who(NamedTuple):
    role: str | None
    own: bool


def _who(params: Params, names: Names) -> _Who:
    has = {one: _value(params, names, one) for one in _PARAMETERS}
    keys = has["access_key_id"] is not None and has["secret_access_key"] is not None
    role = has["role_name"] if names.assumes else None
    if role is not None:
        federated = has["web_identity_token"] is not None and has["session_name"] is not None
        if keys or federated:
            return _Who(None, own=False)
        return _Who(_checked_role(role, params, f"{names.prefix}role_name"), own=False)
    if names.assumes and has["profile_name"] is not None:
        _check_profile(params, f"{names.prefix}profile_name")
        return _Who(None, own=False)
    return _Who(None, own=not keys)


def _value(params: Params, names: Names, parameter: str) -> Text:
    return params.text(f"{names.prefix}{parameter}") or params.known.variable(_variable(parameter))


def _variable(parameter: str) -> str:
    return f"AWS_{parameter.upper()}"


def _checked_role(role: Text, params: Params, name: str) -> str | None:
    if isinstance(role, Hidden):
        raise params.unclear(role, name, ASSUME)
    found = re.fullmatch(_ROLE, str(role))
    if found is None:
        raise Unclear(f"{role} is not the ARN of a role: arn:aws:iam::ACCOUNT:role/NAME", *params.below, name)
    if params.known.settings.region not in REGIONS.get(found[1], ()):
        raise Unclear(
            f"{role} is of the partition {found[1]}, and the tasks are not: no login is good for both",
            *params.below,
            name,
        )
    return found[0]


def _check_profile(params: Params, name: str) -> None:
    """Refuse a profile: it is in a file of a home directory, which a release of LiteLLM's lacks."""
    if params.known.settings.service.image != "ecr":
        raise Unclear(
            "no profile is in LiteLLM's image; write the role as aws_role_name, or leave this out: the tasks "
            "have a role of their own",
            *params.below,
            name,
        )


def _check_region(region: str, params: Params, name: str) -> None:
    own = params.known.settings.region
    if region not in REGIONS_KNOWN:
        raise Unclear(f"{region} is no region of AWS's", *params.below, name)
    if not any({own, region} <= set(one) for one in REGIONS.values()):
        message = f"{region} is in another partition than {own}: no login is good for both"
        raise Unclear(message, *params.below, name)


def is_foreign(params: Params, *names: str, variable: str = "") -> bool:
    """Whether the call goes to another host than AWS's: by one of *names*, or by *variable*."""
    url = params.text(*names) or (params.known.variable(variable) if variable else None)
    if not isinstance(url, str):
        return False
    host = (urlsplit(url if "//" in url else f"//{url}").hostname or "").lower()
    return not host.endswith(_OF_AWS)


def calls(
    who: Identity, params: Params, endpoint: str, *needs: Grant, elsewhere: bool = False
) -> Iterator[Call]:
    """Yield the call, none if it goes *elsewhere*, and before it the one that assumes the role."""
    if who.role:
        assume = Grant("AssumeConfiguredRoles", (ASSUME,), (who.role,))
        yield Call("sts", params.known.settings.region, (assume,), KEY, params.below)
    if not elsewhere:
        yield Call(endpoint, who.region, needs, KEY, params.below, who.role, who.own)


_PARAMETERS = (
    "access_key_id",
    "secret_access_key",
    "role_name",
    "session_name",
    "web_identity_token",
    "profile_name",
)
