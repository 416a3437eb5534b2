"""The login of a command: once, bounded, and known for what it has asked."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from pathlib import Path

import botocore.session
import pytest

from deployer.aws.account import on
from deployer.aws.errors import call
from deployer.aws.sign_in.chain import ask_nobody, opened
from deployer.aws.sign_in.login import Login, log_in
from deployer.aws.sign_in.settings_errors import SettingsError
from deployer.errors import CloudError, DeployError, LoginOver, LostSight, Refused, Transient, untouched
from sandbox.faults import CallFault
from sandbox.server import Sandbox
from tests.command import KEY, LOGIN, User
from tests.places import ROOT
from tests.sandbox.sandbox_account import client, standing
from tests.serving import always, serving

MFA = f"""[default]
role_arn = arn:aws:iam::111122223333:role/developer
mfa_serial = arn:aws:iam::111122223333:mfa/me
source_profile = keys
[profile keys]
aws_access_key_id = {KEY.access_key_id}
aws_secret_access_key = {KEY.secret_access_key}
"""
AT_ITS_TERMINAL = """
import fcntl, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from gatestack.__main__ import main
main()
"""
"""A command whose stdin is the terminal that it belongs to."""


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return tmp_path / "config"


@pytest.mark.parametrize(
    "where",
    ["[default]\n", "[default]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = b\n[profile b]\n"],
    ids=["the profile's", "of the source profile's"],
)
def test_a_program_that_hangs_is_ended(files: Path, where: str) -> None:
    files.write_text(f"{where}credential_process = sleep 600\n")
    began = time.monotonic()

    with pytest.raises(SettingsError, match=r"\(sleep\) is not finished after 0.2 seconds: run it yourself"):
        opened(None, "us-east-1", ask_nobody, seconds=0.2).get_credentials()

    assert time.monotonic() - began < 30


def test_a_command_asks_for_an_mfa_code_once(tmp_path: Path, sandbox: Sandbox) -> None:
    """`verify` asks CloudFormation and all others, by one login."""
    User.at(tmp_path)
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "config").write_text(MFA)
    variables = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    terminal, theirs = os.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", AT_ITS_TERMINAL, "verify", "dev"],
        cwd=tmp_path,
        env=variables | {"AWS_ENDPOINT_URL": sandbox.endpoint},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    ):
        os.close(theirs)
        said, typed = b"", 0
        while select.select([terminal], [], [], 60)[0]:
            try:
                said += os.read(terminal, 4096)
            except OSError:
                break
            if said.count(b"Enter MFA code") > typed:
                typed += 1
                os.write(terminal, b"123456\n")
    os.close(terminal)

    assert said.count(b"Enter MFA code") == 1
    assert b"stack security" in said


def test_a_secret_from_stdin_is_no_mfa_code(tmp_path: Path, sandbox: Sandbox) -> None:
    user = User.at(tmp_path, AWS_ENDPOINT_URL=sandbox.endpoint)
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "config").write_text(MFA)
    done = subprocess.run(
        [sys.executable, "-m", "gatestack", "secret", "set", "dev", "OPENAI_API_KEY"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)} | user.variables,
        input="sk-thesecret\n",
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
    )

    assert (done.returncode, "needs an MFA code (mfa_serial), and there is no terminal" in done.stderr) == (
        2,
        True,
    )
    assert sandbox.calls == []


def test_a_login_knows_whether_it_has_asked_for_anything_but_answers(
    files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.write_text("[default]\naws_access_key_id = a\naws_secret_access_key = b\n")
    with serving(always("400 Bad Request", "text/xml", b"<Error><Code>No</Code></Error>")) as endpoint:
        login = log_in("us-east-1", endpoint=endpoint)
        for service, method in (("cloudformation", "describe_stacks"), ("sts", "get_caller_identity")):
            with pytest.raises(CloudError):
                call(login.client(service), method)
        assert not login.asked

        with pytest.raises(CloudError):
            call(login.client("cloudformation"), "delete_stack", StackName="a")
        assert login.asked


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (LoginOver("log in again"), Refused),
        (Transient("no connection"), Refused),
        (LostSight("nothing was heard of what was watched"), LostSight),
        (CloudError("no"), CloudError),
    ],
)
def test_nothing_goes_on_that_was_not_asked_for(error: DeployError, kind: type[DeployError]) -> None:
    assert type(untouched(error)) is kind
    assert str(untouched(error)) == str(error)


def test_a_login_that_ends_when_something_was_asked_for_is_lost_sight_of(tmp_path: Path) -> None:
    """What `plan` asked for, a change set, may be there: 5, and not 2."""
    with Sandbox(key=KEY) as running:
        user = User.at(tmp_path, AWS_ENDPOINT_URL=running.endpoint, **LOGIN)
        running.faults.calls.append(CallFault("expired", "DescribeChangeSet"))
        done = user.run("plan", "dev")

    assert "the AWS credentials have expired: log in again" in done.err
    assert done.code == 5


OURS = "arn:aws:iam::123456789012:role/gatestack-deploy-us-east-1"
HOUR = 3600


def exchanging(
    tmp_path: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, role: str, seconds: int | None
) -> Login:
    """Return a pipeline's login, by a token for *role*."""
    sandbox.faults.add({"behaviour": {"sessions_end": True}})
    token = tmp_path / "token"
    token.write_text(KEY.web_identity({"sub": "sc://contoso/x/aws"}))
    monkeypatch.setenv("AWS_ENDPOINT_URL", sandbox.endpoint)
    monkeypatch.setenv("AWS_ROLE_ARN", role)
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(token))
    return log_in("us-east-1", session_seconds=seconds)


def lasting(sandbox: Sandbox, login: Login) -> float:
    """Return the seconds for which the session that *login* has is good at the sandbox's time."""
    credentials = login.client("sts")._get_credentials()
    session = sandbox.logins.session(credentials.access_key)
    assert session is not None
    assert session.ends is not None
    return session.ends - sandbox.clock.now()


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("role", "seconds", "lasts"),
    [
        (OURS, 4 * HOUR, 4 * HOUR),
        (OURS.replace("deploy", "plan"), 12 * HOUR, 12 * HOUR),
        (OURS, None, HOUR),
        ("arn:aws:iam::123456789012:role/theirs", 4 * HOUR, HOUR),
    ],
    ids=["the deploy role", "the plan role", "no pipeline in the file", "another role"],
)
def test_a_pipeline_s_session_lasts_as_long_as_the_file_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, role: str, seconds: int | None, lasts: float
) -> None:
    with standing() as sandbox:
        assert lasting(sandbox, exchanging(tmp_path, sandbox, monkeypatch, role, seconds)) == lasts


@pytest.mark.usefixtures("files")
def test_cloudformation_is_handed_a_session_that_has_only_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with standing() as sandbox:
        login = exchanging(tmp_path, sandbox, monkeypatch, OURS, 4 * HOUR)
        assert not login.fresh(), "it has only begun"
        monkeypatch.setattr("deployer.aws.sign_in.login.FRESH_SECONDS", -1)  # as if it had begun before
        cloud = on(login)
        first = set(sandbox.logins._sessions)

        cloud.caller()
        assert set(sandbox.logins._sessions) == first, "who only looks needs no other one"
        cloud.delete_stack("arn:aws:cloudformation:us-east-1:123456789012:stack/nothing/1", "token")
        assert len(set(sandbox.logins._sessions) - first) == 1


@pytest.mark.usefixtures("files")
def test_a_role_that_allows_less_than_the_file_says_is_made_anew_by_bootstrap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with standing() as sandbox:
        iam = client(sandbox, "iam")
        iam.create_role(RoleName="gatestack-deploy-us-east-1", AssumeRolePolicyDocument="{}")
        with pytest.raises(DeployError, match=r"session_hours.*gatestack bootstrap"):
            exchanging(tmp_path, sandbox, monkeypatch, OURS, 4 * HOUR)


EVENTS = """<DescribeStackEventsResponse><DescribeStackEventsResult><StackEvents><member>
<Timestamp>{}</Timestamp></member></StackEvents></DescribeStackEventsResult></DescribeStackEventsResponse>"""


@pytest.mark.parametrize(
    "told",
    [
        "2026-11-28T19:41:01.123Z",
        "2026-11-28T19:41:01Z",
        "2026-11-28T19:41:01+02:00",
        "Sat, 28 Nov 2026 19:41:01 GMT",
        "1780000000",
    ],
)
def test_times_of_answers_are_read_as_botocore_reads_them(files: Path, told: str) -> None:
    read = []
    for session in (opened(None, "us-east-1", ask_nobody), botocore.session.Session()):
        model = session.get_service_model("cloudformation").operation_model("DescribeStackEvents")
        parser = session.get_component("response_parser_factory").create_parser("query")
        answer = {"status_code": 200, "headers": {}, "body": EVENTS.format(told).encode()}
        read.append(parser.parse(answer, model.output_shape)["StackEvents"][0]["Timestamp"])

    assert read[0] == read[1]
