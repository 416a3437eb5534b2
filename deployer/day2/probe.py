"""Asks the application itself whether it is there, at the paths that are meant for that."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Sequence
from http.client import HTTPException
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from deployer.day2.verification import Answer
from deployer.options import Host
from deployer.scrub import said

TIMEOUT_SECONDS = 10.0
ATTEMPTS = 3
PAUSE_SECONDS = 2.0


def probe(url: str, paths: Sequence[str], host: Host, get: Callable[[str], Answer] | None = None) -> Answer:
    """
    Return what the application at *url* answers at the first of *paths* that it knows.

    There are a few attempts, since a task may just be going away.
    """
    ask = get or get_once
    answer = Answer(url, None, "not asked")
    for attempt in range(ATTEMPTS):
        if attempt:
            host.sleep(PAUSE_SECONDS)
        if host.stop():
            return answer
        for path in paths:
            answer = ask(url + path)
            if answer.status != 404:
                break
        if answer.status == 200 or answer.untrusted:
            return answer
    return answer


def get_once(url: str) -> Answer:
    """Return the answer to one GET; certificates are checked."""
    request = Request(url, headers={"User-Agent": "gatestack"})  # noqa: S310 - https or http: our own output
    try:
        with urlopen(request, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310 - as above
            return Answer(url, response.status)
    except HTTPError as error:
        return Answer(url, error.code)
    except URLError as error:
        reason = error.reason
        return Answer(url, None, said(reason), untrusted=isinstance(reason, ssl.SSLCertVerificationError))
    except (OSError, HTTPException, ValueError) as error:
        return Answer(url, None, said(error))
