"""`python -m sandbox --port N --speed N --seed N --gateway FOLDER`: serves until the process is stopped."""

from __future__ import annotations

import argparse
import gc
import os
import signal
import sys
from pathlib import Path

from sandbox.clock import RealClock
from sandbox.gateway import Gateway
from sandbox.server import Sandbox
from sandbox.state import note_holder


def main() -> None:
    """Serve."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="An AWS account on this machine.")
    parser.add_argument("--port", type=int, default=0, help="loopback port; 0 takes a free one")
    parser.add_argument("--speed", type=float, default=60.0, help="virtual seconds in one real second")
    parser.add_argument("--seed", type=int, default=0, help="of injected failures and of ids")
    parser.add_argument("--ready", type=int, help="file descriptor to write the port and the key to")
    parser.add_argument("--held", type=int, help="locked file descriptor to write the process's number to")
    parser.add_argument("--gateway", type=Path, help="run tasks, with the programs that this folder tells")
    given = parser.parse_args()
    # Modules and descriptions of services are never garbage: scanning them took a fifth of a deployment.
    gc.set_threshold(20_000, 20, 20)
    gateway = Gateway.read(given.gateway) if given.gateway else None
    sandbox = Sandbox(clock=RealClock(given.speed), seed=given.seed, port=given.port, gateway=gateway)
    print(f"sandbox on {sandbox.endpoint}, speed {given.speed}, seed {given.seed}", flush=True)  # noqa: T201 - its log
    if given.held is not None:
        note_holder(given.held)
    if given.ready is None:  # only a person at a terminal needs the message
        for name, value in sandbox.key.variables.items():
            print(f"export {name}={value}", flush=True)  # noqa: T201 - as above
    else:
        key = sandbox.key
        os.write(given.ready, f"{sandbox.port} {key.access_key_id} {key.secret_access_key}".encode())
        os.close(given.ready)
    # Ended in order, so that no function's process is left behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    sandbox.serve()


if __name__ == "__main__":
    main()
