"""Small parts of the rotation functions: what PostgreSQL keeps of a password, what an error may say."""

import hashlib
import hmac
from base64 import b64decode
from pathlib import Path

import pytest
from botocore.exceptions import ClientError, ParamValidationError

from stacks.functions.database import url
from stacks.functions.errors import RotationError, reason
from stacks.functions.postgres import Login, block, name, quoted
from stacks.functions.rotation import Turn
from stacks.functions.scram import verifier
from tests.postgres_programs import NoServerError, programs

SALT = b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
RFC_7677 = (
    "n=user,r=rOprNGfwEbeRWgbNEkqO,"
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,"
    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
)
"""AuthMessage of the example in RFC 7677, section 3: user "user", password "pencil"."""


def test_a_verifier_gives_the_signatures_of_the_rfcs_example() -> None:
    head, keys = verifier("pencil", SALT).rsplit("$", 1)
    stored, server = (b64decode(key) for key in keys.split(":"))
    proof = b64decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")

    client_signature = hmac.digest(stored, RFC_7677.encode(), "sha256")
    client_key = bytes(a ^ b for a, b in zip(proof, client_signature, strict=True))
    assert head == "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ=="
    assert hashlib.sha256(client_key).digest() == stored
    assert hmac.digest(server, RFC_7677.encode(), "sha256") == b64decode(
        "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
    )


def test_each_verifier_has_a_salt_of_its_own() -> None:
    assert len({verifier("pencil") for _ in range(20)}) == 20


@pytest.mark.parametrize("password", ["", "schlüssel", "tab\there", "new\nline", "nul\0"])
def test_a_password_that_would_need_preparation_is_refused_and_not_shown(password: str) -> None:
    with pytest.raises(RotationError, match="not of printable ASCII") as caught:
        verifier(password)
    assert password == "" or password not in str(caught.value)


def test_an_error_of_aws_is_told_by_code_and_operation_only() -> None:
    refused = ClientError({"Error": {"Code": "AccessDenied", "Message": "hunter2"}}, "PutSecretValue")

    assert reason(refused) == "AccessDenied: AWS refused PutSecretValue"
    assert reason(ParamValidationError(report="Invalid value hunter2")) == "ParamValidationError"
    assert reason(KeyError("hunter2")) == "KeyError"
    assert reason(RotationError("no port")) == "RotationError: no port"


def test_a_secret_is_named_as_people_name_it() -> None:
    arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:dev-litellm/database-login-AbCdEf"
    event = {"ClientRequestToken": "0", "Step": "setSecret"}

    assert Turn.of(event | {"SecretId": arn}).name == "dev-litellm/database-login"
    assert Turn.of(event | {"SecretId": "dev-litellm/master-key"}).name == "dev-litellm/master-key"


def test_names_and_texts_cannot_leave_their_quotes() -> None:
    assert name('a"b') == '"a""b"'
    assert quoted("it's") == "'it''s'"
    assert block("BEGIN RAISE 'x'; END") == "DO 'BEGIN RAISE ''x''; END'"


def test_a_url_is_encoded_part_by_part() -> None:
    login = Login("db.example.com", 5432, "lite llm", "user@home", "p%/:?#[]@&")

    made = url(login, {"DATABASE_URL": "postgresql://old:pw@db.example.com:5432/x?sslmode=verify-full"})

    assert made == (
        "postgresql://user%40home:p%25%2F%3A%3F%23%5B%5D%40%26@db.example.com:5432/lite%20llm"
        "?sslmode=verify-full"
    )
    assert url(login, {}).endswith("?sslmode=require")


def test_a_login_and_a_request_do_not_print_what_is_secret() -> None:
    assert "hunter2" not in repr(Login("host", 1, "database", "user", "hunter2"))


@pytest.mark.parametrize("asked", [True, False])
def test_a_machine_without_a_postgresql_server_fails_the_tests_and_says_what_to_install(
    tmp_path: Path, *, asked: bool
) -> None:
    with pytest.raises(NoServerError, match="on Linux `make ready-dev` installs one"):
        programs(tmp_path if asked else None, locked=None, path=str(tmp_path))
