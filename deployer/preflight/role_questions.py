"""Asks IAM what the deploying role may do, and which service-linked roles exist. Read-only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from deployer.day2.health import Question
from deployer.day2.verification import Check
from deployer.errors import CloudError, NotAllowed, Refused
from deployer.preflight import role, service_roles
from deployer.preflight.looks import Looks
from deployer.preflight.role import Batch


def role_questions(looks: Looks) -> Iterator[Question]:
    """Yield a question for each batch of requests; none where the one who deploys cannot be simulated."""
    try:
        source = looks.source
    except Refused as error:
        why = str(error)
        yield Question("role", lambda: (Check("role", "warning", f"cannot be simulated: {why}", _AS_ROLE),))
        return
    except CloudError as error:
        yield from _unsimulated(error)
        return
    if not _can_be_simulated(source):
        what = f"{source.rpartition(':')[2]} cannot be simulated"
        yield Question("role", lambda: (Check("role", "warning", what, _AS_ROLE),))
        return
    for batch in role.batches(looks.manifest, looks.found, looks.place):
        yield Question("role", partial(_judged, looks, source, batch))
    yield Question("service roles", partial(_service_roles, looks, source))


_AS_ROLE = "check it with the role or user that deploys"


def _can_be_simulated(source: str) -> bool:
    """Whether IAM simulates *source*: a role or a user, no root user and no federated one."""
    return source.rpartition(":")[2].startswith(("role/", "user/"))


def _unsimulated(error: CloudError) -> Iterator[Question]:
    def fail() -> Sequence[Check]:
        raise error

    yield Question("role", fail)


def _judged(looks: Looks, source: str, batch: Batch) -> Sequence[Check]:
    decisions = looks.account.simulate(source, batch.requests, batch.context)
    return tuple(role.judged(source, batch, decisions))


def _service_roles(looks: Looks, source: str) -> Sequence[Check]:
    """Look for the services' own roles; of missing ones, ask whether they can be created."""
    wanted_roles = service_roles.needed(looks.found)
    there = {service for service, name in wanted_roles if looks.account.role_arn(name) is not None}
    found = list(service_roles.present(there))
    for batch in role.linking(
        [one for one, _ in wanted_roles if one not in there], looks.manifest, looks.place
    ):
        service = batch.requests[0].why
        try:
            judged = role.judged(source, batch, looks.account.simulate(source, batch.requests, batch.context))
        except NotAllowed as error:
            found.append(service_roles.unjudged(service, str(error)))
        else:
            found += [service_roles.absent(service, one) for one in judged]
    return found
