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
"""moto's own pages (reset, recorder, dashboard, ...), and services that exist only on EC2 instances."""


_MANY = 1024
"""Hosts with a cached backend: a service and a region each, as in a client's signature."""


class _Services(DomainDispatcherApplication):
    """Only AWS's services: a path of moto's own is a request to S3, for example."""

    def get_backend_for_host(self, host: str | None) -> Any:
        """Return the backend's name, None to use the signature."""
        if host is None or host in _CLOSED:
            return None
        found = self._found(host)
        return "s3" if found in _CLOSED else found

    @cached_property
    def _found(self) -> Callable[[str], Any]:
        """Return a host's backend, cached: moto lists its folders and tries 300 patterns for each request."""
        return lru_cache(_MANY)(super().get_backend_for_host)


@cache
def application() -> Wsgi:
    """
    Return the services, one application for all accounts of this process: moto's state is the process's too.

    From now on nothing in this process sends a request with moto's HTTP library. moto's containers are
    disabled: they could use this machine's network.
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
    """Return moto's application of *service*, which is loaded already."""
    made = create_backend_app(service)
    if service == "kms":
        models = import_module("moto.kms.models")
        models.generate_private_key = partial(_PrivateKey, models.generate_private_key)  # type: ignore[attr-defined]
    return made


class _PrivateKey:
    """A key that is generated when it first signs: this takes 50 ms, and most keys are symmetric."""

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
"""Methods of a class; moto searches all its attributes for each request."""
_LOADER = cache(lambda: by_name(create_loader()))
"""moto's loader of services' descriptions; it makes one for each service."""


_SESSION = cache(lambda: boto3.Session(botocore_session=session()))
"""The session with which moto lists a service's regions, for which its description is read."""


_LOAD = utils.load_resource
_OFFERINGS = "ec2/resources/instance_type_offerings/"


class _Offerings:
    """
    The instance types of a region, read on each access.

    moto reads those of all regions when it loads EC2: 80 MiB, which nothing here needs.
    """

    def __init__(self, resource: str) -> None:
        self._resource = resource
        self._loaded = False

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield nothing the first time: on loading, moto only writes the type of location into each."""
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
    Respond as a proxy does whose target is missing.

    Subscribers, API destinations, integrations and delivery streams of moto's send their data to any
    given address, and ignore the response.
    """
    del adapter
    answer = requests.Response()
    answer.status_code, answer.reason = 503, "the sandbox sends nothing to anybody"
    answer.request, answer.url = request, request.url or ""
    return answer
