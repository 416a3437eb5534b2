"""What an endpoint is: AWS, or something that speaks its protocol and may lack whole services."""

from __future__ import annotations

import socket
import time
from typing import Any
from urllib.parse import urlsplit

from deployer.aws.drift import unknown_call
from deployer.aws.errors import call
from deployer.errors import CloudError, NotOffered, Transient

SILENCE_SECONDS = 3.0
"""After which what listens on this machine is taken for gone; it may have been restarting."""
_PAUSE = 0.1
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
AWS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")


def emulated(client: Any) -> bool:
    """Whether a botocore client speaks to something that is not AWS."""
    host = urlsplit(client.meta.endpoint_url).hostname or ""
    return not host.endswith(AWS)


def is_here(url: str) -> bool:
    """Whether *url* is on this machine."""
    name = urlsplit(url).hostname or ""
    return name in _LOOPBACK or name.endswith(".localhost")


def is_silent(url: str) -> bool:
    """
    Whether nobody answers at *url*, which is on this machine; False for any other.

    A network comes back. What listened on this machine and no longer does has ended, or was stopped.
    """
    if not is_here(url):
        return False
    place, until = urlsplit(url), time.monotonic() + SILENCE_SECONDS
    while time.monotonic() < until:
        try:
            with socket.create_connection(
                (place.hostname, place.port or 80), timeout=SILENCE_SECONDS
            ) as line:
                line.sendall(b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n")
                return not line.recv(1)
        except TimeoutError:
            return True
        except OSError:
            time.sleep(_PAUSE)
    return True


def ask(client: Any, method: str, **parameters: Any) -> Any:
    """
    Call *method* of a botocore client.

    Raises:
        NotOffered: an emulated endpoint does not know the call at all.
        DeployError: anything else that went wrong, in our words.

    """
    try:
        return call(client, method, **parameters)
    except CloudError as error:
        if emulated(client) and _unknown(error):
            service = client.meta.service_model.service_name
            raise NotOffered(f"this endpoint has no {service}", operation=error.operation) from error
        raise


def _unknown(error: CloudError) -> bool:
    """Whether the answer is no error of the service's own: none of its codes, or nothing that can be read."""
    unreadable = isinstance(error, Transient) and "not an answer of AWS's" in str(error)
    return unreadable or unknown_call(error) or error.code.isdigit()
