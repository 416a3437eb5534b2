"""What a web page, another user or another program of this machine tries on a sandbox, and what it gets."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import threading
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import boto3
import botocore.auth
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.client import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from sandbox.clock import RealClock
from sandbox.key import SIGNATURE, Key
from sandbox.local import ask
from sandbox.server import Sandbox
from sandbox.services.services import Services
from tests.command import KEY
from tests.sandbox.sandbox_account import hanging

REGION = "us-east-1"
FORM = "application/x-www-form-urlencoded"
ROLE = "arn:aws:iam::123456789012:role/any"


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    """One for all tests here: none of them gets anything done that another would see."""
    Services().reset()
    with Sandbox(clock=RealClock(1000.0), key=KEY) as running:
        yield running


Answer = tuple[int, str, dict[str, str]]


def send(
    box: Sandbox,
    method: str = "POST",
    path: str = "/",
    body: bytes | str = b"",
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Send exactly that; returns status, body and headers."""
    connection = HTTPConnection("127.0.0.1", box.port, timeout=20)
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    content = body.encode() if isinstance(body, str) else body
    given = {"Host": f"127.0.0.1:{box.port}", "Content-Length": str(len(content))} | dict(headers or {})
    for name, value in given.items():
        connection.putheader(name, value)
    connection.endheaders(content)
    answer = connection.getresponse()
    found = answer.status, answer.read().decode(), {name.lower(): it for name, it in answer.getheaders()}
    connection.close()
    return found


def signed(
    box: Sandbox,
    body: str = "Action=ListStacks&Version=2010-05-15",
    *,
    key: Key | None = None,
    path: str = "/",
    method: str = "POST",
    service: str = "cloudformation",
    host: str = "",
    **headers: str,
) -> dict[str, str]:
    """Return the headers of a request that is signed as botocore signs it."""
    key = key or box.key
    host = host or f"127.0.0.1:{box.port}"
    usual = {"Content-Type": FORM, "Host": host}
    request = AWSRequest(method, f"http://{host}{path}", usual | headers, body)
    credentials = Credentials(key.access_key_id, key.secret_access_key, key.session_token)
    SigV4Auth(credentials, service, REGION).add_auth(request)
    return dict(request.headers.items())


LIST = "Action=ListStacks&Version=2010-05-15"


def client(box: Sandbox, service: Any, key: Key | None = None, **config: Any) -> Any:
    key = key or box.key
    return boto3.client(
        service,
        region_name=REGION,
        endpoint_url=box.endpoint,
        aws_access_key_id=key.access_key_id,
        aws_secret_access_key=key.secret_access_key,
        aws_session_token=key.session_token,
        config=Config(retries={"total_max_attempts": 1}, **config),
    )


def of(answer: Mapping[str, Any]) -> Key:
    """Return the key that STS or IAM has issued."""
    return Key(answer["AccessKeyId"], answer["SecretAccessKey"], answer.get("SessionToken"))


def code(call: Any, **parameters: Any) -> tuple[str, int]:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    response = caught.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def stacks(box: Sandbox) -> list[Any]:
    return list(client(box, "cloudformation").list_stacks()["StackSummaries"])


# without the key


@pytest.mark.parametrize("content_type", ["text/plain", FORM, "", "multipart/form-data; boundary=x"])
def test_an_unsigned_post_makes_no_stack_whatever_it_says_of_its_content(
    box: Sandbox, tmp_path: Path, content_type: str
) -> None:
    form = {"Action": "CreateStack", "Version": "2010-05-15", "StackName": "evil"}
    body = urlencode(form | {"TemplateBody": hanging(tmp_path / "pipe")})

    for host in (f"127.0.0.1:{box.port}", f"cloudformation.localhost:{box.port}"):
        status, said, _ = send(box, body=body, headers={"Content-Type": content_type, "Host": host})
        assert (status, "CreateStackResult" in said) == (403, False)
    assert send(box, "GET", f"/?{body}")[0] == 403
    assert stacks(box) == []


def test_the_refusal_is_the_services_own(box: Sandbox) -> None:
    other = Key.new()
    wrong = Key(box.access_key_id, other.secret_access_key)
    expected = {
        "cloudformation": ("list_stacks", "InvalidClientTokenId", "SignatureDoesNotMatch"),
        "ec2": ("describe_vpcs", "AuthFailure", "AuthFailure"),
        "s3": ("list_buckets", "InvalidAccessKeyId", "SignatureDoesNotMatch"),
        "ssm": ("describe_parameters", "UnrecognizedClientException", "InvalidSignatureException"),
        "lambda": ("list_functions", "UnrecognizedClientException", "InvalidSignatureException"),
        "route53": ("list_hosted_zones", "InvalidClientTokenId", "SignatureDoesNotMatch"),
    }
    for service, (method, unknown, mismatch) in expected.items():
        assert code(getattr(client(box, service, other), method)) == (unknown, 403)
        assert code(getattr(client(box, service, wrong), method)) == (mismatch, 403)
    assert (
        "<Code>MissingAuthenticationToken</Code>" in send(box, body=LIST, headers={"Content-Type": FORM})[1]
    )
    assert "<Code>AccessDenied</Code>" in send(box, "GET", "/bucket/key")[1]
    target = {"X-Amz-Target": "secretsmanager.ListSecrets", "Content-Type": "application/x-amz-json-1.1"}
    assert (
        json.loads(send(box, body="{}", headers=target)[1])["__type"] == "MissingAuthenticationTokenException"
    )


def test_the_key_of_another_sandbox_opens_nothing(box: Sandbox) -> None:
    with Sandbox(clock=RealClock(1.0)) as other:
        assert other.key != box.key
        assert re.fullmatch(r"AKIA[A-Z2-7]{16}", other.access_key_id)
        assert len(other.secret_access_key) == 40
        assert other.secret_access_key not in repr(other.key)
        assert send(other, body=LIST, headers=signed(other))[0] == 200
        assert send(other, body=LIST, headers=signed(other, key=box.key))[0] == 403
        assert send(box, body=LIST, headers=signed(box, key=other.key))[0] == 403
        assert send(box, body=LIST, headers=signed(other))[0] == 403


# with a signature that was made for something else


def test_a_signed_request_cannot_be_changed(box: Sandbox) -> None:
    headers = signed(box)
    assert send(box, body=LIST, headers=headers)[0] == 200
    assert send(box, body=LIST + "&x=y", headers=headers)[0] == 403
    assert send(box, path="/?x=y", body=LIST, headers=headers)[0] == 403
    assert send(box, path="/other", body=LIST, headers=headers)[0] == 403
    assert send(box, "PUT", body=LIST, headers=headers)[0] == 403
    assert send(box, body=LIST, headers=headers | {"Host": f"localhost:{box.port}"})[0] == 403
    assert send(box, body=LIST, headers=headers | {"X-Amz-Target": "secretsmanager.ListSecrets"})[0] == 403
    later = re.sub(r"T\d{6}Z", "T000000Z", headers["X-Amz-Date"])
    assert send(box, body=LIST, headers=headers | {"X-Amz-Date": later})[0] == 403
    scope = headers["Authorization"].replace("/cloudformation/", "/iam/")
    assert send(box, body=LIST, headers=headers | {"Authorization": scope})[0] == 403
    without = headers["Authorization"].replace("host;", "")
    assert send(box, body=LIST, headers=headers | {"Authorization": without})[0] == 403


@pytest.mark.parametrize(
    "authorization", ["", "Bearer x", "AWS a:b", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 x"]
)
def test_what_is_no_signature_of_this_kind_is_none(box: Sandbox, authorization: str) -> None:
    assert send(box, body=LIST, headers={"Content-Type": FORM, "Authorization": authorization})[0] == 403


@pytest.mark.parametrize(("minutes", "status"), [(-14, 200), (-16, 403), (16, 403), (60 * 24, 403)])
def test_a_signature_is_good_for_a_quarter_of_an_hour_of_real_time(
    box: Sandbox, monkeypatch: pytest.MonkeyPatch, minutes: int, status: int
) -> None:
    now = datetime.now(UTC)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: now + timedelta(minutes=minutes))

    assert send(box, body=LIST, headers=signed(box))[0] == status


def test_a_presigned_url_is_good_as_it_is_and_not_otherwise(box: Sandbox) -> None:
    s3 = client(box, "s3", signature_version="s3v4", s3={"addressing_style": "path"})
    s3.create_bucket(Bucket="presigned")
    for name in ("a b+ü", "other"):
        s3.put_object(Bucket="presigned", Key=name, Body=b"content")

    def url(seconds: int = 60) -> str:
        made = s3.generate_presigned_url(
            "get_object", Params={"Bucket": "presigned", "Key": "a b+ü"}, ExpiresIn=seconds
        )
        parts = urlsplit(made)
        return f"{parts.path}?{parts.query}"

    good = url()
    assert send(box, "GET", good)[:2] == (200, "content")
    for changed in (
        good.replace("a%20b%2B%C3%BC", "other"),
        good.replace("X-Amz-Expires=60", "X-Amz-Expires=600"),
        good + "&versionId=1",
        good + "&X-Amz-Signature=" + "0" * 64,
        good.replace(KEY.access_key_id, Key.new().access_key_id),
        good[:-1] + ("0" if good[-1] != "0" else "1"),
        url(8 * 86_400),
    ):
        assert send(box, "GET", changed)[0] == 403, changed
    assert send(box, "DELETE", good)[0] == 403
    assert send(box, "GET", good, headers=signed(box))[0] == 403
    cloudformation = client(box, "cloudformation").generate_presigned_url("list_exports", HttpMethod="GET")
    parts = urlsplit(cloudformation)
    assert "ListExportsResult" in send(box, "GET", f"{parts.path}?{parts.query}")[1]


@pytest.mark.parametrize("as_a_session", [False, True])
def test_an_older_presigned_url_is_good_as_it_is_and_not_otherwise(
    box: Sandbox, *, as_a_session: bool
) -> None:
    own = client(box, "s3")
    own.create_bucket(Bucket="older")
    for name in ("a b", "other"):
        own.put_object(Bucket="older", Key=name, Body=b"content")
    key = of(client(box, "sts").get_session_token()["Credentials"]) if as_a_session else box.key
    s3 = client(box, "s3", key, signature_version="s3", s3={"addressing_style": "path"})

    def url(seconds: int = 60) -> str:
        parts = urlsplit(
            s3.generate_presigned_url(
                "get_object", Params={"Bucket": "older", "Key": "a b"}, ExpiresIn=seconds
            )
        )
        return f"{parts.path}?{parts.query}"

    good = url()
    assert "AWSAccessKeyId=" in good
    assert send(box, "GET", good)[:2] == (200, "content")
    expires = re.search(r"Expires=(\d+)", good)
    assert expires
    for changed in (
        good.replace("a%20b", "other"),
        good.replace(expires[1], str(int(expires[1]) + 60)),
        good.replace(key.access_key_id, Key.new().access_key_id),
        good + "&Signature=x",
        good + "&Expires=1",
        good + "&versionId=1",
        url(-1),
        url(8 * 86_400),
    ):
        assert send(box, "GET", changed)[0] == 403, changed
    assert send(box, "PUT", good, "x")[0] == 403
    assert send(box, "GET", good, headers=signed(box))[0] == 403
    assert send(box, "GET", good, headers={"Origin": "null"})[0] == 403


def test_a_presigned_url_ends_with_its_time(box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    then = datetime.now(UTC) - timedelta(minutes=2)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: then)
    s3 = client(box, "s3", signature_version="s3v4", s3={"addressing_style": "path"})

    for seconds, status in ((60, 403), (600, 404)):
        parts = urlsplit(
            s3.generate_presigned_url("get_object", Params={"Bucket": "none", "Key": "k"}, ExpiresIn=seconds)
        )
        assert send(box, "GET", f"{parts.path}?{parts.query}")[0] == status


def test_content_is_bound_to_its_hash_or_said_to_be_free(box: Sandbox) -> None:
    s3 = client(box, "s3")
    s3.create_bucket(Bucket="content")
    put = {"method": "PUT", "path": "/content/key", "service": "s3", "Content-Type": "text/plain"}
    free = signed(box, "said", **put, **{"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"})
    assert send(box, "PUT", "/content/key", "sent", free)[0] == 200
    chunks = signed(box, "said", **put, **{"X-Amz-Content-SHA256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"})
    status, said, _ = send(box, "PUT", "/content/key", "sent", chunks)
    assert (status, "NotImplemented" in said) == (501, True)
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    stated = signed(box, "said", **put, **{"X-Amz-Content-SHA256": empty})
    status, said, _ = send(box, "PUT", "/content/key", "changed", stated)
    assert (status, "XAmzContentSHA256Mismatch" in said) == (403, True)
    assert s3.get_object(Bucket="content", Key="key")["Body"].read() == b"sent"


# from a web page


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:{port}",
        "127.0.0.1.evil.example",
        "localhost.evil.example:{port}",
        "[",
        "",
    ],
)
def test_another_name_for_this_machine_is_refused_even_signed(box: Sandbox, host: str) -> None:
    name = host.format(port=box.port)
    headers = signed(box, host=name) if name not in {"[", ""} else signed(box)

    assert send(box, body=LIST, headers=headers | {"Host": name})[0] == 403


@pytest.mark.parametrize(
    "host", ["127.0.0.1:{port}", "localhost:{port}", "[::1]:{port}", "bucket.localhost:{port}"]
)
def test_names_that_only_this_machine_has_are_answered(box: Sandbox, host: str) -> None:
    name = host.format(port=box.port)

    assert send(box, body=LIST, headers=signed(box, host=name) | {"Host": name})[0] == 200


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Origin", "null"),
        ("Origin", "https://evil.example"),
        ("Origin", "http://localhost:8080"),
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
    ],
)
def test_what_a_page_sends_is_refused_even_signed(box: Sandbox, name: str, value: str) -> None:
    status, _, headers = send(box, body=LIST, headers=signed(box) | {name: value})

    assert (status, [one for one in headers if one.startswith("access-control-")]) == (403, [])


def test_no_page_of_others_may_read_an_answer(box: Sandbox) -> None:
    client(box, "s3").create_bucket(Bucket="shared")
    rule = {"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}
    client(box, "s3").put_bucket_cors(Bucket="shared", CORSConfiguration={"CORSRules": [rule]})
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"}
    answers = [
        send(box, "OPTIONS", "/shared/key", headers=asked),
        send(box, "OPTIONS", "/", headers=signed(box, "", method="OPTIONS")),
        send(box, "GET", "/shared", headers=signed(box, "", method="GET", path="/shared", service="s3")),
        send(box, body=LIST, headers=signed(box)),
    ]

    assert [status for status, _, _ in answers] == [403, 403, 200, 200]
    assert [name for _, _, headers in answers for name in headers if name.startswith("access-control")] == []


def test_the_aws_command_puts_gets_and_presigns_files(box: Sandbox, tmp_path: Path) -> None:
    file, back = tmp_path / "file", tmp_path / "back"
    file.write_bytes(b"0123456789" * 1_000_000)  # more than one part

    def aws(*arguments: str) -> str:
        variables = {"AWS_ENDPOINT_URL": box.endpoint, "AWS_DEFAULT_REGION": REGION, **box.key.variables}
        command = [Path(sys.executable).parent / "aws", "s3", *arguments]
        variables |= {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
        done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    client(box, "s3").create_bucket(Bucket="files")
    aws("cp", str(file), "s3://files/a/file")
    aws("cp", "s3://files/a/file", str(back))
    assert back.read_bytes() == file.read_bytes()
    parts = urlsplit(aws("presign", "s3://files/a/file"))
    assert send(box, "GET", f"{parts.path}?{parts.query}")[0] == 200


# moto's own pages, and the sandbox's


@pytest.mark.parametrize(
    "path",
    [
        "/moto-api/reset",
        "/moto-api/data.json",
        "/moto-api/config",
        "/moto-api/recorder/start-recording",
        "/moto-api/recorder/upload-recording",
        "/moto-api/seed?a=1",
        "/_responses",
        "/latest/meta-data/iam/security-credentials/",
    ],
)
def test_motos_own_pages_are_no_more_than_keys_of_a_bucket(box: Sandbox, path: str) -> None:
    client(box, "ssm").put_parameter(Name="/kept", Value="x", Type="String", Overwrite=True)
    for method in ("GET", "PUT", "POST"):
        assert send(box, method, path)[0] == 403
    headers = signed(box, "", method="GET", path=path, service="s3")
    status, said, _ = send(box, "GET", path, headers=headers)
    assert (status, "<Code>NoSuchBucket</Code>" in said) == (404, True)
    headers = signed(box, "", path=path, service="s3")
    send(box, "POST", path, headers=headers)
    assert client(box, "ssm").get_parameter(Name="/kept")["Parameter"]["Value"] == "x"


def test_nothing_is_recorded_whatever_motos_variables_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "recording"
    monkeypatch.setenv("MOTO_ENABLE_RECORDING", "true")
    monkeypatch.setenv("MOTO_RECORDER_FILEPATH", str(file))
    program = (
        "from sandbox.services.services import Services\n"
        "Services().client('sns', 'us-east-1').list_topics()\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)

    assert not file.exists()


@pytest.mark.parametrize("page", ["health", "calls", "faults", "clock", "reset"])
def test_control_pages_want_the_key(box: Sandbox, page: str) -> None:
    path, body = f"/_sandbox/{page}", b"{}"
    stale = f"1700000000.000-0-{'0' * 64}"
    for headers in (
        {},
        signed(box, "{}", path=path),
        {SIGNATURE: Key.new().sign("POST", path, body)},
        {SIGNATURE: box.key.sign("POST", "/_sandbox/other", body)},
        {SIGNATURE: box.key.sign("POST", path, b'{"advance": 1}')},
        {SIGNATURE: stale},
        {SIGNATURE: "nothing"},
        {SIGNATURE: box.key.sign("POST", path, body), "Origin": "null"},
        {SIGNATURE: box.key.sign("POST", path, body), "Host": "evil.example"},
    ):
        assert send(box, "POST", path, body, headers)[0] == 403
    with pytest.raises(ValueError, match="key is needed"):
        ask(box.endpoint, Key.new(), page)


def test_who_does_not_know_the_key_cannot_answer_in_the_sandboxes_place() -> None:
    def answer(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection:
            connection.recv(65_536)
            connection.sendall(b'HTTP/1.0 200 OK\r\nContent-Length: 16\r\n\r\n{"status": "ok"}')

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=answer, args=(listening,))
        thread.start()
        with pytest.raises(OSError, match="is not this sandbox"):
            ask(f"http://127.0.0.1:{listening.getsockname()[1]}", KEY, "health")
        thread.join()


# credentials that the sandbox issues


def test_sessions_that_it_issues_are_logins_with_secrets_of_their_own(box: Sandbox) -> None:
    sts = client(box, "sts")
    assumed = of(sts.assume_role(RoleArn=ROLE, RoleSessionName="one")["Credentials"])
    sessions = [of(sts.get_session_token()["Credentials"]) for _ in "12"]
    sessions.append(of(sts.get_federation_token(Name="name")["Credentials"]))

    assert client(box, "sts", assumed).get_caller_identity()["Arn"].endswith("assumed-role/any/one")
    for session in sessions:
        assert client(box, "sts", session).get_caller_identity()["Account"] == "123456789012"
    assert len({(one.access_key_id, one.secret_access_key) for one in [assumed, *sessions]}) == 4
    for key in (
        Key(assumed.access_key_id, assumed.secret_access_key, "another token"),
        Key(assumed.access_key_id, assumed.secret_access_key),
        Key("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY"),
    ):
        assert code(client(box, "sts", key).get_caller_identity) == ("InvalidClientTokenId", 403)


def test_an_access_key_is_a_login_until_it_is_deleted(box: Sandbox) -> None:
    iam = client(box, "iam")
    iam.create_user(UserName="somebody")
    key = of(iam.create_access_key(UserName="somebody")["AccessKey"])
    assert client(box, "sts", key).get_caller_identity()["Arn"].endswith("user/somebody")

    iam.delete_access_key(UserName="somebody", AccessKeyId=key.access_key_id)

    assert code(client(box, "sts", key).get_caller_identity) == ("InvalidClientTokenId", 403)
    assert (
        code(iam.delete_access_key, UserName="somebody", AccessKeyId=box.access_key_id)[0] == "NoSuchEntity"
    )
    assert stacks(box) == []


def test_a_role_is_had_without_a_signature_only_by_a_token_that_the_key_vouches_for(box: Sandbox) -> None:
    sts = boto3.client("sts", region_name=REGION, endpoint_url=box.endpoint)

    def assume(token: str) -> Any:
        return sts.assume_role_with_web_identity(
            RoleArn=ROLE, RoleSessionName="one", WebIdentityToken=token, DurationSeconds=900
        )["Credentials"]

    token = box.key.web_identity({"sub": "repo:me/gateway"})
    assert client(box, "sts", of(assume(token))).get_caller_identity()["Arn"].endswith("assumed-role/any/one")
    head, _, mac = token.split(".")
    claims = urlsafe_b64encode(b'{"sub": "repo:evil/gateway"}').decode().rstrip("=")
    none = urlsafe_b64encode(b'{"alg": "none"}').decode().rstrip("=")
    for forged in (
        f"{head}.{claims}.{mac}",
        f"{none}.{claims}.",
        "token",
        Key.new().web_identity({"sub": "x"}),
    ):
        assert code(assume, token=forged)[1] == 403
    form = {"Action": "AssumeRoleWithWebIdentity", "Version": "2011-06-15", "RoleArn": ROLE}
    body = urlencode(form | {"RoleSessionName": "one", "WebIdentityToken": token})
    page = {"Content-Type": FORM, "Origin": "https://evil.example"}
    assert send(box, body=body, headers=page)[0] == 403
    assert (
        send(
            box, body=body.replace("AssumeRoleWithWebIdentity", "ListRoles"), headers={"Content-Type": FORM}
        )[0]
        == 403
    )


# what would reach somebody else


@pytest.fixture
def listener() -> Iterator[tuple[str, list[bytes]]]:
    """A listener of somebody else's on this machine, and what has reached it."""
    reached: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def accept() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection:
                    reached.append(connection.recv(4096))
                    connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}")

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", reached
        listening.shutdown(socket.SHUT_RDWR)


def test_a_subscriber_of_a_topic_is_sent_nothing(box: Sandbox, listener: tuple[str, list[bytes]]) -> None:
    address, reached = listener
    sns = client(box, "sns")
    topic = sns.create_topic(Name="topic")["TopicArn"]
    for protocol in ("http", "https"):
        sns.subscribe(TopicArn=topic, Protocol=protocol, Endpoint=address.replace("http", protocol))

    assert sns.publish(TopicArn=topic, Message="hello")["MessageId"]
    assert reached == []


def test_an_api_destination_and_a_delivery_stream_are_sent_nothing(
    box: Sandbox, listener: tuple[str, list[bytes]]
) -> None:
    address, reached = listener
    events, firehose = client(box, "events"), client(box, "firehose")
    auth = {"ApiKeyAuthParameters": {"ApiKeyName": "n", "ApiKeyValue": "v"}}
    connection = events.create_connection(Name="c", AuthorizationType="API_KEY", AuthParameters=auth)[
        "ConnectionArn"
    ]
    destination = events.create_api_destination(
        Name="d", ConnectionArn=connection, InvocationEndpoint=address, HttpMethod="POST"
    )["ApiDestinationArn"]
    events.put_rule(Name="r", EventPattern=json.dumps({"source": ["me"]}))
    events.put_targets(Rule="r", Targets=[{"Id": "1", "Arn": destination}])
    with suppress(ClientError):  # moto wants a library for it that is not part of the project
        events.put_events(Entries=[{"Source": "me", "DetailType": "t", "Detail": "{}"}])
    bucket = {"RoleARN": ROLE, "BucketARN": "arn:aws:s3:::any"}
    firehose.create_delivery_stream(
        DeliveryStreamName="s",
        HttpEndpointDestinationConfiguration={
            "EndpointConfiguration": {"Url": address},
            "S3Configuration": bucket,
        },
    )
    firehose.put_record(DeliveryStreamName="s", Record={"Data": b"x"})

    assert reached == []


def test_a_template_a_custom_resource_and_a_function_are_fetched_and_called_nowhere(
    box: Sandbox, listener: tuple[str, list[bytes]]
) -> None:
    address, reached = listener
    cloudformation = client(box, "cloudformation")
    custom = {"Type": "Custom::Any", "Properties": {"ServiceToken": address, "ResponseURL": address}}

    assert code(cloudformation.create_stack, StackName="a", TemplateURL=f"{address}/bucket/template.json")[0]
    for kind in ("Custom::Any", "AWS::CloudFormation::CustomResource"):
        body = json.dumps({"Resources": {"A": custom | {"Type": kind}}})
        try:
            cloudformation.create_stack(StackName="b", TemplateBody=body)
        except ClientError:
            continue
        box.finish()
    assert reached == []
