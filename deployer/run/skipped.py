"""Resources that a rollback skipped, by consent: their state is read before the update that repairs them."""

from __future__ import annotations

from deployer.cloud import Cloud
from deployer.day2.drift_state import ResourceDrift
from deployer.errors import CloudError, Protected
from deployer.progress import Notice, Tell
from deployer.run.work import Work


def tell_skipped(work: Work, names: tuple[str, ...], tell: Tell) -> None:
    """Report the skipped resources, and what repairs them if this run does not."""
    env = work.desired.env
    text = f"{', '.join(names)} is skipped and may no longer exist: `gatestack drift {env}` shows its state"
    again = f"the next update restores it, or `{work.desired.command} --revert-drift`"
    tell(Notice(f"{text}; {again}", work.name, warning=True))


def measure(work: Work, cloud: Cloud, tell: Tell) -> None:
    """Detect the drift of each skipped resource and report it; no failure stops the run."""
    if work.stack is None or work.drifted is not None:
        return
    found = []
    for name in work.history.skipped:
        try:
            found.append(cloud.resource_drift(work.stack.id, name))
        except CloudError as error:
            tell(Notice(f"the state of {name} is unknown: {error}", work.name, warning=True))
    work.drifted = tuple(found)
    for one in found:
        tell(Notice(f"skipped in the rollback: {_words(one)}", work.name, warning=one.status != "IN_SYNC"))


def check_mended(work: Work) -> None:
    """
    Refuse an update that would fail like the last one: a resource is gone and nothing recreates it.

    Raises:
        Protected: the change set does not revert drift, and a skipped resource is gone.

    """
    gone = [one.logical_id for one in work.drifted or () if one.status == "DELETED"]
    if not gone or work.change_set is None or work.change_set.reverts_drift:
        return
    env = work.desired.env
    what = f"{', '.join(gone)} was deleted, and without drift-aware change sets no update creates it"
    how = f"`gatestack destroy {env} --only {work.name}`, then `{work.desired.command}`"
    raise Protected(f"{what} again; {how}")


def _words(one: ResourceDrift) -> str:
    what = f"{one.logical_id} ({one.type})"
    if one.status == "DELETED":
        return f"{what} was deleted"
    if one.status == "IN_SYNC":
        return f"{what} is unchanged"
    if one.status == "MODIFIED":
        return f"{what} differs from its template in {', '.join(each.path for each in one.properties)}"
    return f"{what} cannot be checked{f': {one.reason}' if one.reason else ''}"
