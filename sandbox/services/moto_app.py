"""
moto's services as one WSGI application, without the pages for moto's own tests and without a way out.

Imported when a sandbox first needs it: moto takes 0.6 s to load.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

import requests
from moto.core import responses
from moto.core.config import default_user_config
from moto.core.utils import method_names_from_class
from moto.iam.models import IAMBackend, ManagedPolicy
from moto.moto_api._internal.models import moto_api_backend
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from requests.adapters import HTTPAdapter

from sandbox.services.json_api import Wsgi

_CLOSED = frozenset({"moto_api", "instance_metadata"})
"""moto's own pages (reset, recorder, dashboard, ...), and what answers on an EC2 instance alone."""


class _Services(DomainDispatcherApplication):
    """Asks AWS's services alone: a path of moto's own is what S3, say, makes of it."""

    @lru_cache(maxsize=1024)  # noqa: B019 - one application a process; moto lists its folders at each request
    def get_backend_for_host(self, host: str | None) -> Any:
        """Return the backend's name, None where the signature is to say it."""
        if host in _CLOSED:
            return None
        found = super().get_backend_for_host(host)
        return "s3" if found in _CLOSED else found


def application() -> Wsgi:
    """
    Return the services; from now on nothing in this process sends a request with moto's HTTP library.

    What moto would run in a container it does not run at all: it would see this machine's network.
    """
    for service in ("batch", "lambda"):
        default_user_config[service]["use_docker"] = False
    setattr(HTTPAdapter, "send", _unreachable)  # noqa: B010 - mypy takes no assignment to a method
    setattr(IAMBackend, "_init_aws_policies", _own_policies)  # noqa: B010 - as above
    setattr(responses, "method_names_from_class", _METHODS)  # noqa: B010 - as above
    return _Services(create_backend_app)


def reset() -> None:
    """Forget everything in every account and region of this process."""
    moto_api_backend.reset()


_METHODS = cache(method_names_from_class)
"""A class's own do not change, and moto looks through all of them at each request."""

_READ = cache(IAMBackend._init_aws_policies)  # noqa: SLF001 - moto has no other name for it


def _own_policies(backend: IAMBackend) -> list[ManagedPolicy]:
    """Return AWS's managed policies, read once an account: moto reads all 1,582 of them at each reset."""
    return [_copied(policy) for policy in _READ(backend)]


def _copied(policy: ManagedPolicy) -> ManagedPolicy:
    """Return a copy, without what `copy` and moto's list of all instances would add to each."""
    made = object.__new__(ManagedPolicy)  # type: ignore[type-abstract]
    made.__dict__ |= policy.__dict__
    return made


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
