"""What several test files need: an AWS endpoint in this process, and a user who works with it."""

import gc
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import botocore.loaders
import botocore.session
import hypothesis
import pytest

from sandbox.clock import RealClock
from sandbox.server import Sandbox
from sandbox.services.services import Services
from tests.botocore_handlers import register_once
from tests.browser import Browser
from tests.command import KEY, LINTED, LOGIN, User
from tests.postgres import Server

FAST = 20_000.0
"""Sandbox seconds in a real one: a database takes 30 ms."""

# AWS's descriptions of its services are read once a process, not for each login of each test.
botocore.session.create_loader = cache(botocore.loaders.create_loader)
register_once()

# The time of a drawn example is no criterion: the machine may be busy, and the first one loads modules.
hypothesis.settings.register_profile("tests", deadline=None)
hypothesis.settings.load_profile("tests")

# The parent process may ignore signals, as nohup and a shell's `&` do; no command of a test shall.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--postgres", type=Path, help="a folder that has the PostgreSQL server to test with")


def pytest_xdist_auto_num_workers() -> int:
    """Return one worker more than there are processors: tests also wait, for processes and clocks."""
    return (os.cpu_count() or 1) + 1


def pytest_configure() -> None:
    """Create the folder that the processes of this run share; those of xdist inherit it."""
    if LINTED not in os.environ:
        os.environ[LINTED] = tempfile.mkdtemp(prefix="lint-findings-")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove it, in the process that created it."""
    if not hasattr(config, "workerinput"):
        shutil.rmtree(os.environ.pop(LINTED), ignore_errors=True)


@pytest.hookimpl(tryfirst=True)  # before -m is asked
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests with the fixture `browser`, direct or not, as tests that need one."""
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")


def pytest_collection_finish() -> None:
    """Freeze what all tests share: half a gigabyte that no garbage collection would free."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def pytest_sessionfinish() -> None:
    """Collect garbage once here: pytest does so five times at the end, and then has nothing to look at."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    Services().reset()  # moto keeps one account a process
    with Sandbox(clock=RealClock(FAST), key=KEY) as running:
        yield running


@pytest.fixture(scope="session")
def postgres(pytestconfig: pytest.Config) -> Iterator[Server]:
    """One real PostgreSQL server for each worker with a test for it."""
    with Server(pytestconfig.getoption("--postgres")) as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for each worker with a test for it."""
    with Browser() as running:
        yield running


@pytest.fixture
def user(tmp_path: Path, sandbox: Sandbox) -> User:
    return _user(tmp_path, sandbox)


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """An account with `local`, for all tests of a file: none of them may need its initial state."""
    Services().reset()
    with Sandbox(clock=RealClock(FAST), key=KEY) as running:
        done = _user(tmp_path_factory.mktemp("first"), running).run("deploy", "local", "--yes")
        assert done.code == 0, done.err
        yield running


@pytest.fixture
def deployed(tmp_path: Path, account: Sandbox) -> User:
    """A user of `account`, without faults, with a fast clock, and no function in progress."""
    account.faults.clear()
    account.finish()
    account.calls.clear()
    assert isinstance(account.clock, RealClock)
    account.clock.run_at(FAST)
    return _user(tmp_path, account)


def _user(folder: Path, sandbox: Sandbox) -> User:
    user = User.at(folder, AWS_ENDPOINT_URL=sandbox.endpoint, GATESTACK_POLL_INTERVAL="0.02", **LOGIN)
    user.need_keys()
    return user
