"""Every text leaves through one gate: no secret, no control character, no command of an agent's in it."""

from __future__ import annotations

import io
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployer import scrub
from gatestack import telling
from gatestack.gate import Gate, Stream, closed
from tests.command import User
from tests.covering import searched
from tests.serving import always, serving

KEY = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
TOKEN = "FwoGZXIvYXdzEBYaDKq2+/EXAMPLETOKEN=="
CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]|\r(?!\n)")
SHAPES = (
    "Authorization: AWS4-HMAC-SHA256 Credential=AKIA/x, SignedHeaders=host, Signature={}",
    "{{'Authorization': 'Bearer {}'}}",
    "proxy-authorization: Basic {}",
    "x-amz-security-token:{}",
    "https://b.s3.amazonaws.com/k?X-Amz-Signature={}&X-Amz-Expires=60",
    "https://b.s3.amazonaws.com/k?AWSAccessKeyId=AKIA&Signature={}&Expires=1",
    "aws_secret_access_key = {}",
    "AWS_SESSION_TOKEN={}",
    '"SecretAccessKey": "{}"',
    '\\"SessionToken\\": \\"{}\\"',
    "<SessionToken>{}</SessionToken>",
    "Invalid header value b'{}\\n'",
    "Invalid return character in header value: '{}'",
    "http://user:{}@proxy.example:8080",
    "postgresql+tls://u:{}@host/db?sslmode=require",
    "https://{}@github.com/a/b",
    "host=db password={} user=x",
    "client_secret={}",
)


class Taken(io.StringIO):
    """A stream that somebody reads; perhaps a terminal."""

    def __init__(self, *, terminal: bool = False) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


@pytest.fixture(autouse=True, scope="module")
def in_use() -> Iterator[None]:
    before = scrub._in_use
    scrub.remember(KEY, TOKEN)
    yield
    scrub._in_use = before


def through(text: str, *, agent: bool = False) -> str:
    taken = Taken()
    Gate(taken, agent=agent).write(text)
    return taken.getvalue()


def document(found: object, *, agent: bool = True) -> str:
    taken = Taken()
    Gate(taken, agent=agent).document(json.dumps(found, indent=2))
    return taken.getvalue()


# secrets


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("secret", ["Zm9vYmFyYmF6cXV4MTIz", "a%2Fb%2Bc1234567890123"])
def test_what_has_the_shape_of_a_secret_is_hidden_wherever_it_leaves(shape: str, secret: str) -> None:
    text = shape.format(secret)

    assert secret not in through(f"before {text} after")
    assert "(hidden)" in through(text)
    assert secret not in document({"reason": text})
    assert secret not in scrub.said(RuntimeError(text))
    assert through(text).count("(hidden)") == 1, through(text)


@pytest.mark.parametrize(
    "text",
    [
        "arn:aws:secretsmanager:us-east-1:111122223333:secret:dev/api-keys-AbCdEf",
        "https://proxy.example:8443/v1@latest",
        "see https://docs.example/a:b and mail a@b.example",
        "ssh://git@host/x",
        "postgresql://u:{{resolve:secretsmanager:db:SecretString:password}}@host",
        "not authorized to perform: secretsmanager:GetSecretValue",
        "the master password must have 8 characters",
        "AWS_SESSION_TOKEN of the environment ends in a newline",
        "Signature expired: 20260101T000000Z is now earlier",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert through(text) == text


def test_credentials_in_use_are_hidden_as_they_are_and_as_a_url_has_them() -> None:
    for spelled in (KEY, TOKEN, KEY.replace("/", "%2F").replace("+", "%2B")):
        assert through(f"it says {spelled}.") == "it says (hidden)."


def test_a_short_value_is_no_secret_that_is_looked_for() -> None:
    scrub.remember("example")

    assert through("example.com") == "example.com"


def test_what_a_server_says_is_one_short_line_without_its_page() -> None:
    page = "502 Bad Gateway: <!DOCTYPE html>\n<html><body>Proxy http://u:hunter2@p\n</body></html>"

    assert scrub.said(page) == "502 Bad Gateway: (a page of HTML)"
    assert scrub.said("a\n  b\r\nc") == "a b c"
    assert len(scrub.said("x" * 10_000)) == scrub.MOST
    assert scrub.said(ValueError()) == "ValueError"


@pytest.mark.parametrize(
    "hostile", ["://a:" * 20_000, "eyJaaaaaaaaa" * 10_000, "token " * 50_000, "##" * 100_000]
)
def test_no_text_holds_the_gate_up(hostile: str) -> None:
    began = time.process_time()
    through(hostile, agent=True)
    assert time.process_time() - began < 5


# control characters


def test_a_control_character_is_written_out_and_tabs_and_newlines_stay() -> None:
    assert through("a\x1b[31mb\x1b]0;t\x07\tc\r\nd\re\x9b1m\u202ef\x00\x7f\udc80\n") == (
        "a\\x1b[31mb\\x1b]0;t\\x07\tc\r\nd\\x0de\\x9b1m\\u202ef\\x00\\x7f\\udc80\n"
    )


@given(
    before=st.text(st.characters(codec=None)),
    secret=st.sampled_from([KEY, TOKEN]),
    after=st.text(),
    agent=st.booleans(),
)
def test_nothing_in_use_and_no_control_character_passes(
    *, before: str, secret: str, after: str, agent: bool
) -> None:
    said = through(f"{before}{secret}{after}", agent=agent)

    assert secret not in said
    assert CONTROLS.search(said) is None
    said.encode()


@given(
    st.text(st.sampled_from("ab \t\n\x1b\r\u2028\x85:#[/@=&'\"")),
    st.sampled_from(SHAPES),
    st.text(st.sampled_from("ABCabc0123456789"), min_size=16, max_size=40),
    st.text(st.sampled_from("ab \n\x1b\r:#[&'\"")),
)
def test_no_surroundings_uncover_a_secret(before: str, shape: str, secret: str, after: str) -> None:
    text = f"{before} {shape.format(secret)} {after}"

    assert secret not in through(text)
    assert secret not in json.loads(document({"a": text}))["a"]


@searched(
    25,
    500,
    st.recursive(
        st.text() | st.integers() | st.none(), lambda s: st.lists(s) | st.dictionaries(st.text(), s)
    ),
)
def test_json_without_secrets_is_read_as_the_same_data(found: object) -> None:
    for agent in (False, True):
        said = document(found, agent=agent)
        assert json.loads(said) == found
        assert CONTROLS.search(said) is None


# commands of agents

BEGINNINGS = [
    "",
    "{",
    "[",
    '{"a": 1}\n',
    "x\n",
    "x\r",
    "x\r\n",
    "x\x0b",
    "x\x0c",
    "x\x85",
    "x\u2028",
    "\u00a0",
    "\ufeff",
]


@pytest.mark.parametrize("beginning", BEGINNINGS)
@pytest.mark.parametrize(
    "command", ["::add-mask::x", "::set-output name=a::b", "::stop-commands::t", "  ::error::x"]
)
def test_no_text_is_a_command_of_githubs_however_it_begins(beginning: str, command: str) -> None:
    said = through(beginning + command, agent=True)

    lines = re.split(r"[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]", said)
    assert [line for line in lines if line.strip(" \t\u00a0\ufeff").startswith("::")] == []


@pytest.mark.parametrize("beginning", [*BEGINNINGS, "x "])
@pytest.mark.parametrize("command", ["##vso[task.complete]", "##VSO[a]b", "##[error]x", "##[add-path]x"])
def test_no_text_is_a_command_of_azures_wherever_it_stands(beginning: str, command: str) -> None:
    said = through(beginning + command, agent=True).lower()

    assert "##vso[" not in said
    assert "##[" not in said


@given(st.text(st.sampled_from("#[vso]: \r\n\x0b\u2028\x00{")))
def test_no_mixture_is_a_command(text: str) -> None:
    said = through(text, agent=True)

    assert not re.search(r"##(vso)?\[", said)
    assert not any(line.strip().startswith("::") for line in said.splitlines())


def test_where_no_agent_reads_nothing_is_taken_for_a_command() -> None:
    assert through("::add-mask::x ##[a]") == "::add-mask::x ##[a]"


# what passes on purpose


def test_a_value_that_was_asked_for_passes_as_it_is() -> None:
    taken, terminal = Taken(), Taken(terminal=True)
    Gate(taken, agent=False).exact(f"{KEY}\x1b")
    Gate(terminal, agent=False).exact(f"{KEY}\x1b")
    shown = Taken()
    Gate(shown, agent=True).document(json.dumps({"value": KEY}), revealed=True)

    assert taken.getvalue() == f"{KEY}\x1b\n"
    assert terminal.getvalue() == f"{KEY}\\x1b\n"
    assert json.loads(shown.getvalue()) == {"value": KEY}


def test_a_stream_whose_encoding_lacks_a_character_gets_it_spelled_out() -> None:
    raw = io.BytesIO()
    stream = Stream(io.TextIOWrapper(raw, encoding="ascii"))
    stream.write("a…b")
    stream.flush()

    assert raw.getvalue() == b"a\\u2026b"


def test_there_is_no_way_around_the_gate() -> None:
    gate = Gate(Taken(), agent=False)

    gate.writelines(["a\x1b", KEY])
    assert gate.getvalue() == "a\\x1b(hidden)"
    assert not hasattr(gate, "buffer")


# the whole command


@pytest.mark.parametrize(
    ("name", "value"), [("PYTHONIOENCODING", "ascii"), ("GITHUB_ACTIONS", "true"), ("A", "b")]
)
def test_what_the_user_gives_is_shown_without_steering_the_terminal(
    tmp_path: Path, name: str, value: str
) -> None:
    there = User.at(tmp_path, **{name: value})

    done = there.run("status", "no\x1b[31mpe\u202e\r::add-mask::x")

    assert done.code == 2
    assert "no\\x1b[31mpe\\u202e\\x0d::add-mask::x" in done.err
    assert CONTROLS.search(done.err) is None


@pytest.mark.parametrize(
    ("variables", "name"),
    [
        ({"AWS_SESSION_TOKEN": f"{TOKEN}\n"}, "AWS_SESSION_TOKEN of the environment"),
        ({"AWS_SESSION_TOKEN": f"{TOKEN}\r"}, "AWS_SESSION_TOKEN of the environment"),
        ({"AWS_SECURITY_TOKEN": f"{TOKEN}\t{TOKEN}"}, "AWS_SECURITY_TOKEN of the environment"),
        ({"AWS_SECRET_ACCESS_KEY": f" {KEY}"}, "AWS_SECRET_ACCESS_KEY of the environment"),
        ({"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE\n"}, "AWS_ACCESS_KEY_ID of the environment"),
        ({"AWS_SECRET_ACCESS_KEY": f"{KEY}é"}, "AWS_SECRET_ACCESS_KEY of the environment"),
    ],
)
def test_credentials_that_no_header_can_hold_are_refused_before_anything_is_sent(
    user: User, variables: dict[str, str], name: str
) -> None:
    user.variables.update({"AWS_SECRET_ACCESS_KEY": KEY} | variables)

    done = user.run("status", "dev")

    assert done.code == 2
    assert f"error: {name} " in done.err
    assert "nothing was sent to AWS" in done.err
    assert len(done.err.splitlines()) == 1
    assert "EXAMPLETOKEN" not in done.err
    assert "EXAMPLEKEY" not in done.err


@pytest.mark.parametrize("chained", [False, True])
def test_credentials_of_a_profile_are_refused_with_its_name(
    user: User, tmp_path: Path, *, chained: bool
) -> None:
    role = (
        "[profile outer]\nrole_arn = arn:aws:iam::111122223333:role/r\nsource_profile = one\n"
        if chained
        else ""
    )
    config = tmp_path / "config"
    config.write_text(
        f"[profile one]\naws_access_key_id = AKIA\naws_secret_access_key = two words {KEY}\n{role}"
    )
    del user.variables["AWS_ACCESS_KEY_ID"], user.variables["AWS_SECRET_ACCESS_KEY"]
    user.variables["AWS_CONFIG_FILE"] = str(config)

    done = user.run("status", "dev", "--profile", "outer" if chained else "one")

    assert (done.code, KEY in done.err) == (2, False), done.err
    assert "aws_secret_access_key of the profile one holds white space" in done.err


def test_what_a_credential_process_says_is_short_and_without_secrets(user: User, tmp_path: Path) -> None:
    program = tmp_path / "login"
    program.write_text(
        f"#!/bin/sh\necho 'no: http://u:hunter22@proxy AWS_SESSION_TOKEN={TOKEN} {'x' * 5000}' >&2\nexit 1\n"
    )
    program.chmod(0o755)
    config = tmp_path / "config"
    config.write_text(f"[profile one]\ncredential_process = {program}\n")
    del user.variables["AWS_ACCESS_KEY_ID"], user.variables["AWS_SECRET_ACCESS_KEY"]
    user.variables["AWS_CONFIG_FILE"] = str(config)

    done = user.run("status", "dev", "--profile", "one")

    assert done.code in {2, 5}
    assert "hunter22" not in done.err
    assert "EXAMPLETOKEN" not in done.err
    assert 0 < len(done.err) < 1000


def test_a_reason_from_aws_steers_no_terminal_and_shows_no_secret(user: User, tmp_path: Path) -> None:
    """An endpoint that is none of AWS's: its words are passed on in one line, without what they repeat."""
    body = f"<html><title>x</title><body>Authorization: Basic {KEY}\x1b[2J</body></html>"
    with serving(always("407 Proxy Authentication Required", "text/html", body.encode())) as endpoint:
        user.variables.update({"AWS_ENDPOINT_URL": endpoint, "AWS_SECRET_ACCESS_KEY": KEY})
        done = user.run("status", "dev")

    assert done.code != 0
    assert "<body>" not in done.err
    assert KEY not in done.err
    assert CONTROLS.search(done.err) is None


@pytest.mark.parametrize("agent", ["GITHUB_ACTIONS", "TF_BUILD"])
def test_what_is_written_for_an_agents_page_passes_the_gate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], agent: str
) -> None:
    for name in ("GITHUB_ACTIONS", "TF_BUILD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(agent, "true")
    for name in ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("AGENT_TEMPDIRECTORY", str(tmp_path))

    with closed():
        telling.summary(f"a {KEY} \x1b]0;x\x07", "plan")
        telling.variables({"url": f"http://u:hunter22@h?X-Amz-Security-Token={TOKEN}"})
        telling.error(f"no {KEY}\r::add-mask::x\x1b")

    written = "".join(path.read_text() for path in tmp_path.iterdir()) + "".join(capsys.readouterr())
    assert "(hidden)" in written
    assert not any(secret in written for secret in (KEY, TOKEN, "hunter22"))
    assert CONTROLS.search(written) is None
