"""CloudFormation's read calls through botocore, with answers as the deployer's types."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any

from deployer.aws import drift as aws_drift
from deployer.aws.budget import Budget
from deployer.aws.edges import Edges
from deployer.aws.endpoint import emulated, is_silent
from deployer.aws.errors import call, is_missing, is_unused
from deployer.aws.paging import pages
from deployer.aws.shapes import (
    change_set_state,
    has_tags,
    resource,
    stack_event,
    stack_state,
    validation_failure,
)
from deployer.changes.comparison import same_template
from deployer.day2.drift_state import Detection, ResourceDrift
from deployer.errors import CloudError, LoginOver, LostSight, Transient
from deployer.states import ChangeSetState, ExportState, Resource, StackEvent, StackState

DELETED_PAGES = 10
"""A hundred stacks each (CloudFormation API Reference, ListStacks)."""

GOES_ON = frozenset({"continue_update_rollback", "delete_stack", "execute_change_set", "rollback_stack"})
"""Calls after which CloudFormation acts with the caller's credentials."""


class Reads(Edges):
    """The reading half of a `deployer.cloud.Cloud`, and its requests to CloudFormation."""

    def __init__(
        self,
        cloudformation: Any,
        clients: Callable[[str], Any],
        region: str,
        *,
        budget: Budget | None = None,
        renew: Callable[[], bool] = lambda: False,
        fresh: Callable[[], bool] = lambda: False,
    ) -> None:
        """
        Without a *budget* every request is made once; *renew* says whether *clients* has a new login.

        So does *fresh*, called before a request whose credentials CloudFormation keeps using.
        """
        super().__init__(clients, region, renew=renew)
        self._client = cloudformation
        self._fresh = fresh
        self._budget = budget
        self._listing_pages = 1
        """Pages of one listing of all stacks of the region."""

    def stacks(
        self, names: Collection[str], ids: Collection[str] = (), tags: Mapping[str, str] | None = None
    ) -> tuple[StackState, ...]:
        """
        Read the stacks once: the whole region, or one by one if that is cheaper or nothing else is allowed.
        """
        found: dict[str, StackState] = {}
        if names and (tags or self._listing_pages <= max(len(names), 2)):
            found = self._listed(set(names), set(ids), tags or {})
        elif names:
            found = {state.id: state for name in names for state in self._described(name)}
        for stack_id in ids:
            if stack_id not in found:
                found |= {state.id: state for state in self._described(stack_id)}
        return tuple(found.values())

    def _listed(
        self, names: Collection[str], ids: Collection[str], tags: Mapping[str, str]
    ) -> dict[str, StackState]:
        try:
            pages = list(self._pages("describe_stacks"))
        except Transient:
            raise
        except CloudError:
            self._listing_pages = 1_000_000
            return {state.id: state for name in names for state in self._described(name)}
        self._listing_pages = len(pages)
        wanted = [
            stack
            for page in pages
            for stack in page["Stacks"]
            if stack["StackName"] in names or stack["StackId"] in ids or has_tags(stack, tags)
        ]
        return {stack["StackId"]: stack_state(stack) for stack in wanted}

    def _described(self, name_or_id: str) -> list[StackState]:
        try:
            answer = self._call("describe_stacks", StackName=name_or_id)
        except CloudError as error:
            if is_missing(error, name_or_id):
                return []
            raise
        return [stack_state(stack) for stack in answer["Stacks"]]

    def deleted(self, names: Collection[str]) -> tuple[StackState, ...]:
        """Return the newest deleted stack of each name; pages beyond a thousand stacks are not read."""
        found: dict[str, str] = {}
        pages = self._pages("list_stacks", StackStatusFilter=["DELETE_COMPLETE"])
        for page in islice(pages, DELETED_PAGES):
            for one in page["StackSummaries"]:
                found.setdefault(one["StackName"], one["StackId"])
            if set(names) <= found.keys():
                break
        ids = [found[name] for name in names if name in found]
        return tuple(state for one in ids for state in self._described(one))

    def change_set(self, change_set_id: str) -> ChangeSetState | None:
        """Return a change set with all its changes."""
        return self._change_set(ChangeSetName=change_set_id)

    def change_set_values(self, change_set_id: str) -> ChangeSetState | None:
        """Return a change set with the values before and after."""
        try:
            return self._change_set(ChangeSetName=change_set_id, IncludePropertyValues=True)
        except CloudError:
            return None

    def _change_set(self, **which: Any) -> ChangeSetState | None:
        try:
            pages = list(self._pages("describe_change_set", **which))
        except CloudError as error:
            if error.code in {"ChangeSetNotFound", "ChangeSetNotFoundException"} or is_missing(error):
                return None
            raise
        changes = [change for page in pages for change in page.get("Changes", ())]
        return change_set_state(pages[0], changes, emulated=emulated(self._client))

    def holds_template(self, change_set: ChangeSetState, template: str) -> bool | None:
        """Whether a change set was made from *template*; some emulators answer with the live one."""
        try:
            found = self._template(ChangeSetName=change_set.id, TemplateStage="Original")
        except Transient:
            raise
        except CloudError:
            if emulated(self._client):
                return None
            raise
        if same_template(found, template):
            return True
        return None if emulated(self._client) and found == self._live_template(change_set.stack_id) else False

    def _live_template(self, stack_id: str) -> str | None:
        try:
            return self.template(stack_id)
        except CloudError:
            return None

    def change_set_names(self, stack_id: str) -> Mapping[str, str]:
        """Return the ids of a stack's change sets, by name."""
        try:
            pages = list(self._pages("list_change_sets", StackName=stack_id))
        except CloudError as error:
            if is_missing(error, stack_id):
                return {}
            raise
        return {one["ChangeSetName"]: one["ChangeSetId"] for page in pages for one in page["Summaries"]}

    def change_set_failures(self, change_set_id: str) -> tuple[str, ...]:
        """Return what validation found; nothing where the endpoint has no such events."""
        try:
            pages = list(self._pages("describe_events", ChangeSetName=change_set_id))
        except CloudError:
            return ()
        texts = [validation_failure(event) for page in pages for event in page.get("OperationEvents", ())]
        return tuple(text for text in texts if text)

    def events(
        self, stack_id: str, after: str | None = None, since: datetime | None = None
    ) -> tuple[StackEvent, ...]:
        """Return the events after *after* and *since*, oldest first; AWS returns them newest first."""
        found: list[StackEvent] = []
        for page in self._pages("describe_stack_events", StackName=stack_id):
            events = [stack_event(event) for event in page["StackEvents"]]
            ids = [event.id for event in events]
            if after in ids:
                found += events[: ids.index(after)]
                break
            found += events
            if since and events and events[-1].time < since:
                break
        unique = {event.id: event for event in found if since is None or event.time >= since}
        return tuple(reversed(unique.values()))

    def resources(self, stack_id: str) -> tuple[Resource, ...]:
        """Return a stack's resources."""
        pages = self._pages("list_stack_resources", StackName=stack_id)
        return tuple(resource(one) for page in pages for one in page["StackResourceSummaries"])

    def template(self, stack_id: str) -> str:
        """Return the template as text; botocore parses JSON ones."""
        return self._template(StackName=stack_id)

    def _template(self, **which: Any) -> str:
        body = self._call("get_template", **which)["TemplateBody"]
        return body if isinstance(body, str) else json.dumps(body)

    def exports(self) -> tuple[ExportState, ...]:
        """Return every export of the region."""
        pages = self._pages("list_exports")
        exports = [one for page in pages for one in page["Exports"]]
        return tuple(ExportState(one["Name"], one["Value"], one["ExportingStackId"]) for one in exports)

    def importers(self, export: str) -> tuple[str, ...]:
        """Return who imports *export*; AWS returns an error if nobody does."""
        try:
            return tuple(
                one for page in self._pages("list_imports", ExportName=export) for one in page["Imports"]
            )
        except CloudError as error:
            if is_unused(error, export):
                return ()
            raise

    def detect_drift(self, stack_id: str) -> str:
        """Start a drift detection."""
        try:
            return str(self._call("detect_stack_drift", StackName=stack_id)["StackDriftDetectionId"])
        except CloudError as error:
            if aws_drift.unknown_call(error):
                raise CloudError("this endpoint has no drift detection", code=error.code) from error
            raise

    def drift_detection(self, detection_id: str) -> Detection:
        """Return the status of a drift detection."""
        status = self._call("describe_stack_drift_detection_status", StackDriftDetectionId=detection_id)
        return aws_drift.detection(status)

    def resource_drifts(self, stack_id: str) -> tuple[ResourceDrift, ...]:
        """Return what the last detection found."""
        return aws_drift.resource_drifts(self._pages, stack_id)

    def resource_drift(self, stack_id: str, logical_id: str) -> ResourceDrift:
        """Detect the drift of one resource, synchronously."""
        which = {"StackName": stack_id, "LogicalResourceId": logical_id}
        return aws_drift.resource(self._call("detect_stack_resource_drift", **which)["StackResourceDrift"])

    def _call(self, method: str, **parameters: Any) -> Any:
        """Send one request, retried as the budget allows, with a new login if this one has expired."""
        if method in GOES_ON and self._fresh():
            self._client = self._clients("cloudformation")
        client = self._client
        try:
            return self._within_budget(client, method, parameters)
        except LostSight:
            if client is self._client and not self._renew():
                raise
            self._client = self._clients("cloudformation")
            return self._within_budget(self._client, method, parameters)

    def _within_budget(self, client: Any, method: str, parameters: Mapping[str, Any]) -> Any:
        def ask() -> Any:
            try:
                return call(client, method, **parameters)
            except Transient as error:
                if not error.code and is_silent(client.meta.endpoint_url):
                    where = f"nothing answers at {client.meta.endpoint_url} any more"
                    raise LoginOver(
                        f"{error}: {where}: start what listened there again, or unset AWS_ENDPOINT_URL"
                    ) from error
                raise

        return ask() if self._budget is None else self._budget.ask(ask, method)

    def _act(self, method: str, **parameters: Any) -> None:
        """Request an operation; an error that the token is already used means that it was accepted before."""
        try:
            self._call(method, **parameters)
        except CloudError as error:
            if error.code != "TokenAlreadyExistsException":
                raise

    def _pages(self, method: str, **parameters: Any) -> Iterator[Mapping[str, Any]]:
        return pages(partial(self._call, method, **parameters), f"cloudformation {method}")
