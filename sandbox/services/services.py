"""
The AWS services of the sandbox: moto's backends as one WSGI application, and in-process clients.

moto's own CloudFormation is never used. Backends load on first use. moto has one state per process, by
account and region: two `Services` share it if they share an account number.
"""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Iterable, Mapping
from functools import cache, partial
from typing import Any, ClassVar, Protocol
from urllib.parse import unquote, urlsplit
from weakref import WeakSet

from botocore import UNSIGNED
from botocore.awsrequest import AWSResponse
from botocore.config import Config

from sandbox.access.tagged import Tagged
from sandbox.database_engines import DatabaseEngines, Records
from sandbox.descriptions import session
from sandbox.gateway import Gateway
from sandbox.rules import databases
from sandbox.rules.quotas.held import Quotas
from sandbox.services import engine_versions
from sandbox.services.bucket_policies import put_by_api
from sandbox.services.database_hosts import closed
from sandbox.services.database_snapshots import INSIDE, Snapshots
from sandbox.services.database_storage import REGION_OF, Disks, refusal
from sandbox.services.functions.records import Function, Functions
from sandbox.services.functions.runs import Runs
from sandbox.services.hosted_zones import Zones
from sandbox.services.json_api import Wsgi, in_front
from sandbox.services.one_off_tasks import OneOffTasks
from sandbox.services.proxies import Proxies
from sandbox.services.rotation import Rotations
from sandbox.services.service_tasks import ServiceTasks
from sandbox.services.zone_offers import ZoneOffers
from sandbox.surroundings import Surroundings

ACCOUNT = "123456789012"
"""moto's default account."""
ENDPOINT = "http://127.0.0.1"
"""Never contacted: the clients' requests are answered before they are sent."""
_CONFIG = Config(
    s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}, signature_version=UNSIGNED
)
_CREDENTIAL = "AWS4-HMAC-SHA256 Credential={}/20000101/{}/{}/aws4_request, SignedHeaders=host, Signature=none"
"""The part of a signature with service and region; nothing here verifies signatures."""


class Beside(Protocol):
    """A part beside moto that observes or answers some of the calls."""

    def in_front(self, moto: Wsgi) -> Wsgi:
        """Return an application that passes the rest to *moto*."""

    def clear(self) -> None:
        """Forget everything."""

    def close(self) -> None:
        """Stop what runs."""


class Services:
    """moto's services of one account, for our own calls (`client`) and for the server in front (`app`)."""

    _there: ClassVar[WeakSet[Services]] = WeakSet()
    """All of this process, as moto's state is shared by the process."""

    def __init__(self, account: str = ACCOUNT, gateway: Gateway | None = None) -> None:
        _configure()
        from sandbox.services import moto_app  # noqa: PLC0415 - 0.6 s that only a running sandbox should pay

        self.account, self.gateway = account, gateway
        self.surroundings = Surroundings()
        self.tagged = Tagged()
        self._clients: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()
        self.functions, self.runs, self._proxies = Functions(), Runs(), Proxies(self)
        self._disks, self._snapshots = Disks(self), Snapshots(self)
        self.engines: DatabaseEngines = Records()
        self._zones, self.offers = Zones(self.hosted_zone), ZoneOffers(self)
        self.service_tasks, self._tasks = self._ecs()
        self.quotas = Quotas(self)
        self._rotations = Rotations(self, self.functions, self.runs, self._variables)
        parts = (self._rotations, self.service_tasks, self._tasks, self.quotas)
        operations = {name: operation for part in parts for name, operation in part.operations.items()}
        self._json = in_front(operations, moto_app.application())
        self._beside: list[Beside] = []
        self._there.add(self)

    def app(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one WSGI request to AWS's services in this account."""
        form = _form(environ)
        if engine_versions.asked(form):
            start_response("200 OK", [("Content-Type", "text/xml")])
            return [engine_versions.answer(form)]
        if b"Action=DescribeAccountAttributes" in form and (of_rds := self._of_rds(environ)):
            start_response("200 OK", [("Content-Type", "text/xml")])
            return [of_rds]
        for before in (self._rules, self._disks.before, self._snapshots.before, self.engines.before):
            if (refused := before(environ, form)) is not None:
                start_response("400 Bad Request", [("Content-Type", "text/xml")])
                return [refused]
        offered = self.offers.answer(form, environ.get("HTTP_AUTHORIZATION", ""))
        if offered is not None:
            start_response(offered[0], [("Content-Type", "text/xml")])
            return [offered[1]]
        if not put_by_api(environ):
            start_response("204 No Content", [])
            return []
        environ["HTTP_X_MOTO_ACCOUNT_ID"] = self.account
        self._zones.before(environ["PATH_INFO"])
        answered = self._json(environ, start_response)
        self._snapshots.after(environ, form)
        self.engines.after(environ, form)
        return answered

    def _rules(self, environ: Mapping[str, Any], form: bytes) -> bytes | None:
        """Return RDS's refusal of an invalid request, independent of existing resources."""
        found = REGION_OF.search(environ.get("HTTP_AUTHORIZATION", ""))
        if b"DB" not in form or found is None:
            return None
        refused = databases.refused(form, found[1], lambda: self.backend("rds", found[1]))
        return refusal(refused.message, refused.code) if refused else None

    def _ecs(self) -> tuple[ServiceTasks, OneOffTasks]:
        """Return the implementation of tasks: running ones, if the sandbox has a gateway."""
        if self.gateway is None:
            services = ServiceTasks(self, self._proxies.restarted)
            return services, OneOffTasks(self, services)
        from sandbox.gateway.tasks.running_alone import RunningAlone  # noqa: PLC0415 - where it is wanted
        from sandbox.gateway.tasks.running_services import RunningServices  # noqa: PLC0415 - as above

        running = RunningServices(self, self._proxies.restarted, self.gateway)
        return running, RunningAlone(self, running)

    def wait(self) -> bool:
        """Wait until no function runs and every task has reached its state; returns whether one had not."""
        waited = self.runs.wait()
        return self.service_tasks.wait() or waited

    def _of_rds(self, environ: Mapping[str, Any]) -> bytes | None:
        """Return RDS's quotas for a request to RDS; EC2 has an action of the same name."""
        found = REGION_OF.search(environ.get("HTTP_AUTHORIZATION", ""))
        named = "/rds/aws4_request" in environ.get("HTTP_AUTHORIZATION", "")
        return self.quotas.of_rds(found[1]) if found and named else None

    def _variables(self, function: Function) -> Mapping[str, str]:
        """Return additional variables of a function: its access to proxies and databases."""
        trusted = self.engines.trusted(function.variables)
        return {**self._proxies.variables(function), **closed(self, function), **trusted}

    def client(self, service: str, region: str) -> Any:
        """Return the botocore client of *service* in *region*; made once."""
        key = (service, region)
        with self._lock:
            if key not in self._clients:
                self._clients[key] = self._make(service, region)
            return self._clients[key]

    def connect(self, surroundings: Surroundings) -> None:
        """Set the sandbox around."""
        self.surroundings = surroundings

    def stand_before(self, beside: Beside) -> None:
        """Let *beside* see each call before moto; it is cleared and closed with the rest."""
        self._json = beside.in_front(self._json)
        self._beside.append(beside)

    def reset(self) -> None:
        """Stop what runs, and forget everything in every account and region of this process."""
        for one in list(self._there):
            one._forget()  # noqa: SLF001 - another of the same class
        from sandbox.services import moto_app  # noqa: PLC0415 - as above

        moto_app.reset()

    def _forget(self) -> None:
        self.runs.stop()
        parts = (self._rotations, self.functions, self._tasks, self.service_tasks, self._proxies, self._zones)
        for part in (*parts, self.quotas, self._disks, self._snapshots, self.engines, self.tagged):
            part.clear()
        for one in self._beside:
            one.clear()

    def close(self) -> None:
        """Stop what runs; nothing is started any more."""
        self.runs.close()
        self.service_tasks.close()
        self._proxies.clear()
        for one in self._beside:
            one.close()
        self.engines.close()

    def backend(self, service: str, region: str) -> Any:
        """Return moto's own state of *service*, for the few facts that its API lacks."""
        from moto.backends import get_backend  # noqa: PLC0415 - as above

        find: Any = get_backend  # overloaded by a hundred literal names
        return find(service)[self.account][region]

    def hosted_zone(self, name: str, zone_id: str = "") -> str:
        """Create the public zone *name*, with *zone_id* if given; return its id."""
        from moto.route53.models import HostedZoneIdentifier  # noqa: PLC0415 - as above
        from moto.utilities.id_generator import moto_id_manager  # noqa: PLC0415 - as above

        identity = HostedZoneIdentifier(self.account, f"{name.rstrip('.')}.", None)
        if zone_id:
            moto_id_manager.set_custom_id(identity, zone_id)
        client = self.client("route53", "us-east-1")
        made = client.create_hosted_zone(Name=name, CallerReference=f"sandbox-{zone_id or name}")
        moto_id_manager.unset_custom_id(identity)
        return str(made["HostedZone"]["Id"]).rsplit("/", 1)[-1]

    def _make(self, service: str, region: str) -> Any:
        client = _session().create_client(
            service,
            region_name=region,
            endpoint_url=ENDPOINT,
            config=_CONFIG,
        )
        name = client.meta.service_model.signing_name
        credential = _CREDENTIAL.format(self.surroundings.key.access_key_id, region, name)
        hooks: Any = client.meta.events
        hooks.register("before-send", partial(self._answer, credential))
        return client

    def _answer(self, credential: str, request: Any, **_: object) -> Any:
        address = urlsplit(request.url)
        environ = {
            "REQUEST_METHOD": request.method,
            "PATH_INFO": unquote(address.path or "/", encoding="latin-1"),
            "RAW_URI": address.path or "/",
            "QUERY_STRING": address.query,
            **_headers(request.headers),
            "HTTP_AUTHORIZATION": credential,
        }
        status, headers, payload = self._call(environ, _content(request.body))
        answer: Any = AWSResponse  # it takes any mapping of headers
        return answer(request.url, status, _Headers(headers), _Raw(payload))

    def _call(self, environ: Mapping[str, Any], body: bytes) -> tuple[int, Mapping[str, str], bytes]:
        started: dict[str, Any] = {}

        def start_response(status: str, headers: list[tuple[str, str]], _: object = None) -> None:
            started.update(status=int(status.split(maxsplit=1)[0]), headers=dict(headers))

        parts = self.app(
            {**_ENVIRON, **environ, "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body)},
            start_response,
        )
        payload = b"".join(parts)
        return started["status"], started["headers"], payload


def _configure() -> None:
    """
    Set moto's settings, whatever the environment says: some write files or send requests.

    By default moto builds 1300 unused machine images per region (0.3 s), leaves out AWS's managed policies,
    and lets every web page read its responses.
    """
    for name in [name for name in os.environ if name.startswith("MOTO_")]:
        del os.environ[name]
    os.environ |= {
        "MOTO_DISABLE_GLOBAL_CORS": "true",
        "MOTO_EC2_LOAD_DEFAULT_AMIS": "false",
        "MOTO_IAM_LOAD_MANAGED_POLICIES": "true",
    }


def _form(environ: dict[str, Any]) -> bytes:
    """Return the body of a query-protocol request, kept readable for its handler."""
    if not environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        return b""
    body: bytes = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    return body


_ENVIRON: Mapping[str, Any] = {
    "SERVER_NAME": "127.0.0.1",
    "SERVER_PORT": "80",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "HTTP_HOST": "127.0.0.1",
    "SCRIPT_NAME": "",
    "QUERY_STRING": "",
    "wsgi.version": (1, 0),
    "wsgi.url_scheme": "http",
    "wsgi.errors": io.StringIO(),
    "wsgi.multithread": True,
    "wsgi.multiprocess": False,
    "wsgi.run_once": False,
    INSIDE: True,
}


class _Headers(dict[str, str]):
    """Response headers, with case-insensitive access, as botocore expects of urllib3."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        super().__init__({name.lower(): value for name, value in headers.items()})


class _Raw:
    """The body of a response, in the form that botocore reads."""

    def __init__(self, payload: bytes) -> None:
        self._body = io.BytesIO(payload)

    def stream(self, amt: int = 65536, **_: object) -> Iterable[bytes]:
        """Yield the body in pieces of *amt* bytes."""
        while piece := self._body.read(amt):
            yield piece

    def read(self, amt: int | None = None) -> bytes:
        """Read *amt* bytes, everything when None."""
        return self._body.read(amt)


_session = cache(session)
"""The session of all accounts, without credentials."""


def _content(body: Any) -> bytes:
    if isinstance(body, str):
        return body.encode()
    return bytes(body.read() if hasattr(body, "read") else body or b"")


def _headers(headers: Mapping[str, Any]) -> dict[str, str]:
    environ = {}
    for name, value in headers.items():
        key = name.upper().replace("-", "_")
        text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
        environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = text
    return environ
