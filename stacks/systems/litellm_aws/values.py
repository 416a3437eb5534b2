"""
Values of config.yaml as LiteLLM sees them in a task: references to variables resolved. Pure.

Source: litellm/proxy/proxy_server.py (`load_config`), litellm/secret_managers/main.py (`get_secret`).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import NamedTuple, TypeAlias

from stacks import task_secrets
from stacks.checking import limits
from stacks.settings import Settings
from stacks.systems import application


class Unclear(Exception):  # noqa: N818 - a finding, no error
    """The permission cannot be derived from a value of the file."""

    def __init__(self, message: str, *below: str | int, allow: str = "") -> None:
        """*below*: the place under service.config; *allow*: the action to add to service.task_policy."""
        super().__init__(message)
        self.message, self.below, self.allow = message, below, allow


class Hidden(NamedTuple):
    """A value of a variable that only a task knows."""

    variable: str


Text: TypeAlias = str | Hidden | None


class Known:
    """What the environment file itself sets of the tasks' variables."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def variables(self) -> Mapping[str, str]:
        """Those with their values."""
        service, region = self.settings.service, self.settings.region
        said = {**dict.fromkeys(_REGION, region), **service.environment}
        by_file = service.config.get("environment_variables")
        for name, value in by_file.items() if isinstance(by_file, Mapping) else ():
            text = str(value)
            reference = text.removeprefix(limits.ENVIRONMENT)
            if reference == text:
                said[name] = text
            elif reference in said:
                said[name] = said[reference]
        return said

    @cached_property
    def hidden(self) -> frozenset[str]:
        """Those without: of secrets, of parameters that people change, of outputs of other stacks."""
        service = self.settings.service
        own = application(self.settings.system)
        by_file = service.config.get("environment_variables")
        named = (
            task_secrets.injected(self.settings),
            service.environment_from,
            map(own.variable_of, service.parameters),
            by_file if isinstance(by_file, Mapping) else (),
        )
        return frozenset().union(*named) - self.variables.keys()

    def variable(self, name: str) -> Text:
        """Return what the variable *name* holds in a task; None where nothing sets it."""
        if name in self.variables:
            return self.variables[name]
        return Hidden(name) if name in self.hidden else None


class Params(NamedTuple):
    """One set of parameters of config.yaml: a model's, a callback's."""

    known: Known
    values: Mapping[str, object]
    below: tuple[str | int, ...]
    """Where it stands under service.config."""

    def text(self, *names: str) -> Text:
        """Return the first value that there is of *names*."""
        for name in names:
            value = self.values.get(name)
            if value is None or value == "":
                continue
            text = str(value)
            reference = text.removeprefix(limits.ENVIRONMENT)
            return self.known.variable(reference) or Hidden(reference) if reference != text else text
        return None

    def clear(self, name: str, allow: str) -> str | None:
        """
        Return the value of *name*.

        Raises:
            Unclear: it stands in a variable whose value the environment file does not say.

        """
        found = self.text(name)
        if isinstance(found, Hidden):
            raise self.unclear(found, name, allow)
        return found

    def unclear(self, hidden: Hidden, name: str, allow: str) -> Unclear:
        """Return the sentence about the *hidden* value of *name*."""
        return Unclear(
            f"what {hidden.variable} holds, this file does not say, so no permission follows; write it here, "
            f"or in service.environment, or allow {allow} in service.task_policy",
            *self.below,
            name,
            allow=allow,
        )

    def section(self, name: str) -> Params:
        """Return the parameters below *name*; none where there is something else."""
        value = self.values.get(name)
        return Params(self.known, value if isinstance(value, Mapping) else {}, (*self.below, name))

    def items(self, name: str) -> list[Params]:
        """Return the parameters of each entry of the list *name*."""
        found = self.values.get(name)
        return [
            Params(self.known, one, (*self.below, name, index))
            for index, one in enumerate(found if isinstance(found, list) else ())
            if isinstance(one, Mapping)
        ]

    def over(self, others: Mapping[str, object]) -> Params:
        """Return these parameters, with *others* for those not set here."""
        return Params(self.known, {**others, **self.values}, self.below)


_REGION = ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_REGION_NAME")
"""Of the tasks' own region: Fargate sets the first two, gatestack the third."""
