"""The backing outside of tests: moto's services, the provider schemas, and S3 for template URLs."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit

from botocore.exceptions import ClientError

from sandbox.access.access import Access
from sandbox.backing import Backing
from sandbox.errors import invalid
from sandbox.gateway import Gateway
from sandbox.rehearsal.provide import provided, there
from sandbox.resources.provision import MotoProvisioner
from sandbox.resources.schema import ProviderSchemas
from sandbox.services.services import Services

_VIRTUAL_HOST = re.compile(r"(?P<bucket>.+)\.s3[.-]?[-a-z0-9]*\.amazonaws\.com")
_PATH_HOST = re.compile(r"s3[.-]?[-a-z0-9]*\.amazonaws\.com|127\.0\.0\.1|localhost|.*\.localhost")


def moto(gateway: Gateway | None = None) -> Backing:
    """Return the backing on moto's services; with a *gateway*, its contents run."""
    services, schemas = Services(gateway=gateway), ProviderSchemas()
    balancers = None
    if gateway is not None:
        from sandbox.gateway.balancer import attached as at_balancers  # noqa: PLC0415 - only if wanted
        from sandbox.gateway.databases import attached as at_databases  # noqa: PLC0415 - as above

        at_databases.attach(services, gateway)
        balancers = at_balancers.attach(services, gateway)
    return Backing(
        provisioner=lambda region: MotoProvisioner(services, schemas, region),
        schemas=schemas,
        fetch=fetcher(lambda: services.client("s3", "us-east-1")),
        services=services.app,
        access=Access(services, schemas),
        connect=services.connect,
        reset=services.reset,
        close=services.close,
        provide=provided(services),
        quotas=services.quotas,
        there=lambda region: there(services, region),
        notes=services.service_tasks.notes,
        wait=services.wait,
        balancers=lambda: balancers.described() if balancers else [],
        databases=services.engines.status,
    )


def fetcher(s3: Callable[[], Any]) -> Callable[[str], str]:
    """Return a function that reads a TemplateURL, virtual-host or path style, from S3; it raises ApiError."""

    def fetch(url: str) -> str:
        bucket, key = located(url)
        try:
            found: bytes = s3().get_object(Bucket=bucket, Key=key)["Body"].read()
        except ClientError as error:
            raise invalid(f"S3 error: {error.response['Error'].get('Message', 'Access Denied')}") from error
        return found.decode()

    return fetch


def located(url: str) -> tuple[str, str]:
    """Return bucket and key of a TemplateURL; raises ApiError."""
    parts = urlsplit(url)
    host, path = parts.hostname or "", unquote(parts.path).lstrip("/")
    virtual = _VIRTUAL_HOST.fullmatch(host)
    if virtual:
        return virtual.group("bucket"), path
    bucket, _, key = path.partition("/")
    if parts.scheme not in ("http", "https") or not bucket or not key:
        raise invalid("TemplateURL must be a supported URL.")
    if not _PATH_HOST.fullmatch(host):
        raise invalid(f"S3 error: Domain name specified in {bucket} is not a valid S3 domain")
    return bucket, key
