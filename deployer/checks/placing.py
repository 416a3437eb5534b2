"""The availability zones of a network, existing or new. The only module that reads them."""

from __future__ import annotations

from deployer.checks.zone_needs import Needs, needs_of
from deployer.checks.zones import choose, kept
from deployer.cloud import Cloud
from deployer.errors import Refused
from deployer.lookups import Value
from deployer.run.leftovers import Scope
from deployer.states import StackState
from deployer.statuses import Step, row
from generator.manifest import Lookup, Manifest, StackSpec

RULE = "availability-zones"
GUESSED = "which zones there are cannot be looked up at this endpoint"


def check_zones(found: Scope, cloud: Cloud) -> None:
    """
    Refuse if a new or existing network cannot have the zones that the file names.

    Raises:
        Refused: the message says what is wrong with each zone; nothing was changed.
        CloudError: AWS could not be asked.

    """
    states = {state.name: state for state in found.states or ()}
    for spec in found.manifest.stacks:
        state = states.get(spec.stack_name)
        lives = row(state.status if state else None).deploy not in {Step.CREATE, Step.RECREATE}
        for lookup in spec.lookups if spec.name in found.graph.names else ():
            if lookup.rule == RULE:
                zones_for(found.manifest, spec, lookup, cloud, state if lives else None)


def zones_for(
    manifest: Manifest, spec: StackSpec, lookup: Lookup, cloud: Cloud, stack: StackState | None
) -> Value:
    """
    Return the names of the zones for *lookup* of *spec*: those of the live *stack*, else picked ones.

    A stack that an older gatestack made has no such parameter: its subnets are read instead.

    Raises:
        Refused: no zones fit, or the file wants others than the live ones.
        CloudError: AWS could not be asked.

    """
    wanted = tuple(filter(None, lookup.facts["wanted"].split(",")))
    live = tuple(filter(None, (stack.parameters.get(lookup.parameter, "") if stack else "").split(",")))
    if live and (not wanted or set(wanted) == set(live)):
        return Value(",".join(live))
    needs = needs_of(manifest, spec, lookup.parameter, wanted)
    subnets = () if live or stack is None else _subnets(needs, cloud, stack)
    facts = cloud.zones(needs, subnets)
    if facts is None:
        names = live or tuple(f"{needs.region}{letter}" for letter in "abcdef"[: needs.count])
        return Value(",".join(names), f"{GUESSED}: {', '.join(names)} are taken")
    live = live or tuple(facts.subnets[one] for one in subnets if one in facts.subnets)
    if 0 < len(live) < needs.count and not wanted:
        raise Refused(
            f"{spec.stack_name}: one of {', '.join(needs.subnets)} is gone, and nothing says which zone it "
            "was in: name the zones as network.availability_zones, the first subnet's first (nothing was "
            "changed)"
        )
    if len(live) < needs.count:
        choice = choose(needs, facts)
        return Value(",".join(zone.name for zone in choice.zones), choice.text, warning=bool(choice.unknown))
    if wanted:
        kept(live, needs, facts)
    return Value(",".join(live))


def _subnets(needs: Needs, cloud: Cloud, stack: StackState) -> tuple[str, ...]:
    """Return the ids of the existing subnets, one in each zone."""
    there = {one.logical_id: one.physical_id for one in cloud.resources(stack.id)}
    return tuple(there[name] for name in needs.subnets if there.get(name))
