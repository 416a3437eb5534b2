"""
The container health check of LiteLLM: a program for the image's Python, since the image has no curl.

A LiteLLM that starts without its database, as ``allow_requests_on_db_unavailable`` permits, never creates a
database client later: it answers 401 to every virtual key, and 200 with ``"db": "Not connected"`` to a
readiness request (BerriAI/litellm#38121; 1.108.7, litellm/proxy/proxy_server.py, setup_prisma_client, and
health_endpoints). Only a new task helps.

``disconnected`` and ``stalled`` do not fail the check: a client exists then, and LiteLLM reconnects it.
Neither does a database that nobody reaches: all tasks would be replaced, by tasks with the same problem.
"""

from __future__ import annotations

from typing import Final

_PROGRAM: Final = """\
import json, os, socket
from urllib.request import urlopen
urlopen({alive!r}, timeout=4)
host, _, port = os.environ.get('DATABASE_HOST', '').partition(':')
try:
    said = json.load(urlopen({ready!r}, timeout=3))
    lost = bool(host) and said['db'] == 'Not connected'
    port = int(port or os.environ.get('DATABASE_PORT') or 5432)
    lost and socket.create_connection((host, port), 2).close()
except Exception:
    lost = False
raise SystemExit(lost)
"""
"""Takes 9 seconds at most. The port is where `stacks.systems.litellm_database` puts it."""


def probe(port: int, path: str) -> tuple[str, ...]:
    """Return the check: *path* answers, and the task has not lost a database which is there."""
    here = f"http://127.0.0.1:{port}"  # ``localhost`` may mean IPv6 there
    program = _PROGRAM.format(alive=f"{here}{path}", ready=f"{here}/health/readiness")
    return ("CMD", "python3", "-c", program)
