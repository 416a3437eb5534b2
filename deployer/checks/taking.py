"""
Makes a run import what an earlier `destroy` kept, for the stacks that it creates.

Reads once, and only if such a stack keeps resources. Changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from deployer.checks.kept import keeps, matched
from deployer.checks.names import Conflict
from deployer.checks.placing import check_zones
from deployer.checks.taken import check_keys, check_names, conflicts
from deployer.cloud import Cloud
from deployer.errors import NotAllowed, Refused
from deployer.progress import Notice, Tell
from deployer.run.leftovers import Scope, tags_of_environment
from deployer.statuses import Step, row

REPOSITORY = "AWS::ECR::Repository"


def looked_around(found: Scope, cloud: Cloud, tell: Tell, *, fresh: bool) -> Scope:
    """
    Return *found* with what was kept of its new stacks, unless everything is to be *fresh*.

    Raises:
        Refused: a name is taken, a key, a zone or a kept resource cannot be used; nothing was changed.
        CloudError: AWS could not be asked.

    """
    taken = conflicts(found, cloud)
    check_names(found, taken, fresh=fresh)
    check_keys(found, cloud)
    check_zones(found, cloud)
    return found if fresh else with_kept(found, cloud, taken, tell)


def with_kept(found: Scope, cloud: Cloud, taken: Collection[Conflict], tell: Tell) -> Scope:
    """
    Return *found* with what was kept of its new stacks; *taken* are the taken names.

    Raises:
        Refused: a kept resource is unusable or ambiguous; nothing was changed.
        CloudError: AWS could not be asked.

    """
    manifest = found.manifest
    states = {state.name: state.status for state in found.states or ()}
    new = [
        spec
        for spec in manifest.stacks
        if spec.name in found.graph.names
        and row(states.get(spec.stack_name)).deploy in {Step.CREATE, Step.RECREATE}
        and keeps(spec, manifest.region, manifest.account)
    ]
    if not new:
        return found
    own = [one.wanted.name for one in taken if one.own and one.wanted.type == REPOSITORY]
    try:
        things = cloud.kept(tags_of_environment(manifest), own) or ()
    except NotAllowed as error:
        tell(Notice(f"what an earlier destroy kept is not imported: {error}", warning=True))
        return found
    answers = {spec.name: matched(spec, things, manifest.region, manifest.account) for spec in new}
    if doubts := [line for _, lines in answers.values() for line in lines]:
        head = f"{manifest.environment} cannot import what an earlier destroy kept; nothing was changed:"
        last = "or `deploy --fresh` creates everything new, where no name is taken"
        raise Refused("\n  ".join([head, *doubts, last]))
    return replace(found, kept={name: one for name, (one, _) in answers.items() if one})
