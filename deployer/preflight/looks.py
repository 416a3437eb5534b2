"""Facts that several checks of a preflight share, each read once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from deployer.cloud import Cloud
from deployer.errors import Refused
from deployer.graph import Graph, graph
from deployer.options import Host
from deployer.preflight import role
from deployer.preflight.account import Account, Identity
from deployer.preflight.demand import Wanted, wanted
from deployer.preflight.role import Place
from deployer.run.leftovers import Scope
from deployer.states import StackState
from deployer.statuses import RESOURCE_GONE, Step, row
from generator.manifest import Manifest


@dataclass
class Looks:
    """Facts that several queries share."""

    manifest: Manifest
    cloud: Cloud
    account: Account
    identity: Identity
    states: Sequence[StackState]
    host: Host
    env: str

    @cached_property
    def order(self) -> Graph:
        """The stacks, each after what it imports from."""
        return graph(self.manifest.stacks)

    @cached_property
    def scope(self) -> Scope:
        """What a deployment of all stacks would be about."""
        return Scope(self.manifest, self.order, tuple(self.states))

    @cached_property
    def found(self) -> tuple[Wanted, ...]:
        """What is still to be created: for a stack that is recreated, everything."""
        held = {
            (state.name, one.logical_id)
            for state in self.states
            if row(state.status).deploy is Step.UPDATE
            for one in self.cloud.resources(state.id)
            if one.status not in RESOURCE_GONE
        }
        return wanted(self.manifest, held)

    @cached_property
    def place(self) -> Place:
        """Where ARNs of this account and region lead."""
        return Place(self.cloud.partition(), self.manifest.region, self.identity.account)

    @cached_property
    def source(self) -> str:
        """The ARN of the role or user that deploys; raises NotAllowed, Refused if it is unknown."""
        name = role.role_name(self.identity, self.manifest.region)
        if name is None:
            return self.identity.arn
        found = self.account.role_arn(name)
        if found is None:
            raise Refused(f"there is no role {name} in this account")
        return found
