"""An operation on one resource: create, update in place or replace."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from traceback import format_tb
from typing import Literal

from sandbox.cloudformation import reverting
from sandbox.cloudformation.account import Account
from sandbox.cloudformation.changes import kept_name, replaced
from sandbox.cloudformation.policies import denial
from sandbox.cloudformation.records import Hook, Resource, Stack
from sandbox.cloudformation.runs import Outcome, Report
from sandbox.cloudformation.templates.evaluation import Evaluation, evaluated
from sandbox.cloudformation.templates.template import ResourceSpec
from sandbox.cloudformation.templates.validation import check
from sandbox.errors import ResourceFailure
from sandbox.provisioning import ProvisionError

_LOG = logging.getLogger(__name__)
EXPRESS = (
    "Resource operation completed using Express Mode. It may continue becoming available in the background."
)
"""The reason of a completed resource in express mode (aws/aws-cdk-cli#1689)."""
APPLIED_SECONDS = 5.0
"""Virtual seconds until a configuration is applied, about: a queue with its dead-letter queue takes 10 s, and
64 s in standard mode (AWS News Blog, "Accelerate your infrastructure deployments by up to 4x", June 2026)."""
REPLACING = "Requested update requires the creation of a new physical resource; hence creating one."
CUSTOM_NAMED = (
    "CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename {name} and "
    "update the stack again."
)


class Working:
    """A resource in progress: its time, its faults, its end."""

    verb: Literal["create", "update", "delete"]

    def __init__(self, account: Account, stack: Stack, spec: ResourceSpec) -> None:
        self._account = account
        self._stack = stack
        self._spec = spec
        self._live = True
        self._longer = 0.0
        self._in_use = False
        self._prefix = self.verb.upper()
        self.resource = Resource(spec, "", account.agenda.now())

    def _begin(self, report: Report) -> None:
        self._report = report
        self._fault = self._account.faults.of_resource(
            self.verb, self._spec.logical_id, self._spec.type, self._stack.name
        )
        self._seconds = self._account.provisioner.duration(self._spec.type)
        if self._express:
            self._seconds = min(self._seconds, APPLIED_SECONDS)
        self._seconds += self._fault.seconds if self._fault else 0.0

    @property
    def _express(self) -> bool:
        """
        Whether the resource is complete once its configuration is applied.

        Custom resources are waited for in express mode too (CloudFormation User Guide, "Deploy AWS
        CloudFormation stacks faster with express mode").
        """
        custom = self._spec.type.startswith(("Custom::", "AWS::CloudFormation::CustomResource"))
        return self._stack.operation.options.express and not custom

    def _hooked(self) -> bool:
        """Run a Hook first; returns whether it refuses, which fails the resource."""
        fault = self._fault
        if fault is None or not fault.hook:
            return False
        self._fault = None
        for status, said in (("HOOK_IN_PROGRESS", None), ("HOOK_COMPLETE_FAILED", fault.reason)):
            hook = Hook(fault.hook, status, fault.hook_mode, said)
            self._account.set_resource(self._stack, self.resource, f"{self._prefix}_IN_PROGRESS", hook=hook)
        if fault.hook_mode == "WARN":
            return False
        self._later(0, lambda: self._fail(f"The following hook(s) failed: [{fault.hook}]"))
        return True

    def _later(self, seconds: float, action: Callable[[], None]) -> None:
        self._account.agenda.after(seconds, lambda: action() if self._live else None)

    def _say(self, status: str, reason: str | None = None) -> None:
        self._account.set_resource(self._stack, self.resource, f"{self._prefix}_{status}", reason)

    def _attempt(self, action: Callable[[], None]) -> str | None:
        """Return why *action* failed, or None; a provisioner's own error fails the resource only."""
        self._longer, self._in_use = 0.0, False
        try:
            action()
        except (ProvisionError, ResourceFailure) as error:
            if isinstance(error, ProvisionError):
                self._longer, self._in_use = error.seconds, error.in_use
            return str(error)
        except Exception as error:  # noqa: BLE001 - the stack must end; the message may be secret
            trace = "".join(format_tb(error.__traceback__))
            _LOG.error("%s %s: %s\n%s", self.verb, self._spec.type, type(error).__name__, trace)
            kind = type(error).__name__
            return f"Internal Failure: {kind} in the sandbox's own provisioning of {self._spec.type}"
        return None

    def _succeed(self, action: Callable[[], None] = lambda: None) -> None:
        """Complete with *action*, unless a fault is set or the action fails."""
        if self._fault and self._fault.reason is not None:
            self._fail(self._fault.reason)
            return
        reason = self._attempt(action)
        if reason is not None:
            self._fail_in_time(reason)
        elif not self._awaits():
            self._complete(None)

    def _awaits(self) -> bool:
        """
        Whether the resource is not ready, and waited for; `_complete` is called later.

        In express mode only custom resources are waited for.
        """
        found = self.resource
        if self.verb == "delete" or self._express or found.request is None or found.made is None:
            return False
        return self._account.provisioner.awaits(found.request, found.made, self._complete)

    def _complete(self, reason: str | None) -> None:
        if not self._live:
            return
        if reason is not None:
            self._fail(reason)
            return
        self._say("COMPLETE", EXPRESS if self._express else None)
        self._report(Outcome.DONE)

    def _fail_in_time(self, reason: str) -> None:
        if self._longer:
            self._later(self._longer, lambda: self._fail(reason))
        else:
            self._fail(reason)

    def _fail(self, reason: str) -> None:
        self._say("FAILED", reason)
        self._report(Outcome.FAILED)

    def cancel(self) -> None:
        """Cancel, as a consequence of another failure."""
        self._live = False
        what = "creation" if self.verb == "create" else "update"
        self._say("FAILED", f"Resource {what} cancelled")


class Creating(Working):
    """Creates a resource; for a replacement too, whose events say UPDATE."""

    verb = "create"

    def __init__(self, account: Account, stack: Stack, spec: ResourceSpec, evaluation: Evaluation) -> None:
        super().__init__(account, stack, spec)
        self._evaluation = evaluation

    def start(self, report: Report) -> None:
        """Begin."""
        self._begin(report)
        self._stack.undo.setdefault(self._spec.logical_id, self._stack.resources.get(self._spec.logical_id))
        self._stack.resources[self._spec.logical_id] = self.resource
        self._say("IN_PROGRESS")
        if not self._hooked():
            self._initiate_later()

    def _initiate_later(self) -> None:
        """Create the resource in a moment; events show its id for the rest of its time."""
        self._later(min(1.0, self._seconds / 2), self._initiate)

    def _initiate(self) -> None:
        reason = self._attempt(self._make)
        if reason is not None:
            self._fail_in_time(reason)
            return
        self._say("IN_PROGRESS", "Resource creation Initiated")
        self._later(self._seconds - min(1.0, self._seconds / 2), self._succeed)

    def _make(self) -> None:
        request = self.resource.request or evaluated(self.resource, self._evaluation)
        self._check_required()
        check(self._account.schemas, request)
        self._account.permit(self._stack, "create", request)
        self.resource.made = self._account.provisioner.create(replace(request, express=self._express))

    def _check_required(self) -> None:
        missing = sorted(self._account.schemas.required(self._spec.type) - self.resource.plain.keys())
        if missing:
            listed = ", ".join(f"The property {{/{name}}} is required" for name in missing)
            raise ResourceFailure(f"Property validation failure: [{listed}]")


class Replacing(Creating):
    """Creates the replacement of a resource."""

    def __init__(self, account: Account, stack: Stack, resource: Resource, evaluation: Evaluation) -> None:
        super().__init__(account, stack, resource.spec, evaluation)
        self.resource = resource
        self._prefix = "UPDATE"

    def start(self, report: Report) -> None:
        """Begin."""
        self._begin(report)
        self._say("IN_PROGRESS", REPLACING)
        self._initiate_later()


class Updating(Working):
    """Updates a resource to the wanted state: nothing to do, an update in place, or a replacement."""

    verb = "update"

    def __init__(self, account: Account, stack: Stack, spec: ResourceSpec, evaluation: Evaluation) -> None:
        super().__init__(account, stack, spec)
        self._evaluation = evaluation
        self._deployed = self._before = stack.resources[spec.logical_id]
        self._instead: Replacing | None = None

    def start(self, report: Report) -> None:
        """Compare, and start what is needed."""
        self._report = report
        self.resource.made = self._before.made
        reason = self._attempt(self._evaluate)
        if reason is not None:
            self._take_place()
            self._later(0, lambda: self._fail(reason))
            return
        if self._stack.options.reverts_drift:
            wanted = self.resource.plain
            self._before = reverting.found(self._account, self._stack, self._deployed, wanted).seen
        kind = self._kind()
        if kind is None:
            self._sync()
            self._later(0, lambda: report(Outcome.DONE))
            return
        self._take_place()
        denied = denial(self._stack.policy, f"Update:{kind}", self._spec.logical_id, self._spec.type)
        if denied:
            self._later(0, lambda: self._fail(denied))
        elif kind == "Replace" and (name := self._kept_name()):
            self._later(0, lambda: self._fail(CUSTOM_NAMED.format(name=name)))
        elif kind == "Replace":
            self.resource.made = None
            self._instead = Replacing(self._account, self._stack, self.resource, self._evaluation)
            self._instead.start(report)
        else:
            self._modify(report)

    def _evaluate(self) -> None:
        evaluated(self.resource, self._evaluation)

    def _take_place(self) -> None:
        self._stack.undo.setdefault(self._spec.logical_id, self._deployed)
        self._stack.resources[self._spec.logical_id] = self.resource

    def _sync(self) -> None:
        """Record the template's values if the resource already has them, though not by a deployment."""
        if self._deployed.plain != self.resource.plain:
            self.resource.status, self.resource.time = self._deployed.status, self._deployed.time
            self._take_place()

    def _kind(self) -> str | None:
        old, new = self._before, self.resource
        if old.spec.type != new.spec.type or replaced(
            self._account.schemas, new.spec.type, old.plain, new.plain
        ):
            return "Replace"
        if old.plain != new.plain or old.status.endswith("FAILED"):
            return "Modify"
        tagged = self._account.schemas.tag_property(new.spec.type) is not None
        different = (
            old.request is not None and new.request is not None and old.request.tags != new.request.tags
        )
        return "Modify" if tagged and different else None

    def _kept_name(self) -> str | None:
        old, new = self._before, self.resource
        if old.spec.type != new.spec.type:
            return None
        return kept_name(self._account.schemas, new.spec.type, old.plain, new.plain)

    def _modify(self, report: Report) -> None:
        self._begin(report)
        self._say("IN_PROGRESS")
        if not self._hooked():
            self._later(self._seconds, lambda: self._succeed(self._change))

    def _change(self) -> None:
        request, before = self.resource.request, self._before
        if request is not None and before.request is not None and before.made is not None:
            old = before.request.properties
            check(self._account.schemas, request)
            self._account.permit(self._stack, "update", request, before.made)
            now = replace(request, express=self._express)
            self.resource.made = self._account.provisioner.update(now, old, before.made)

    def cancel(self) -> None:
        """Cancel, as a consequence of another failure."""
        if self._instead:
            self._instead.cancel()
        elif self.resource.status:
            super().cancel()
