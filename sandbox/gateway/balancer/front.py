"""Calls to Elastic Load Balancing's API that the data plane answers or observes, in front of moto."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from xml.etree.ElementTree import Element, SubElement, tostring

from sandbox.gateway.balancer import view
from sandbox.gateway.balancer.balancers import Balancers
from sandbox.gateway.balancer.health import NOT_REGISTERED, Health
from sandbox.gateway.balancer.targets import Address
from sandbox.services.database_storage import REGION_OF
from sandbox.services.json_api import Environ, Wsgi
from sandbox.services.reach import Reach

_VERSION = "2015-12-01"
"""Of this API: the classic load balancers' has actions of the same names."""
_NAMESPACE = "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/"


class Front:
    """The load balancers of one account, as its API sees them."""

    def __init__(self, reach: Reach, folder: Path) -> None:
        """*folder* keeps what must survive a restart."""
        self._reach = reach
        self.balancers = Balancers(reach, folder)
        self.clear, self.close = self.balancers.clear, self.balancers.close

    def described(self) -> list[dict[str, Any]]:
        """Return the address of each listener, and the file of its certificate's authority."""
        file = str(self.balancers.authority.file)
        return [{**asdict(one), "ca": file} for one in self.balancers.places()]

    def in_front(self, moto: Wsgi) -> Wsgi:
        """Return an application that follows each change of a load balancer, and passes it to *moto*."""

        def app(environ: Environ, start_response: Any) -> Iterable[bytes]:
            form, region = _form(environ), _region(environ)
            if form.get("Version") != _VERSION or not region:
                return moto(environ, start_response)
            action, backend = form.get("Action", ""), self._reach.backend("elbv2", region)
            if action == "DescribeTargetHealth" and form.get("TargetGroupArn") in backend.target_groups:
                start_response("200 OK", [("Content-Type", "text/xml")])
                return [_target_health(self.balancers, backend, form)]
            if action.startswith("Describe"):
                return moto(environ, start_response)
            status, headers, body = self._followed(moto, environ, backend)
            start_response(status, headers)
            return [body]

        return app

    def _followed(
        self, moto: Wsgi, environ: Environ, backend: Any
    ) -> tuple[str, list[tuple[str, str]], bytes]:
        """Let moto make a change, and update the data plane; a new load balancer gets its own DNS name."""
        before = set(backend.load_balancers)
        status, headers, body = _answered(moto, environ)
        made = {arn: one.dns_name for arn, one in list(backend.load_balancers.items()) if arn not in before}
        self.balancers.synced(backend.region_name)
        for arn, name in made.items():
            body = body.replace(name.encode(), backend.load_balancers[arn].dns_name.encode())
        return status, [*headers, ("Content-Length", str(len(body)))], body


def _form(environ: Environ) -> dict[str, str]:
    """Return the parameters of a query-protocol request, kept readable for its handler."""
    if not environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        return {}
    body: bytes = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    return {key: values[0] for key, values in parse_qs(body.decode("latin-1")).items()}


def _region(environ: Environ) -> str:
    found = REGION_OF.search(environ.get("HTTP_AUTHORIZATION", ""))
    return found[1] if found else ""


def _answered(moto: Wsgi, environ: Environ) -> tuple[str, list[tuple[str, str]], bytes]:
    started: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], _: object = None) -> None:
        started[:] = [status, [one for one in headers if one[0].lower() != "content-length"]]

    body = b"".join(moto(environ, start_response))
    return started[0], started[1], body


def _target_health(balancers: Balancers, backend: Any, form: Mapping[str, str]) -> bytes:
    """Return the response of DescribeTargetHealth, for all targets of a group or the requested ones."""
    arn = form["TargetGroupArn"]
    group = view.group(backend, arn)
    described = {target.address: told for target, told in balancers.targets.described(arn)}
    asked = _asked(form, group.port if group else 80)
    if asked:
        described = {one: described.get(one, NOT_REGISTERED) for one in asked}
    root = Element("DescribeTargetHealthResponse", xmlns=_NAMESPACE)
    listed = SubElement(SubElement(root, "DescribeTargetHealthResult"), "TargetHealthDescriptions")
    for (address, port), told in described.items():
        entry = SubElement(listed, "member")
        target = SubElement(entry, "Target")
        SubElement(target, "Id").text = address
        SubElement(target, "Port").text = str(port)
        checked = group.check.port if group else ""
        SubElement(entry, "HealthCheckPort").text = checked if checked.isdigit() else str(port)
        _tell(SubElement(entry, "TargetHealth"), told)
    SubElement(SubElement(root, "ResponseMetadata"), "RequestId").text = "sandbox"
    written: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _tell(element: Element, told: Health) -> None:
    for name, text in (("State", told.state), ("Reason", told.reason), ("Description", told.description)):
        if text:
            SubElement(element, name).text = text


def _asked(form: Mapping[str, str], port: int) -> list[Address]:
    found: list[Address] = []
    while identity := form.get(f"Targets.member.{len(found) + 1}.Id"):
        given = form.get(f"Targets.member.{len(found) + 1}.Port")
        found.append((identity, int(given or port)))
    return found
