"""A machine that a command runs on, as data: streams, signals, files, variables, and what is right there."""

from __future__ import annotations

import signal
from collections.abc import Mapping

from tests.command import LOGIN
from tests.forked_commands import Process
from tests.gatestack.surroundings.surroundings import SECRET, Row, config

READING = ("plan", "status", "verify")
UNTOLD = dict.fromkeys(READING, 1)
"""Exit code of a command whose output was lost."""
SMALL = {"AWS_ENDPOINT_URL": "{small}", **LOGIN}


def machine(name: str, why: str, process: Process | None = None, **variables: str) -> Row:
    """Return a machine without problems."""
    return Row(name, 0, "", SMALL | variables, process=process or Process(), why=why)


def lost(name: str, process: Process, codes: Mapping[str, int], says: str = "") -> Row:
    """Return a machine on which a command's output is lost."""
    return Row(name, 0, says, SMALL, codes=codes, process=process, why="work goes on, whoever reads of it")


def struck(number: signal.Signals, place: int, codes: Mapping[str, int]) -> Row:
    """Return a machine on which a signal is sent at the connection *place*."""
    name = f"{number.name} at connection {place}"
    why = "a run ends in order; what only looks ends where it is"
    return Row(name, 0, "", SMALL, codes=codes, process=Process(signal=(number, place)), why=why)


def ends_by(number: signal.Signals) -> dict[str, int]:
    """Return the exit codes after a signal at a connection that every command makes."""
    looks = 130 if number == signal.SIGINT else -number
    return {"plan": 130, "deploy": 130, "destroy": 130, "verify": 130, "status": looks}


MACHINES = (
    # streams
    machine("no stdin", "nobody is asked", Process(closed=(0,))),
    machine("stdin that is full", "nobody is asked", Process(full=(0,))),
    machine("no stdout", "nothing was to be read, and a closed stream is a choice", Process(closed=(1,))),
    machine("no stderr", "the result is on stdout", Process(closed=(2,))),
    machine("no streams", "descriptors 0 to 2 are no connections", Process(closed=(0, 1, 2))),
    lost("stdout on a full disk", Process(full=(1,)), UNTOLD),
    lost("stderr on a full disk", Process(full=(2,)), {}),
    lost("both on a full disk", Process(full=(1, 2)), UNTOLD),
    lost("stdout without a reader", Process(unread=(1,)), {}),
    lost("stderr without a reader", Process(unread=(2,)), {}),
    lost("both without a reader", Process(unread=(1, 2)), {}),
    lost("no stdout, stderr on a full disk", Process(closed=(1,), full=(2,)), {}),
    # signals
    *(struck(number, 1, ends_by(number)) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)),
    *(
        struck(number, 2, ends_by(number) | {"status": 0})
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    ),
    struck(signal.SIGPIPE, 1, {}),
    struck(signal.SIGCHLD, 1, {}),
    struck(signal.SIGWINCH, 1, {}),
    Row(
        "SIGHUP under nohup",
        0,
        "",
        SMALL,
        process=Process(signal=(signal.SIGHUP, 1), ignored=(signal.SIGHUP,)),
        why="who says nohup wants it to go on",
    ),
    # files
    machine("read-only folders", "a command on AWS writes nothing", Process(bound=True)),
    machine("no HOME", "there is a login without files", Process(without=("HOME",))),
    machine("no PATH", "no program is needed", Process(without=("PATH",))),
    machine("HOME that is a file", "there is a login without files", HOME="{home}/a-file"),
    machine("HOME that is nowhere", "there is a login without files", HOME="/nowhere/home"),
    machine("HOME that is empty", "there is a login without files", HOME=""),
    machine("TMPDIR that is nowhere", "nothing is written there", TMPDIR="/nowhere/tmp"),
    machine("XDG folders that are nowhere", "nothing is written there", XDG_CACHE_HOME="/nowhere"),
    Row(
        "a full disk", 0, "", SMALL, codes=UNTOLD, process=Process(largest_file=0), why="work goes on unread"
    ),
    machine("few descriptors", "side by side means sixteen at most", Process(descriptors=64)),
    # words and colours
    machine("LC_ALL=C", "the locale is nobody's language", LC_ALL="C", LANG="C"),
    machine("a locale that is not there", "the locale is nobody's language", LC_ALL="xx_YY.utf-9"),
    machine("ASCII streams", "what ASCII lacks is spelled out", PYTHONIOENCODING="ascii"),
    machine("ASCII streams that are strict", "as above", PYTHONIOENCODING="ascii:strict"),
    machine("UTF-16 streams", "they are what was asked for", PYTHONIOENCODING="utf-16"),
    *(
        machine(f"{name}={value or 'nothing'}", "there is no terminal", **{name: value})
        for name, value in (
            ("NO_COLOR", "1"),
            ("NO_COLOR", ""),
            ("FORCE_COLOR", "1"),
            ("TTY_COMPATIBLE", "1"),
            ("TTY_INTERACTIVE", "1"),
            ("CLICOLOR_FORCE", "1"),
            ("TERM", "dumb"),
            ("TERM", "unknown"),
            ("TERM", ""),
            ("TERM", "xterm-kitty"),
            ("COLUMNS", "0"),
            ("COLUMNS", "80"),
            ("COLUMNS", "-1"),
            ("COLUMNS", "many"),
            ("LINES", "0"),
            ("TZ", "Moon/Sea"),
            ("PYTHONWARNINGS", "error"),
            ("PYTHONDEVMODE", "1"),
            ("SOURCE_DATE_EPOCH", "soon"),
            ("AWS_PAGER", "/nowhere/less"),
            ("AWS_SDK_UA_APP_ID", "a b\tc" * 30),
            ("AWS_EC2_METADATA_DISABLED", "perhaps"),
            ("BOTO_CONFIG", "/nowhere/boto"),
            ("AWS_DATA_PATH", "/nowhere/data"),
        )
    ),
    Row(
        "a poll interval that is none", 2, "GATESTACK_POLL_INTERVAL", SMALL | {"GATESTACK_POLL_INTERVAL": "x"}
    ),
    Row("a poll interval below nothing", 2, "poll-interval", SMALL | {"GATESTACK_POLL_INTERVAL": "-1"}),
    # what is set by agents
    machine("an agent of Azure's", "its commands are ours alone", TF_BUILD="True", BUILD_BUILDID="1"),
    machine("an agent of GitHub's", "its commands are ours alone", GITHUB_ACTIONS="true"),
    machine("CI", "it is nobody's agent", CI="true"),
    # proxies beside an endpoint that is reached without
    machine("proxies of a login", "nothing goes there", ALL_PROXY=f"socks5://me:{SECRET}@127.0.0.1:1"),
    machine("proxies in small letters", "nothing goes there", https_proxy="http://[::", http_proxy="::"),
    Row(
        "an endpoint in a file whose text is not ASCII",
        0,
        "",
        SMALL | {"PYTHONIOENCODING": "ascii", "AWS_PROFILE": "größe"},
        config("[profile größe]\nregion = us-east-1\n# ☃\n"),
        why="a name may have any letters",
    ),
    Row(
        "a profile that is not there and no ASCII",
        2,
        "there is no profile",
        {"PYTHONIOENCODING": "ascii", "AWS_PROFILE": "größe\x1b[2J"},
        why="its name is told as it can be",
    ),
)
