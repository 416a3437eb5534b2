"""SSM Parameter Store for `deployer.day2.parameters`. Only `decrypted` decrypts."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from deployer.aws.endpoint import ask
from deployer.aws.paging import pages
from deployer.aws.sign_in.login import Clients
from deployer.day2.parameters import HIDDEN, SECURE, Parameter
from deployer.errors import CloudError, NotAllowed, NotOffered, Transient

LABEL = "gatestack"
"""Label of the version that gatestack wrote last."""


def decrypted(clients: Clients, name: str) -> str | None:
    """Return the value of the parameter *name*, also of a SecureString; None where there is none."""
    try:
        answer = ask(clients("ssm"), "get_parameter", Name=name, WithDecryption=True)
    except CloudError as error:
        if error.code == "ParameterNotFound":
            return None
        raise
    return str(answer["Parameter"]["Value"])


class Parameters:
    """A `ParameterStore`: the parameters under one path of one account and region."""

    def __init__(self, clients: Clients, path: str) -> None:
        """*path*: ``/dev-litellm``."""
        self._client = clients("ssm")
        self._path = path

    def all(self) -> tuple[Parameter, ...]:
        """Return all of them, by name."""
        found: list[Parameter] = []
        question = partial(ask, self._client, "get_parameters_by_path", Path=self._path, Recursive=True)
        for page in pages(question, "ssm get_parameters_by_path"):
            found += [self._parameter(one) for one in page["Parameters"]]
        return tuple(sorted(found, key=lambda one: one.name))

    def get(self, name: str) -> Parameter | None:
        """Return the one called *name*; None where there is none."""
        try:
            return self._parameter(ask(self._client, "get_parameter", Name=self._full(name))["Parameter"])
        except CloudError as error:
            if error.code == "ParameterNotFound":
                return None
            raise

    def put(self, name: str, value: str) -> bool:
        """
        Make or overwrite the text *name*; returns whether that version could be labelled as gatestack's.

        A label belongs to one version: one that somebody else writes has none (SSM User Guide, "Working with
        parameter labels"). CloudFormation knows no labels, so it is no drift itself.
        """
        full = self._full(name)
        put = {"Value": value, "Type": "String", "Overwrite": True}
        version = ask(self._client, "put_parameter", Name=full, **put)["Version"]
        label = {"ParameterVersion": version, "Labels": [LABEL]}
        try:
            ask(self._client, "label_parameter_version", Name=full, **label)
        except (NotAllowed, NotOffered):
            return False
        return True

    def is_own(self, name: str) -> bool:
        """Whether the current value of the parameter *name* (in full) was written by `put`."""
        try:
            now, own = (
                ask(self._client, "get_parameter", Name=one)["Parameter"]["Version"]
                for one in (name, f"{name}:{LABEL}")
            )
        except CloudError as error:
            if isinstance(error, Transient):
                raise
            return False
        return bool(now == own)

    def _full(self, name: str) -> str:
        return f"{self._path}/{name}"

    def _parameter(self, answer: Mapping[str, Any]) -> Parameter:
        return Parameter(
            name=answer["Name"].removeprefix(f"{self._path}/"),
            value=HIDDEN if answer["Type"] == SECURE else answer["Value"],
            type=answer["Type"],
            modified=answer["LastModifiedDate"],
            arn=answer["ARN"],
        )
