"""Resolves the names of a stack and a resource in the sandbox."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import click

from deployer.day2.names import near
from gatestack.environment import Environment, resolve


@dataclass(frozen=True)
class Resources:
    """The possible stacks: those in the sandbox, and those that an environment will create."""

    there: Mapping[str, frozenset[str]]
    """Full name of a stack in the sandbox -> the logical ids in it."""
    env: str
    """The environment as the user wrote it; read if the sandbox alone does not suffice."""

    def stack(self, name: str) -> str:
        """
        Return the full name of the stack *name*, short or full.

        Raises:
            UsageError: there is none; the message has the nearest one.
            SettingsRefused: the environment cannot be read.

        """
        if name in self.there:
            return name
        names = self._environment.stack_names
        full = names.get(name, name)
        if full not in names.values():
            known = [*names, *names.values(), *sorted(self.there)]
            raise click.UsageError(f"there is no stack {name}{_near(name, known, names)}")
        return full

    def logical_id(self, stack: str, name: str) -> str:
        """Return *name*, of an existing or future resource of *stack*; raises as `stack` does."""
        there = self.there.get(stack, frozenset())
        known = there if name in there else there | self._planned(stack)
        if name not in known:
            raise click.UsageError(f"stack {stack} has no resource {name}{_near(name, sorted(known), known)}")
        return name

    @cached_property
    def _environment(self) -> Environment:
        return resolve(self.env)

    def _planned(self, stack: str) -> frozenset[str]:
        if stack not in self._environment.stack_names.values():
            return frozenset()
        here = (one for one in self._environment.manifest().stacks if one.stack_name == stack)
        return frozenset(name for one in here for name in json.loads(one.template)["Resources"])


def resources(found: Mapping[str, Mapping[str, Any]], env: str) -> Resources:
    """Return the candidates, from the sandbox's page `stacks` and the environment *env*."""
    stacks = {name: stack for region in found.values() for name, stack in region.items()}
    return Resources({name: frozenset(stack["resources"]) for name, stack in stacks.items()}, env)


def _near(name: str, known: Iterable[str], listed: Iterable[str]) -> str:
    return near(name, known) or f"; there are {', '.join(sorted(listed))}"
