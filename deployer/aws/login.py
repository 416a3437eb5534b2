"""Who a run is in AWS: botocore's clients of one login, made anew where the chain has other credentials."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from deployer.aws.credentials import resolved, watch
from deployer.aws.endpoint import is_here
from deployer.aws.errors import setup
from deployer.errors import Refused

EDGE_ATTEMPTS = 3
"""Of one request to another service; CloudFormation's are repeated by `deployer.aws.budget`."""
CONNECTIONS = 16
"""At once to one service; calls beyond that would each open one of their own."""
HERE_SECONDS = 10
"""Within which an endpoint on this machine answers, unless it was stopped."""

Clients = Callable[[str], Any]
"""Name of a service (``secretsmanager``) -> its botocore client."""


def log_in(region: str, *, profile: str | None = None, endpoint: str | None = None) -> Clients:
    """
    Return what makes the clients of *region*.

    Raises:
        Refused: there are no credentials, no such profile, or credentials that no request can bear.

    """
    try:
        return Login(region, profile, endpoint).client
    except BotoCoreError as error:
        raise setup(error) from error


class Login:
    """The clients of one profile and region. Threads may share it."""

    def __init__(self, region: str, profile: str | None, endpoint: str | None) -> None:
        """Without an *endpoint* botocore finds it. Raises a DeployError where there is no such profile."""
        self._region = region
        self._profile = profile
        self._endpoint = endpoint
        self._lock = threading.Lock()
        self._session = self._open()
        self._clients: dict[str, Any] = {}
        self._key = resolved(self._session)

    def client(self, service: str) -> Any:
        """Return the client of *service*; making one is nothing that threads may do at the same time."""
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._session.create_client(
                    service,
                    region_name=self._region,
                    endpoint_url=self._endpoint,
                    config=_config(service, self._endpoint),
                )
            return self._clients[service]

    def renew(self) -> bool:
        """
        Ask the credential chain again; returns whether it had others than before.

        Roles and SSO renew themselves in botocore, before they expire; this is for what another process
        writes (credential files, `credential_process`) and for sessions that were revoked. What comes from
        environment variables stays what it is.
        """
        with self._lock:
            try:
                session = self._open()
                key = resolved(session)
            except (BotoCoreError, Refused):
                return False
            if key == self._key:
                return False
            self._session, self._key, self._clients = session, key, {}
            return True

    def _open(self) -> botocore.session.Session:
        try:
            session = botocore.session.Session(profile=self._profile)
        except BotoCoreError as error:
            raise setup(error) from error
        session.user_agent_extra = "gatestack"
        watch(session)
        return session


def _config(service: str, endpoint: str | None) -> Config:
    here = endpoint is not None and is_here(endpoint)
    attempts = 1 if service == "cloudformation" else EDGE_ATTEMPTS
    return Config(
        retries={"mode": "standard", "total_max_attempts": attempts},
        connect_timeout=10,
        read_timeout=HERE_SECONDS if here else 60,
        max_pool_connections=CONNECTIONS,
        s3={"addressing_style": "path"},
    )
