"""The caller of a request, and the calls to STS and IAM that create identities."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from werkzeug.wrappers import Request, Response

from sandbox.backing import Backing
from sandbox.clock import Clock
from sandbox.gate import content
from sandbox.logins import ISSUING, Logins
from sandbox.signatures import Signed

if TYPE_CHECKING:  # as in `sandbox.backing`
    from sandbox.access.callers import RoleCaller
    from sandbox.access.sessions import Session

StackOf = Callable[[str, str], str | None]
"""ARN of a change set, region -> the id of its stack."""


class Identities:
    """The callers of a sandbox, by their access keys."""

    def __init__(self, logins: Logins, clock: Clock, backing: Backing, stack_of: StackOf) -> None:
        self._logins = logins
        self._clock = clock
        self._backing = backing
        self._stack_of = stack_of

    def caller(self, request: Request, signed: Signed | None) -> RoleCaller | None:
        """Return the caller, None for an administrator; raises ApiError for a forbidden request."""
        access = self._backing.access
        session = self._logins.session(signed.access_key_id) if signed else None
        caller = access.caller(session) if access else None
        if access and caller and signed:
            call = (request.method, request.full_path, dict(request.headers), content(request))
            access.check(caller, call, signed.region, self._stack_of)
        return caller

    def answer(self, request: Request, signed: Signed | None, start_response: Any) -> Iterable[bytes]:
        """
        Answer a call of STS or IAM; accept the keys that it issues, and no longer those that it deletes.

        Raises:
            ApiError: it is refused.

        """
        form, access = request.values.to_dict(), self._backing.access
        acting = self._logins.acting
        if acting and form.get("Action") == "GetCallerIdentity" and self._logins.is_own(signed):
            return _identity(acting)(request.environ, start_response)
        if access and form.get("Action") == "SimulatePrincipalPolicy":
            simulated = Response(access.simulated(form), mimetype="text/xml")
            return simulated(request.environ, start_response)
        role = access.session(form) if access else None
        answer = Response.from_app(self._backing.services, _again(request))
        if answer.status_code == 200:
            self._logins.called(form)
            if form.get("Action") in ISSUING:
                answer.set_data(self._logins.issued(answer.get_data(), role, self._until(role)))
        return answer(request.environ, start_response)

    def _until(self, role: Session | None) -> float | None:
        """
        Return when *role*'s session ends by its holder's clock, seconds since the epoch; None if it does not.
        """
        if role is None or role.ends is None:
            return None
        return time.time() + (role.ends - self._clock.now()) / getattr(self._clock, "speed", 1.0)


def _identity(session: Session) -> Response:
    """Return the response of GetCallerIdentity for *session* (AWS STS API Reference)."""
    told = (
        '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
        f"<Arn>{escape(session.arn)}</Arn><UserId>AROA{session.role}:{session.name}</UserId>"
        f"<Account>{session.account}</Account></GetCallerIdentityResult><ResponseMetadata><RequestId>"
        "00000000-0000-4000-8000-000000000000</RequestId></ResponseMetadata></GetCallerIdentityResponse>"
    )
    return Response(told, mimetype="text/xml")


def _again(request: Request) -> dict[str, Any]:
    """Return *request* for another application, with a readable body."""
    body = request.get_data(cache=True, parse_form_data=False)
    return {**request.environ, "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
