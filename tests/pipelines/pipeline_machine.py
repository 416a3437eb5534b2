"""What stands around a pipeline in the tests: the place that gives tokens, and stand-ins for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from sandbox.server import Sandbox
from tests.command import CREDENTIALS, KEY, lint_findings
from tests.pipelines.pipeline_agent import Agent, project_at
from tests.places import ROOT
from tests.programs_on_path import signed

ROLE = "arn:aws:iam::123456789012:role/gatestack-deploy-us-east-1"
PLAN_ROLE = "arn:aws:iam::123456789012:role/gatestack-plan-us-east-1"
CONNECTION = "7f1c0d6e-2b3a-4c5d-8e9f-0a1b2c3d4e5f"
SUBJECT = "sc://organization/project/gatestack-dev"
PLAN_SUBJECT = "p://organization/project/gatestack-environment"


def token(subject: str) -> str:
    """Return a token of *subject* that the sandbox accepts."""
    return KEY.web_identity({"iss": "https://vstoken", "sub": subject})


DOCKER = '''#!{python}
"""A stand-in for docker: it writes down what it is asked, and what is pushed is in the sandbox's registry."""
import json, os, sys
import boto3
with open({calls!r}, "a") as file:
    print(json.dumps(["docker", *sys.argv[1:]]), file=file)
if sys.argv[1] == "login":
    assert sys.stdin.read()
if sys.argv[1] == "push":
    name, _, tag = sys.argv[2].partition("/")[2].partition(":")
    layers = {{"schemaVersion": 2, "config": {{"digest": "sha256:" + "0" * 64}}, "layers": []}}
    mime = "application/vnd.docker.distribution.manifest.v2+json"
    manifest = json.dumps({{**layers, "mediaType": mime, "annotations": {{"tag": tag}}}})
    registry = boto3.client("ecr", "us-east-1", **{keys!r})
    registry.put_image(repositoryName=name, imageManifest=manifest, imageTag=tag)
'''
COSIGN = """#!/bin/sh
# A stand-in for cosign: it finds everything signed, and the digest that is pinned.
echo '{signed}'
"""
NONE_OF_OURS = """#!/bin/sh
# A stand-in for a program that no step may need.
echo "a step needs $(basename "$0")" >&2
exit 127
"""


@dataclass
class Tokens:
    """Azure DevOps's token service for jobs."""

    address: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Path and Authorization of each request."""
    refusal: str = ""


@contextmanager
def tokens() -> Iterator[Tokens]:
    """Serve tokens while the block lasts."""
    told = Tokens()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            told.asked.append((self.path, self.headers["Authorization"]))
            subject = SUBJECT if f"serviceConnectionId={CONNECTION}" in self.path else PLAN_SUBJECT
            body = {"value": told.refusal} if told.refusal else {"oidcToken": token(subject)}
            answer = json.dumps(body).encode()
            self.send_response(400 if told.refusal else 200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        told.address = f"http://127.0.0.1:{server.server_port}/jobs/1/oidctoken"
        yield told
        server.shutdown()


def machine(folder: Path, sandbox: Sandbox, given: Tokens) -> Agent:
    """Return an agent with the project as it is here, which the test may edit, and no AWS credentials."""
    programs = folder / "programs"
    programs.mkdir()
    docker = DOCKER.format(keys=CREDENTIALS, python=sys.executable, calls=str(folder / "calls"))
    texts = {"docker": docker, "cosign": COSIGN.format(signed=signed())}
    for name in ("docker", "cosign", "az", "pip", "pip3"):
        (programs / name).write_text(texts.get(name, NONE_OF_OURS))
        (programs / name).chmod(0o755)
    (folder / "project").mkdir()
    return Agent(
        folder=folder,
        project=project_at(folder / "project"),
        surroundings={
            "AWS_ENDPOINT_URL": sandbox.endpoint,
            "AWS_EC2_METADATA_DISABLED": "true",
            "GATESTACK_POLL_INTERVAL": "0.02",
            "PYTHONPATH": str(ROOT),
            "XDG_CACHE_HOME": lint_findings(),
        },
        groups={
            "gatestack-dev": {
                "AWS_PLAN_ROLE_ARN": PLAN_ROLE,
                "AWS_DEPLOY_ROLE_ARN": ROLE,
                "SERVICE_CONNECTION_ID": CONNECTION,
            }
        },
        oidc=given.address,
        programs=programs,
    )


def calls(agent: Agent) -> list[list[str]]:
    """Return docker's arguments of all calls."""
    path = agent.folder / "calls"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
