"""
moto's services as one WSGI application, without moto's test pages and without outbound connections.

Imported when a sandbox first needs it: moto takes 0.6 s to load.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import copy
from functools import cache, cached_property, lru_cache, partial
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import boto3
import requests
from moto.core import responses
from moto.core import utils as core_utils
from moto.core.base_backend import AccountSpecificBackend
from moto.core.config import default_user_config
from moto.core.loaders import create_loader
from moto.core.utils import method_names_from_class
from moto.iam.models import IAMBackend, ManagedPolicy
from moto.moto_api._internal.models import moto_api_backend
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.utilities import utils
from requests.adapters import HTTPAdapter

from sandbox.descriptions import by_name, session
from sandbox.services.json_api import Wsgi

_CLOSED = frozenset({"moto_api", "instance_metadata"})
"""moto's own pages (reset, recorder, dashboard, ...), and what answers on an EC2 instance alone."""


_MANY = 1024
"""Hosts whose backend is remembered: a service and a region each, as a client's signature names them."""


class _Services(DomainDispatcherApplication):
    """Asks AWS's services alone: a path of moto's own is what S3, say, makes of it."""

    def get_backend_for_host(self, host: str | None) -> Any:
        """Return the backend's name, None where the signature is to say it."""
        if host is None or host in _CLOSED:
            return None
        found = self._found(host)
        return "s3" if found in _CLOSED else found

    @cached_property
    def _found(self) -> Callable[[str], Any]:
        """moto lists its own folders and tries 300 patterns for each request; what a host is stays so."""
        return lru_cache(_MANY)(super().get_backend_for_host)


@cache
def application() -> Wsgi:
    """
    Return the services, one application for all accounts of this process: moto's state is the process's too.

    From now on nothing in this process sends a request with moto's HTTP library. What moto would run in a
    container it does not run at all: it would see this machine's network.
    """
    for service in ("batch", "lambda"):
        default_user_config[service]["use_docker"] = False
    setattr(HTTPAdapter, "send", _unreachable)  # noqa: B010 - mypy takes no assignment to a method
    setattr(IAMBackend, "_init_aws_policies", _own_policies)  # noqa: B010 - as above
    setattr(responses, "method_names_from_class", _METHODS)  # noqa: B010 - as above
    setattr(core_utils, "create_loader", _LOADER)  # noqa: B010 - as above
    setattr(AccountSpecificBackend, "get_session", staticmethod(_SESSION))  # noqa: B010 - as above
    setattr(utils, "load_resource", _resource)  # noqa: B010 - as above
    return _Services(_application_of)


def _application_of(service: Any) -> Any:
    """Return moto's application of *service*, which is loaded by now."""
    made = create_backend_app(service)
    if service == "kms":
        models = import_module("moto.kms.models")
        models.generate_private_key = partial(_PrivateKey, models.generate_private_key)  # type: ignore[attr-defined]
    return made


class _PrivateKey:
    """A key that is made when it first signs: it takes a twentieth of a second, and most are symmetric."""

    def __init__(self, generate: Callable[[str], Any], spec: str) -> None:
        self._generate, self._spec = generate, spec

    def __getattr__(self, name: str) -> Any:
        return getattr(self._made, name)

    @cached_property
    def _made(self) -> Any:
        return self._generate(self._spec)


def reset() -> None:
    """Forget everything in every account and region of this process."""
    moto_api_backend.reset()


_INITIALISE: Any = IAMBackend._init_aws_policies  # noqa: SLF001 - moto has no other name for it
_METHODS = cache(method_names_from_class)
"""What a class answers; moto looks all its attributes through for each request."""
_LOADER = cache(lambda: by_name(create_loader()))
"""moto's loader of services' descriptions; it makes one for each service."""


_SESSION = cache(lambda: boto3.Session(botocore_session=session()))
"""What moto asks for a service's regions, for which its description is read."""


_LOAD = utils.load_resource
_OFFERINGS = "ec2/resources/instance_type_offerings/"


class _Offerings:
    """
    The instance types of a region, read each time that somebody asks.

    moto reads those of all regions as it loads EC2: 80 MiB, which nothing here asks for.
    """

    def __init__(self, resource: str) -> None:
        self._resource = resource
        self._loaded = False

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Give nothing the first time: as it loads, moto only writes the type of location into each."""
        if not self._loaded:
            self._loaded = True
            return
        kind = self._resource.removeprefix(_OFFERINGS).partition("/")[0]
        yield from ({**one, "LocationType": kind} for one in _LOAD(self._resource))


def _resource(resource: str) -> Any:
    return _Offerings(resource) if resource.startswith(_OFFERINGS) else _LOAD(resource)


@cache
def _read(partition: str) -> list[ManagedPolicy]:
    made: list[ManagedPolicy] = _INITIALISE(SimpleNamespace(account_id="aws", region_name=partition))
    return made


def _own_policies(backend: IAMBackend) -> list[ManagedPolicy]:
    """
    Return AWS's managed policies, the same in each account.

    They are read once: moto reads all 1,582 of them in each account, and at each reset.
    """
    policies = [copy(policy) for policy in _read(backend.region_name)]
    for policy in policies:
        policy.account_id = backend.account_id
    return policies


def _unreachable(adapter: HTTPAdapter, request: requests.PreparedRequest, **_: object) -> requests.Response:
    """
    Answer as a proxy does whose target is not there.

    Subscribers, API destinations, integrations and delivery streams of moto's send what they are given to any
    address that they are given, and look at no answer.
    """
    del adapter
    answer = requests.Response()
    answer.status_code, answer.reason = 503, "the sandbox sends nothing to anybody"
    answer.request, answer.url = request, request.url or ""
    return answer
