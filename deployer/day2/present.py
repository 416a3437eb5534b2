"""Which stacks of an environment exist: those of its file, and those that the file no longer has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from deployer.cloud import Cloud
from deployer.run.leftovers import short_name, tags_of
from deployer.states import StackState


@dataclass(frozen=True)
class Present:
    """The existing stacks of an environment, by short names."""

    names: Mapping[str, str]
    """CloudFormation's names."""
    states: Mapping[str, StackState | None]
    """None: the stack does not exist."""
    left: tuple[str, ...]
    """Those that the environment no longer has: the next deployment deletes them."""


def present(environment: str, system: str, names: Mapping[str, str], cloud: Cloud) -> Present:
    """
    Look for the stacks *names* (short name -> CloudFormation's name) and, by their tags, for leftovers.

    Raises:
        CloudError: AWS could not be asked at all.

    """
    tags = tags_of(environment, system)
    states = cloud.stacks(list(names.values()), (), tags)
    live = {state.name: state for state in states}
    own = set(names.values())
    left = [state for state in states if state.name not in own and tags.items() <= state.tags.items()]
    left.sort(key=lambda state: state.name)
    more = {short_name(state, names): state for state in left}
    return Present(
        {**names, **{name: state.name for name, state in more.items()}},
        {**{name: live.get(full) for name, full in names.items()}, **more},
        tuple(more),
    )
