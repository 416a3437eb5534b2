"""The loopback endpoint, for clients with its key: CloudFormation, `/_sandbox/` for tests, else moto."""

from __future__ import annotations

import json
import socket
import threading
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, partial
from types import TracebackType
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from sandbox.access.sessions import Session
from sandbox.backing import Backing
from sandbox.clock import SPEED, Action, Clock, RealClock
from sandbox.cloudformation import protocol
from sandbox.cloudformation.control import Control
from sandbox.errors import ApiError
from sandbox.faults import CallFault, Faults
from sandbox.gate import CONTROL, Gate, denied, spoilt, without_cors
from sandbox.gateway import Gateway
from sandbox.identities import Identities
from sandbox.key import Key
from sandbox.logins import Logins
from sandbox.provisioning import Caller
from sandbox.rehearsal import pages
from sandbox.signatures import Signed, described
from sandbox.surroundings import Surroundings

_ATTENTION = 0.02
"""Seconds after which a server in a `with` block notices its end."""
_ERRORS = {
    "throttle": ApiError("Throttling", "Rate exceeded"),
    "error": ApiError(
        "InternalFailure", "The request processing has failed because of an unknown error.", 500
    ),
    "expired": ApiError("ExpiredToken", "The security token included in the request is expired", 403),
}
_PAGE = "<!DOCTYPE html><html><head><title>Welcome</title></head><body><p>Not what you want</p></body></html>"


def _refuse(fault: CallFault | None) -> None:
    """Raise ApiError for a fault that is an error of the service."""
    if fault and fault.kind == "refused":
        raise ApiError(fault.code, fault.message, fault.status)
    if fault and fault.kind in _ERRORS:
        raise _ERRORS[fault.kind]


@dataclass(frozen=True)
class Call:
    """One API call that was received."""

    action: str
    stack: str
    time: float  # virtual
    outcome: str  # ok, an error code, or how the connection was dropped


class Sandbox:
    """An AWS account on a loopback port, while the `with` block lasts."""

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        backing: Backing | None = None,
        seed: int = 0,
        port: int = 0,
        key: Key | None = None,
        gateway: Gateway | None = None,
    ) -> None:
        """
        Without a *backing* resources are moto's; without a *key* it generates one.

        With a *gateway* its contents run.
        """
        self.clock: Clock = clock or RealClock()
        self._gate = Gate(key or Key.new(), self.clock.now)
        self.faults = Faults(seed)
        self.calls: list[Call] = []
        self.gateway = gateway
        self._given = backing
        self._server = make_server("127.0.0.1", port, self.app, threaded=True, request_handler=_Quiet)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(_ATTENTION,), daemon=True)

    @property
    def port(self) -> int:
        """The listening port."""
        return int(self._server.server_port)

    @property
    def endpoint(self) -> str:
        """The endpoint for clients."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def key(self) -> Key:
        """The key that clients sign with."""
        return self._gate.key

    @property
    def access_key_id(self) -> str:
        """That key's id."""
        return self.key.access_key_id

    @property
    def secret_access_key(self) -> str:
        """That key's secret."""
        return self.key.secret_access_key

    @property
    def logins(self) -> Logins:
        """Every accepted key: that one, and those that STS and IAM have issued."""
        return self._gate.logins

    @cached_property
    def control(self) -> Control:
        """CloudFormation."""
        backing = self.backing
        given = (self.clock, self.faults, backing.provisioner, backing.schemas, backing.fetch)
        return Control(*given, backing.access.service_role) if backing.access else Control(*given)

    @cached_property
    def _identities(self) -> Identities:
        return Identities(self.logins, self.clock, self.backing, self.control.stack_of)

    @cached_property
    def backing(self) -> Backing:
        """The services behind it; moto is loaded on first use."""
        made = self._given or self._moto()
        made.connect(
            Surroundings(
                self.endpoint, self.clock.now, self._later, self.faults, self._speed, self._login, self.key
            )
        )
        return made

    def _moto(self) -> Backing:
        from sandbox.moto_backing import moto  # noqa: PLC0415 - moto takes most of a second to load

        return moto(self.gateway)

    def _later(self, seconds: float, action: Action) -> None:
        self.control.after(seconds, action)

    def _speed(self) -> float:
        return float(getattr(self.clock, "speed", SPEED))

    def _login(self, role: str, session: str) -> Key:
        return self.logins.of_role(Session(role, session))

    def __enter__(self) -> Sandbox:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def serve(self) -> None:
        """Serve in this thread until the process ends."""
        try:
            self._server.serve_forever()
        finally:
            self.close()

    def close(self) -> None:
        """Stop what runs beside the server."""
        if "backing" in vars(self):  # else closing would create it
            self.backing.close()

    def advance(self, seconds: float) -> None:
        """Jump *seconds* ahead."""
        self.control.advance(seconds)

    def finish(self) -> None:
        """Advance the clock until nothing is in progress, and wait for running functions."""
        self.control.finish()  # a function may wait for the clock
        more = True
        while more:  # an ended function may have left something to do, which may start another one
            more = self.backing.wait()
            more = self.control.finish() or more

    def app(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Handle one request."""
        request, start_response = _Request(environ), without_cors(start_response)
        refusal = self._gate.refusal(request)
        if refusal is not None:
            return refusal(environ, start_response)
        if request.path.startswith(CONTROL):
            return self._gate.prove(request, self._for_tests(request))(environ, start_response)
        signed = described(request) if _is_signed(request) else None
        try:
            caller = self._identities.caller(request, signed)
            if signed is not None and signed.service == "cloudformation":
                return self._cloudformation(request, signed.region, caller)(environ, start_response)
            self.control.settle()
            fault = self.faults.of_service() if signed is not None and not _of_function(request) else None
            if fault:
                return self._spoilt(request, signed, fault)(environ, start_response)
            return self._of_services(request, signed, start_response)
        except ApiError as error:
            return denied(request, error)(environ, start_response)

    def _of_services(self, request: Request, signed: Signed | None, start_response: Any) -> Iterable[bytes]:
        """Handle requests to services other than CloudFormation."""
        if signed is None or signed.service in {"sts", "iam"}:
            return self._identities.answer(request, signed, start_response)
        return self.backing.services(request.environ, start_response)

    def _spoilt(self, request: Request, signed: Signed | None, fault: CallFault) -> Response:
        """Respond to a call with *fault*, or drop it."""
        if fault.kind in ("throttle", "expired"):
            return spoilt(request, fault.kind)
        if fault.kind == "drop-after":
            done = partial(self._of_services, request, signed)
            Response.from_app(lambda _, start: done(start), request.environ, buffered=True)
        return _hung_up(request)

    def _cloudformation(self, request: Request, region: str, caller: Caller | None) -> Response:
        form = request.values.to_dict()
        action, request_id = form.get("Action", ""), str(uuid.uuid4())
        fault = self.faults.of_call(action, self.clock.now())
        kind = fault.kind if fault else ""
        if kind == "drop-before":
            return self._dropped(request, action, form, kind)
        if fault and kind == "page":
            self._log(action, form, kind)
            return Response(_PAGE, fault.status, mimetype="text/html")
        try:
            _refuse(fault)
            params = protocol.parameters(action, form)
            body = protocol.answered(action, self.control.call(action, params, region, caller), request_id)
        except ApiError as error:
            self._log(action, form, error.code)
            return Response(protocol.refused(error, request_id), error.status, mimetype="text/xml")
        if kind == "drop-after":
            return self._dropped(request, action, form, kind)
        self._log(action, form, "ok")
        return Response(body, mimetype="text/xml")

    def _dropped(self, request: Request, action: str, form: dict[str, str], how: str) -> Response:
        self._log(action, form, how)
        return _hung_up(request)

    def _log(self, action: str, form: dict[str, str], outcome: str) -> None:
        self.calls.append(Call(action, form.get("StackName", ""), self.clock.now(), outcome))

    def _for_tests(self, request: Request) -> Response:
        try:
            given = json.loads(request.get_data() or b"{}") if request.method == "POST" else {}
            answer = pages.answer(self, request.path.removeprefix(CONTROL), request.method, given)
        except (ValueError, KeyError, TypeError) as error:
            return _json({"error": str(error)}, 400)
        return _json({"error": "no such page"}, 404) if answer is None else _json(answer)


class _Request(Request):
    """Accepts forms of any size: CloudFormation's own message refuses large ones."""

    max_form_memory_size = None


class _Quiet(WSGIRequestHandler):
    """Logs nothing per request: `calls` has the requests."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing."""


def _hung_up(request: Request) -> Response:
    """Close the connection without a response."""
    request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    return Response()


def _of_function(request: Request) -> bool:
    """Whether a function's code sends it: its login is its role's, and its client names its runtime."""
    return "exec-env/AWS_Lambda" in request.user_agent.string


def _is_signed(request: Request) -> bool:
    """Whether it passed the gate by its signature; others request STS with a token."""
    return "Authorization" in request.headers or bool({"X-Amz-Signature", "Signature"} & request.args.keys())


def _json(answer: Any, status: int = 200) -> Response:
    return Response(json.dumps(answer), status, mimetype="application/json")
