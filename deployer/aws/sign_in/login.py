"""The AWS login of a run: botocore's clients, created again when the chain returns other credentials."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import botocore.session
from botocore.config import Config

from deployer.aws.endpoint import SERVICES, configured, is_aws, is_here, place
from deployer.aws.errors import note_what_answers, refused
from deployer.aws.sign_in.chain import Ask, ask_at_terminal, ask_nobody, opened
from deployer.aws.sign_in.credentials import resolved, watch
from deployer.aws.sign_in.settings_errors import endpoint_refused
from deployer.errors import Refused, untouched

EDGE_ATTEMPTS = 3
"""Of one request to another service; CloudFormation's are repeated by `deployer.aws.budget`."""
CONNECTIONS = 16
"""Pooled connections to one service; further parallel calls would each open a new one."""
HERE_SECONDS = 10
"""Time within which a running endpoint on this machine answers."""
FIXED = ("env",)
"""Credential providers whose credentials never change: environment variables."""
MACHINES = ("container-role", "iam-role")
"""Providers of credentials that ask the machine AWS runs a program on (botocore.credentials)."""
WEB_IDENTITY = "assume-role-with-web-identity"
"""botocore's provider that exchanges a token for a role."""
FRESH_SECONDS = 300
"""Age up to which a session is as good as a new one."""
QUESTIONS = ("BatchGet", "Describe", "Filter", "Get", "Head", "List", "Simulate")
"""Prefixes of operations that change nothing and start nothing."""
REMEDY = "set AWS_ENDPOINT_URL to your endpoint for all services, or unset every endpoint to use the sandbox"

Clients = Callable[[str], Any]
"""Name of a service (``secretsmanager``) -> its botocore client."""


def log_in(
    region: str,
    *,
    profile: str | None = None,
    endpoint: str | None = None,
    never_aws: bool = False,
    session_seconds: int | None = None,
) -> Login:
    """
    Return the login of *profile* in *region*; with *never_aws* it sends no request to a host of AWS's.

    *session_seconds*: duration of the session that a pipeline's token is exchanged for.

    Raises:
        Refused: there are no credentials, no such profile, credentials that no request can bear, or with
            *never_aws* a request would go to AWS.

    """
    return Login(region, profile, endpoint, never_aws=never_aws, session_seconds=session_seconds)


def own_endpoint(profile: str | None) -> frozenset[str]:
    """
    Return the endpoints outside AWS that variables and files lead every service to; empty where they do not.

    Files that cannot be read, and a missing profile, name no endpoint.

    Raises:
        Refused: they lead some services there and leave others at AWS.

    """
    try:
        found = configured(botocore.session.Session(profile=profile), SERVICES)
    except Exception:  # noqa: BLE001 - whatever is wrong with the files, the variables still count
        found = configured(_without_files(), SERVICES)
    outside = [service for service in SERVICES if service in found and not is_aws(found[service])]
    if outside and len(outside) < len(SERVICES):
        inside = [service for service in SERVICES if service not in outside]
        raise Refused(
            f"your AWS configuration sends {', '.join(outside)} to an endpoint that is not AWS, and "
            f"{', '.join(inside)} to AWS, which this environment never uses: {REMEDY}"
        )
    return frozenset(found[service] for service in outside)


def _without_files() -> botocore.session.Session:
    """Return a session that knows the variables, and no configuration file."""
    session = botocore.session.Session(session_vars={"profile": (None, None, None, None)})
    for name in ("config_file", "credentials_file"):
        session.set_config_variable(name, os.devnull)
    return session


class Login:
    """The clients of one profile and region. Threads may share it."""

    def __init__(
        self,
        region: str,
        profile: str | None,
        endpoint: str | None,
        *,
        never_aws: bool = False,
        session_seconds: int | None = None,
    ) -> None:
        """Without an *endpoint* botocore finds it. Raises a DeployError where there is no such login."""
        self.region = region
        self.asked = False
        """Whether AWS was sent anything but reads: an operation may be in progress."""
        self._profile = profile
        self._endpoint = endpoint
        self._never_aws = never_aws
        self._session_seconds = session_seconds
        self._lock = threading.Lock()
        self._clients: dict[tuple[str, str], Any] = {}
        try:
            self._session, self._key = self._open(ask_at_terminal)
        except Exception as error:
            raise untouched(refused(error, region)) from error

    def client(self, service: str) -> Any:
        """Return the client of *service*."""
        return self._client(service, self.region)

    def elsewhere(self, region: str) -> Clients:
        """Return a factory of clients for another *region*, with the same credentials."""
        return lambda service: self._client(service, region)

    def ends(self) -> datetime | None:
        """Return when the credentials expire; None if unknown, or if botocore renews them."""
        credentials = self._session.get_credentials()
        if credentials is None or credentials.method not in FIXED:
            return None
        ends: datetime | None = getattr(credentials, "_expiry_time", None)
        return ends

    def _client(self, service: str, region: str) -> Any:
        """Return a client; creating one is not thread-safe."""
        with self._lock:
            which = (service, region)
            if which not in self._clients:
                self._clients[which] = self._made(service, region)
            return self._clients[which]

    def _made(self, service: str, region: str) -> Any:
        try:
            made = self._session.create_client(
                service,
                region_name=region,
                endpoint_url=self._endpoint,
                config=_config(service, self._endpoint),
            )
            _ = urlsplit(made.meta.endpoint_url).port  # botocore reads it when it connects
        except Exception as error:
            raise refused(endpoint_refused(service, error), region) from error
        if self._never_aws and place(made).aws:
            raise _to_aws(service, place(made).url)
        made.meta.events.register("before-send", self._note)
        return made

    def _note(self, **sent: Any) -> None:
        """Note a request that is no read, at the moment it may be sent."""
        operation = sent["event_name"].split(".")[2]
        self.asked = self.asked or not operation.startswith(QUESTIONS)

    def renew(self) -> bool:
        """
        Query the credential chain again; returns whether the credentials changed.

        Roles and SSO renew themselves in botocore, before they expire; this is for what another process
        writes (credential files, `credential_process`) and for sessions that were revoked. What comes from
        environment variables stays what it is.
        """
        with self._lock:
            try:
                session, key = self._open(ask_nobody)
            except Exception:  # noqa: BLE001 - there is no other login, whatever the reason
                return False
            if key == self._key:
                return False
            self._session, self._key, self._clients = session, key, {}
            return True

    def fresh(self) -> bool:
        """
        Start a new session if a pipeline's is old; returns whether there is a new one.

        CloudFormation uses the credentials of the request that started an operation, until they expire
        (CloudFormation User Guide, "CloudFormation service role"): a session that ends in the middle fails
        the operation and its rollback.
        """
        if self._session_seconds is None:
            return False
        wanted = self._session_seconds - FRESH_SECONDS
        credentials = self._session.get_credentials()
        if credentials is None or credentials.method != WEB_IDENTITY or not _ends_within(credentials, wanted):
            return False
        return self.renew()

    def _open(self, ask: Ask) -> tuple[botocore.session.Session, tuple[str | None, ...]]:
        """Return a session, and what identifies its credentials."""
        session = opened(self._profile, self.region, ask, session_seconds=self._session_seconds)
        watch(session)
        session.register("before-parse", note_what_answers)
        if self._never_aws:
            session.register("before-send", _refuse_aws)
            for name in MACHINES:
                session.get_component("credential_provider").remove(name)
        return session, resolved(session)


def _ends_within(credentials: Any, seconds: float) -> bool:
    """Whether botocore's *credentials* expire within *seconds*."""
    needed = getattr(credentials, "refresh_needed", None)
    return needed is not None and bool(needed(refresh_in=seconds))


def _refuse_aws(**sent: Any) -> None:
    """Refuse a request to an AWS host, from clients or from the credential chain."""
    url = sent["request"].url
    if is_aws(url):
        raise _to_aws(sent["event_name"].split(".")[1], url)


def _to_aws(service: str, url: str) -> Refused:
    host = urlsplit(url).hostname
    return Refused(f"{service} is at AWS ({host}), which this environment never uses: {REMEDY}")


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
