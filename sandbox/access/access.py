"""Access for callers that are not administrators: STS sessions, API calls, CloudFormation's own calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from sandbox.access import wire
from sandbox.access.callers import Known, RoleCaller
from sandbox.access.policies import Request
from sandbox.access.roles import Roles
from sandbox.access.sessions import Session
from sandbox.access.simulation import simulated
from sandbox.errors import invalid
from sandbox.resources.schema import ProviderSchemas
from sandbox.services.services import Services
from sandbox.surroundings import Surroundings

_FOR_ALL = frozenset({"sts:GetCallerIdentity"})
"""The resource types without needed permissions, by its reference."""
_TAKES_A_ROLE = frozenset({"AssumeRole", "AssumeRoleWithWebIdentity"})
HOUR_SECONDS = 3600
"""Default duration of a session, without DurationSeconds (AWS STS API Reference)."""


class Access:
    """
    The callers of one account whose policies are evaluated: sessions of roles in its IAM.

    A missing role can be assumed all the same, and may do everything, as may the sandbox's own key. Of
    resource policies, only those of keys are evaluated.
    """

    def __init__(self, services: Services, schemas: ProviderSchemas) -> None:
        self._services = services
        self._roles = Roles(services)
        self._known = Known(self._roles, services.tagged, schemas, self._around)

    def caller(self, session: Session | None) -> RoleCaller | None:
        """Return who *session* is; None for an administrator."""
        if session is None or not self._roles.exists(session.role):
            return None
        return RoleCaller(session, self._known)

    def service_role(self, arn: str) -> RoleCaller:
        """
        Return CloudFormation as the role *arn*, for as long as its operations last.

        Raises:
            ApiError: the role is missing, or does not trust CloudFormation (CloudFormation User Guide,
                "CloudFormation service role"; words: awslabs/aws-sam-codepipeline-cd issue 22).

        """
        if not self._roles.trusts(arn.rpartition("/")[2], "cloudformation.amazonaws.com"):
            raise invalid(f"Role {arn} is invalid or cannot be assumed")
        return RoleCaller(Session(arn, "AWSCloudFormation"), self._known)

    def acting(self, role: str) -> Session:
        """
        Return a session of *role*, a name or an ARN, that does not end.

        Raises:
            ValueError: there is no such role, or a policy of it holds what is not evaluated here.

        """
        name = role.rpartition("/")[2]
        if not self._roles.exists(name):
            raise ValueError(f"there is no role {name}")
        self._roles.check(name)
        return Session(self._roles.arn(name), "gatestack")

    def roles(self) -> list[str]:
        """Return the names of the account's roles."""
        return self._roles.names()

    def session(self, form: Mapping[str, str]) -> Session | None:
        """
        Return the session that a call of STS requests, None if it requests no role's.

        Raises:
            ApiError: it would last longer than the role allows.

        """
        if form.get("Action") not in _TAKES_A_ROLE or "RoleArn" not in form:
            return None
        seconds, arn = int(form.get("DurationSeconds", HOUR_SECONDS)), form["RoleArn"]
        role = arn.rpartition("/")[2]
        if self._roles.exists(role) and seconds > self._roles.longest(role):
            raise invalid("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
        around = self._around()
        ends = around.now() + seconds if around.faults.behaviour.sessions_end else None
        return Session(arn, form.get("RoleSessionName", ""), ends)

    def check(
        self,
        caller: RoleCaller,
        call: tuple[str, str, Mapping[str, str], bytes],
        region: str,
        stack_of: Callable[[str, str], str | None],
    ) -> None:
        """
        Authorize the *call* of *caller*: method, path, headers, body.

        A change set is authorized by its stack, *stack_of* it and its region, also if the call names only the
        change set.

        Raises:
            ApiError: the caller may not.

        """
        for one in self._asked(call, region):
            named = str(one.context.get("cloudformation:ChangeSetName", ""))
            stack = stack_of(named, region) if one.resource == "*" and named.startswith("arn:") else None
            caller.asks(replace(one, resource=stack) if stack else one, region)

    def simulated(self, form: Mapping[str, str]) -> str:
        """Answer SimulatePrincipalPolicy; raises ApiError."""
        return simulated(self._roles, form, self._services.account)

    def _asked(self, call: tuple[str, str, Mapping[str, str], bytes], region: str) -> Iterable[Request]:
        found = wire.requests(*call, self._services.account, region)
        return (one for one in found if one.action not in _FOR_ALL)

    def _around(self) -> Surroundings:
        return self._services.surroundings
