"""`secret get|set|list` as a user runs them: what is shown, what is never shown, what is refused."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from sandbox.server import Sandbox
from tests.command import Done, User
from tests.places import ROOT
from tests.sandbox.sandbox_account import client

PLACEHOLDERS = {"OPENAI_API_KEY": "REPLACE_ME", "ANTHROPIC_API_KEY": "", "AWS_BEDROCK_REGION": "us-east-1"}
VALUE = "sk-proj-0123456789abcdef"
CLIENTS = {"keys": [{"id": "first", "key": "made-at-first", "description": "made with the environment"}]}


@pytest.fixture
def vault(sandbox: Sandbox) -> Any:
    secrets = client(sandbox, "secretsmanager")
    secrets.create_secret(Name="dev-litellm/api-keys", SecretString=json.dumps(PLACEHOLDERS))
    secrets.create_secret(Name="dev-litellm/master-key", SecretString='{"LITELLM_MASTER_KEY": "sk-master"}')
    return secrets


@pytest.fixture
def other(vault: Any) -> Any:
    """The same account with secrets of other systems."""
    vault.create_secret(Name="test-llm-testing/api-keys", SecretString=json.dumps(CLIENTS))
    vault.create_secret(Name="dev-llm-proxy/management-token", SecretString='{"MANAGEMENT_TOKEN": "old"}')
    return vault


def held(vault: Any, name: str = "dev-litellm/api-keys") -> dict[str, Any]:
    text = vault.get_secret_value(SecretId=name)["SecretString"]
    found: dict[str, Any] = json.loads(text)
    return found


def at_prompts(user: User, typed: list[tuple[str, str]], *arguments: str) -> tuple[Done, str]:
    """
    Run gatestack at a terminal of its own; returns also what the terminal showed of what was typed.

    A hidden prompt forgets what was typed before it: each line is typed when its prompt is there.
    """
    theirs, ours = os.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "gatestack", *arguments],
        cwd=user.folder,
        env={"PATH": os.environ["PATH"], "HOME": str(user.folder), "PYTHONPATH": str(ROOT)} | user.variables,
        stdin=ours,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as running:
        assert running.stderr
        assert running.stdout
        err = b""
        for prompt, line in typed:
            err += read_to_prompt(running.stderr, f"\n{prompt}: ".encode())
            os.write(theirs, f"{line}\n".encode())
        err += running.stderr.read()
        out = running.stdout.read()
    os.write(ours, b"<end>")
    shown = b""
    while b"<end>" not in shown:
        shown += os.read(theirs, 1024)
    os.close(theirs)
    os.close(ours)
    return Done(running.returncode, out.decode(), err.decode()), shown.decode()


def read_to_prompt(stream: Any, prompt: bytes) -> bytes:
    seen = b""
    while not (b"\n" + seen).endswith(prompt):
        one = stream.read(1)
        assert one, seen.decode()
        seen += one
    return bytes(seen)


def test_a_key_is_set_from_stdin_and_the_others_stay(user: User, vault: Any) -> None:
    done = user.run("secret", "set", "dev", "OPENAI_API_KEY", stdin=f"{VALUE}\n")

    assert (done.code, done.out) == (0, "")
    assert done.err.splitlines() == [
        "api-keys/OPENAI_API_KEY of dev is set",
        "tasks read it at their start: gatestack rollout dev",
    ]
    assert held(vault) == {**PLACEHOLDERS, "OPENAI_API_KEY": VALUE}


def test_the_same_value_again_makes_no_new_version(user: User, vault: Any) -> None:
    user.run("secret", "set", "dev", "OPENAI_API_KEY", stdin=VALUE)
    before = vault.describe_secret(SecretId="dev-litellm/api-keys")["VersionIdsToStages"]

    done = user.run("secret", "set", "dev", "OPENAI_API_KEY", stdin=VALUE)

    assert "that is its value already; nothing was changed" in done.err
    assert vault.describe_secret(SecretId="dev-litellm/api-keys")["VersionIdsToStages"] == before


def test_at_a_terminal_a_value_is_asked_for_twice_and_never_shown(user: User, vault: Any) -> None:
    first, second = "OPENAI_API_KEY", "Repeat for confirmation"
    wrong = [(first, "sk with spaces"), (first, VALUE), (second, "something else")]
    typed = [*wrong, (first, VALUE), (second, VALUE)]

    done, shown = at_prompts(user, typed, "secret", "set", "dev", "OPENAI_API_KEY")

    assert "a key has no spaces" in done.err
    assert "The two entered values do not match." in done.err
    assert done.code == 0
    assert held(vault)["OPENAI_API_KEY"] == VALUE
    assert not any(line in shown + done.err + done.out for _, line in typed)


def test_a_whole_secret_is_not_typed(user: User, vault: Any) -> None:
    done = user.at_a_terminal("", "secret", "set", "dev", "api-keys")

    assert (
        "name one value (api-keys/OPENAI_API_KEY), or give all of them as a JSON object on stdin" in done.err
    )
    assert done.code == 2


def test_a_whole_secret_is_replaced_by_an_object_with_the_same_keys(user: User, vault: Any) -> None:
    new = {**PLACEHOLDERS, "ANTHROPIC_API_KEY": VALUE}

    done = user.run("secret", "set", "dev", "api-keys", stdin=json.dumps(new, indent=1))

    assert done.code == 0, done.err
    assert held(vault) == new


@pytest.mark.parametrize(
    "arguments",
    [
        ["dev", "OPENAI_API_KEY", VALUE],
        ["dev", "OPENAI_API_KEY", f"--value={VALUE}"],
        ["dev", f"OPENAI_API_KEY={VALUE}"],
        ["dev", f"-{VALUE}"],
    ],
)
def test_a_value_on_the_command_line_is_refused_and_not_repeated(user: User, arguments: list[str]) -> None:
    done = user.run("secret", "set", *arguments)

    assert "a value is never given on the command line" in done.err
    assert VALUE not in done.err
    assert (done.code, done.out) == (2, "")


@pytest.mark.parametrize(
    ("name", "stdin", "message"),
    [
        ("OPENAI_API_KEY", "", "OPENAI_API_KEY is not set: it is empty"),
        ("OPENAI_API_KEY", f"{VALUE}\n{VALUE}\n", "it has several lines"),
        ("OPENAI_API_KEY", VALUE * 4000, "no UTF-8 text of at most 65536 bytes"),
        ("api-keys", f'{{"OPENAI_API_KEY": "{VALUE}', "what was given is none"),
        ("api-keys/OTHER", VALUE, "api-keys has no value of that name; it has OPENAI_API_KEY"),
        (VALUE, VALUE, "no secret or value of that name; there are api-keys"),
        ("LITELLM_MASTER_KEY", VALUE, "use `gatestack rotate dev master-key`"),
        ("salt-key", VALUE, "salt-key is not set with `secret set`"),
    ],
)
def test_what_cannot_be_set_is_refused_and_not_repeated(
    user: User, vault: Any, name: str, stdin: str, message: str
) -> None:
    done = user.run("secret", "set", "dev", name, stdin=stdin)

    assert message in done.err
    assert VALUE not in done.err
    assert (done.code, done.out) == (2, "")
    assert held(vault) == PLACEHOLDERS


def test_bytes_that_are_no_text_are_refused(user: User, vault: Any) -> None:
    command = f"printf 'sk-\\377\\376' | '{sys.executable}' -m gatestack secret set dev OPENAI_API_KEY"

    done = user.call("sh", "-c", command)

    assert "no UTF-8 text" in done.err
    assert done.code == 2


def test_get_shows_what_is_there_and_no_value(user: User, vault: Any) -> None:
    user.run("secret", "set", "dev", "OPENAI_API_KEY", stdin=VALUE)

    done = user.run("secret", "get", "dev", "api-keys")

    rows = [line.split() for line in done.out.splitlines()]
    assert rows[0] == ["dev-litellm/api-keys"]
    assert rows[4:6] == [["OPENAI_API_KEY", "set"], ["ANTHROPIC_API_KEY", "empty"]]
    assert (VALUE in done.out + done.err, done.code) == (False, 0)


def test_get_for_machines_has_the_value_only_when_revealed(user: User, vault: Any) -> None:
    hidden = json.loads(user.run("secret", "get", "dev", "ANTHROPIC_API_KEY", "--format", "json").out)
    shown = json.loads(user.run("secret", "get", "dev", "api-keys", "--format", "json", "--reveal").out)

    assert hidden["keys"] == {"ANTHROPIC_API_KEY": "empty"}
    assert (hidden["environment"], hidden["name"]) == ("dev", "api-keys")
    assert hidden["arn"].startswith(
        "arn:aws:secretsmanager:us-east-1:123456789012:secret:dev-litellm/api-keys"
    )
    assert hidden["rotation"] == {"enabled": False, "days": None, "last": None, "next": None}
    assert hidden["last_changed"]
    assert "value" not in hidden
    assert shown["keys"]["OPENAI_API_KEY"] == "placeholder"
    assert shown["value"] == PLACEHOLDERS


def test_reveal_prints_the_value_and_nothing_else(user: User, vault: Any) -> None:
    assert user.run("secret", "get", "dev", "LITELLM_MASTER_KEY", "--reveal").out == "sk-master\n"
    assert json.loads(user.run("secret", "get", "dev", "api-keys", "--reveal").out) == PLACEHOLDERS


def test_a_folder_that_was_generated_names_the_same_secrets(user: User, vault: Any) -> None:
    assert user.run("generate", "dev", "--out", "reviewed").code == 0

    assert user.run("secret", "get", "reviewed", "LITELLM_MASTER_KEY", "--reveal").out == "sk-master\n"


def test_global_options_are_taken_behind_a_command_of_a_group(user: User, vault: Any) -> None:
    done = user.run("secret", "get", "dev", "api-keys", "--region", "eu-west-1")

    assert (
        "there is no secret dev-litellm/api-keys in eu-west-1: `gatestack deploy dev --region eu-west-1` "
        "creates it" in done.err
    )
    assert done.code == 1


def test_a_secret_that_is_going_away_is_not_written(user: User, vault: Any) -> None:
    vault.delete_secret(SecretId="dev-litellm/api-keys", RecoveryWindowInDays=7)

    done = user.run("secret", "set", "dev", "OPENAI_API_KEY", stdin=VALUE)

    assert "dev-litellm/api-keys is scheduled for deletion" in done.err
    assert "aws secretsmanager restore-secret --region us-east-1 --secret-id dev-litellm/api-keys" in done.err
    assert done.code == 1


def test_a_secret_of_another_account_is_not_touched(user: User, vault: Any) -> None:
    user.edit("dev", "tier: dev", 'tier: dev\naccount: "999999999999"')

    done = user.run("secret", "set", "dev", "OPENAI_API_KEY", stdin=VALUE)

    assert "the credentials are those of account 123456789012, dev is for 999999999999" in done.err
    assert done.code == 2
    assert held(vault) == PLACEHOLDERS


def test_list_shows_every_secret_and_which_are_missing(user: User, vault: Any) -> None:
    done = user.run("secret", "list", "dev")
    found = json.loads(user.run("secret", "list", "dev", "--format", "json").out)["secrets"]

    assert "  OPENAI_API_KEY      placeholder" in done.out.splitlines()
    assert "salt-key: not there" in done.out.splitlines()
    assert "sk-master" not in done.out
    assert [one["name"] for one in found if one["arn"]] == ["api-keys", "master-key"]


def test_list_of_what_was_never_deployed_says_so(user: User) -> None:
    done = user.run("secret", "list", "dev")

    assert "there is no secret dev-litellm/... in us-east-1: `gatestack deploy dev` creates it" in done.err
    assert done.code == 1


# other systems


def test_a_list_of_clients_keys_is_set_as_a_whole(user: User, other: Any) -> None:
    new = {"keys": [*CLIENTS["keys"], {"id": "team-b", "key": VALUE}]}

    done = user.run("secret", "set", "llm-testing", "api-keys", stdin=json.dumps(new, indent=1))

    assert (done.code, done.out) == (0, "")
    assert done.err.splitlines()[0] == "api-keys of test is set"
    assert held(other, "test-llm-testing/api-keys") == new
    assert json.loads(user.run("secret", "get", "llm-testing", "api-keys", "--reveal").out) == new
    hidden = user.run("secret", "get", "llm-testing", "api-keys").out
    assert (["keys", "set"] in [line.split() for line in hidden.splitlines()], VALUE in hidden) == (
        True,
        False,
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (VALUE, 'api-keys is given as a JSON object on stdin, like {"keys": [{"id": "first", "key": "..."'),
        (json.dumps({"keys": [{"id": "", "key": VALUE}]}), "an empty id or key"),
    ],
)
def test_what_the_application_could_not_read_is_refused_and_not_repeated(
    user: User, other: Any, given: str, message: str
) -> None:
    done = user.run("secret", "set", "llm-testing", "api-keys", stdin=given)

    assert message in done.err
    assert VALUE not in done.err
    assert (done.code, done.out) == (2, "")
    assert held(other, "test-llm-testing/api-keys") == CLIENTS


def test_a_list_of_keys_that_was_broken_by_hand_is_mended_by_setting_it(user: User, other: Any) -> None:
    other.put_secret_value(SecretId="test-llm-testing/api-keys", SecretString='["k1", "k2"]')

    done = user.run("secret", "set", "llm-testing", "api-keys", stdin=json.dumps(CLIENTS))

    assert done.code == 0, done.err
    assert held(other, "test-llm-testing/api-keys") == CLIENTS


def test_such_a_list_is_not_typed(user: User, other: Any) -> None:
    done = user.at_a_terminal("", "secret", "set", "llm-testing", "api-keys")

    assert "api-keys is given as a JSON object on stdin" in done.err
    assert done.code == 2


def test_the_only_value_of_a_secret_needs_no_name_at_a_terminal(user: User, other: Any) -> None:
    typed = [("MANAGEMENT_TOKEN", VALUE), ("Repeat for confirmation", VALUE)]

    done, shown = at_prompts(user, typed, "secret", "set", "llm-proxy-dev", "management-token")

    assert done.code == 0, done.err
    assert held(other, "dev-llm-proxy/management-token") == {"MANAGEMENT_TOKEN": VALUE}
    assert VALUE not in shown + done.err


def test_list_names_the_secrets_of_the_system_and_a_cache_only_where_it_has_a_password(
    user: User, other: Any
) -> None:
    def names() -> list[str]:
        found = json.loads(user.run("secret", "list", "llm-proxy-dev", "--format", "json").out)["secrets"]
        return [one["name"] for one in found]

    own = ["dispatcher-api-key", "management-token", "admin-password", "encryption-key"]
    assert names() == [*own, "database-login", "database", "encryption-key-seed"]
    other.create_secret(Name="dev-llm-proxy/cache", SecretString='{"REDIS_PASSWORD": "x"}')
    assert names() == [*own, "database-login", "database", "cache", "encryption-key-seed"]


def test_each_system_has_its_own_secrets_that_are_not_set(user: User, other: Any) -> None:
    done = user.run("secret", "set", "llm-proxy-dev", "ENCRYPTION_KEY", stdin=VALUE)

    assert "encryption-key is not set with `secret set`: the providers' keys" in done.err
    assert (done.code, done.out, VALUE in done.err) == (2, "", False)
