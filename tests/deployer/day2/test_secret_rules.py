"""What secrets and parameters hold and who may write them: the rules, and the race."""

import json
from collections.abc import Callable
from typing import Any

import botocore.session
import pytest
from botocore.stub import Stubber

from deployer.aws.stores.secret_store import SecretsManager
from deployer.day2 import parameters, secrets
from deployer.day2.secrets import Kind, SecretInfo, SecretValue, Target
from deployer.errors import CloudError, DeployError, MovedOn, NotAllowed, Refused
from gatestack.catalogue import catalogue
from sandbox.server import Sandbox
from stacks.systems import application
from tests.command import CREDENTIALS

NAME = "dev-litellm/api-keys"
KEYS = json.dumps(
    {"OPENAI_API_KEY": "REPLACE_ME", "ANTHROPIC_API_KEY": "sk-ant", "AWS_BEDROCK_REGION": "us-east-1"}
)
OPENAI = Target("api-keys", "OPENAI_API_KEY")
KNOWN = catalogue(application("litellm"))
API_KEYS = KNOWN["api-keys"]


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("api-keys", Target("api-keys")),
        ("dev-litellm/api-keys", Target("api-keys")),
        ("api-keys/GEMINI_API_KEY", Target("api-keys", "GEMINI_API_KEY")),
        ("OPENAI_API_KEY", OPENAI),
        ("database/password", Target("database", "password")),
    ],
)
def test_a_name_is_a_secret_or_one_of_its_values(name: str, target: Target) -> None:
    assert secrets.find(name, "dev-litellm", KNOWN) == target


def test_a_name_that_two_secrets_have_is_refused_with_what_to_write() -> None:
    with pytest.raises(
        Refused, match="database-login and database have a value of that name: write database-login/pass"
    ):
        secrets.find("password", "dev-litellm", KNOWN)


def test_an_unknown_name_is_never_repeated_since_it_may_be_a_value() -> None:
    with pytest.raises(Refused, match=r"there are api-keys.*did you mean OPENAI_API_KEY") as refused:
        secrets.find("OPENAI_API_KEYx7", "dev-litellm", KNOWN)

    assert "x7" not in str(refused.value)


def test_each_value_is_set_a_placeholder_or_empty() -> None:
    text = '{"A": "x", "B": "REPLACE_ME", "C": "", "D": null, "E": 5432}'

    assert secrets.states(text) == {"A": "set", "B": "placeholder", "C": "empty", "D": "empty", "E": "set"}
    assert secrets.states("one text") == {}


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("OPENAI_API_KEY", "", "empty"),
        ("OPENAI_API_KEY", "sk-1\nsk-2", "several lines"),
        ("OPENAI_API_KEY", " sk-1", "leading or trailing spaces"),
        ("OPENAI_API_KEY", "sk-\x00", "invisible characters"),
        ("OPENAI_API_KEY", "sk 1", "no spaces"),
        ("OPENAI_API_KEY", "sk\u20131", "of ASCII"),
        ("OPENAI_API_KEY", '"sk-1"', "quotes"),
        ("OPENAI_API_KEY", "OPENAI_API_KEY=sk-1", "begins with the name"),
        ("OPENAI_API_KEY", "REPLACE_ME", "placeholder"),
        ("AWS_BEDROCK_REGION", "Frankfurt", "region"),
    ],
)
def test_a_value_that_cannot_be_is_refused_without_being_repeated(key: str, value: str, why: str) -> None:
    with pytest.raises(Refused, match=why) as refused:
        secrets.changed(KEYS, Target("api-keys", key), value, API_KEYS)

    assert "sk" not in str(refused.value)


def test_one_value_is_changed_and_the_others_stay() -> None:
    changed = json.loads(secrets.changed(KEYS, OPENAI, "sk-new", API_KEYS))

    assert changed == {**json.loads(KEYS), "OPENAI_API_KEY": "sk-new"}


def test_a_value_that_is_there_already_changes_nothing() -> None:
    assert secrets.changed(KEYS, Target("api-keys", "ANTHROPIC_API_KEY"), "sk-ant", API_KEYS) == KEYS


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("sk-secret", "what was given is none"),
        ('{"OPENAI_API_KEY": "sk-secret"', "what was given is none"),
        ('{"OPENAI_API_KEY": "sk-secret"}', "missing: ANTHROPIC_API_KEY, AWS_BEDROCK_REGION"),
        (KEYS[:-1] + ', "OTHER": "sk-secret"}', "there is another one"),
        (KEYS[:-1] + ', "OPENAI_API_KEY": "sk-secret"}', "each once"),
        (KEYS.replace('"REPLACE_ME"', "7"), "OPENAI_API_KEY: expected text in quotes"),
    ],
)
def test_a_whole_secret_is_an_object_with_the_same_keys(given: str, why: str) -> None:
    with pytest.raises(Refused, match=why) as refused:
        secrets.changed(KEYS, Target("api-keys"), given, API_KEYS)

    assert "sk-secret" not in str(refused.value)
    assert refused.value.__context__ is None  # a JSON error holds the whole text


def test_a_whole_secret_may_keep_a_placeholder() -> None:
    given = KEYS.replace("sk-ant", "sk-other")

    assert json.loads(secrets.changed(KEYS, Target("api-keys"), given, API_KEYS)) == json.loads(given)


FIRST = {"keys": [{"id": "first", "key": "k1", "description": "made"}]}
CLIENTS = catalogue(application("llm-testing"))["api-keys"]


@pytest.mark.parametrize("now", [json.dumps(FIRST), '["k1"]', "no json"])
def test_a_list_of_keys_takes_the_place_of_whatever_is_there(now: str) -> None:
    given = {"keys": [*FIRST["keys"], {"id": "b", "key": "sk-new"}]}

    assert json.loads(secrets.changed(now, Target("api-keys"), json.dumps(given), CLIENTS)) == given


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("sk-secret", "given as a JSON object on stdin, like"),
        ('["sk-secret"]', "with keys and nothing else at the top"),
        ('{"sk-secret": []}', "with keys and nothing else at the top"),
        ('{"keys": [], "keys": ["sk-secret"]}', "each name once"),
        ('{"keys": "sk-secret"}', "keys is a list"),
        ('{"keys": []}', "one entry at least"),
        ('{"keys": ["sk-secret"]}', "entry 1 of keys"),
        ('{"keys": [{"id": "sk-secret"}]}', "id and key"),
        ('{"keys": [{"id": "", "key": "sk-secret"}]}', "empty"),
        ('{"keys": [{"id": 1, "key": "sk-secret"}]}', "texts"),
    ],
)
def test_a_list_of_keys_is_what_its_application_reads(given: str, why: str) -> None:
    with pytest.raises(Refused, match=why) as refused:
        secrets.changed(json.dumps(FIRST), Target("api-keys"), given, CLIENTS)

    assert "sk-secret" not in str(refused.value)
    assert refused.value.__context__ is None


def test_a_part_of_a_list_of_keys_is_not_set_and_not_repeated() -> None:
    with pytest.raises(Refused, match="a value of api-keys is not set by itself") as refused:
        secrets.check_settable(Target("api-keys", "sk-secret"), CLIENTS, "test")

    assert "sk-secret" not in str(refused.value)


def test_what_an_application_would_not_take_is_refused_for_single_values_too() -> None:
    kind = Kind(("A", "B"), objection=lambda values: None if values["A"] != values["B"] else "A equals B")

    with pytest.raises(Refused, match="pair: A equals B; nothing was changed"):
        secrets.changed('{"A": "1", "B": "2"}', Target("pair", "A"), "2", kind)


def test_an_empty_list_is_empty() -> None:
    assert secrets.states('{"keys": []}') == {"keys": "empty"}
    assert secrets.states(json.dumps(FIRST)) == {"keys": "set"}


@pytest.mark.parametrize("name", ["master-key", "database-login", "database", "salt-key", "master-key-seed"])
def test_what_must_agree_with_something_else_is_not_set_by_hand(name: str) -> None:
    with pytest.raises(Refused, match=f"{name} is not set with `secret set`: "):
        secrets.check_settable(Target(name), KNOWN[name], "dev")


def put(sandbox: Sandbox, text: str) -> SecretsManager:
    clients = login(sandbox)
    clients("secretsmanager").create_secret(Name=NAME, SecretString=text)
    return SecretsManager(clients)


def login(sandbox: Sandbox) -> Callable[[str], Any]:
    session = botocore.session.Session()
    session.set_credentials(*CREDENTIALS.values())
    return lambda name: session.create_client(name, region_name="us-east-1", endpoint_url=sandbox.endpoint)


def test_what_somebody_else_writes_at_the_same_moment_is_kept(sandbox: Sandbox) -> None:
    store = put(sandbox, '{"A": "old", "B": "old"}')
    others = iter(['{"A": "old", "B": "theirs"}'])

    def change(text: str) -> str:
        for theirs in others:
            store.write(NAME, theirs)
        return json.dumps({**json.loads(text), "A": "ours"})

    assert secrets.update(store, NAME, change)
    assert json.loads(store.read(NAME).text) == {"A": "ours", "B": "theirs"}


def test_somebody_who_never_stops_writing_is_given_up_on(sandbox: Sandbox) -> None:
    store = put(sandbox, '{"A": "old", "B": "0"}')

    def change(text: str) -> str:
        now = json.loads(text)
        store.write(NAME, json.dumps({"A": "old", "B": now["B"] + "0"}))
        return json.dumps({**now, "A": "ours"})

    with pytest.raises(MovedOn, match="somebody else keeps writing"):
        secrets.update(store, NAME, change)


def test_nothing_is_written_where_nothing_changes(sandbox: Sandbox) -> None:
    store = put(sandbox, '{"A": "old"}')
    before = store.read(NAME).version

    assert not secrets.update(store, NAME, lambda text: text)
    assert store.read(NAME).version == before


def test_a_secret_that_is_not_there_or_holds_no_text_is_told(sandbox: Sandbox) -> None:
    clients = login(sandbox)
    store = SecretsManager(clients)
    clients("secretsmanager").create_secret(Name=NAME, SecretBinary=b"\x00")

    assert store.describe("dev-litellm/other") is None
    with pytest.raises(CloudError, match="dev-litellm/other is not there, or has no value"):
        store.read("dev-litellm/other")
    with pytest.raises(CloudError, match="dev-litellm/api-keys holds bytes"):
        store.read(NAME)


def stubbed(*refusals: tuple[str, str, str]) -> SecretsManager:
    client = botocore.session.Session().create_client(
        "secretsmanager",
        region_name="us-east-1",
        aws_access_key_id="AKIAEXAMPLE",
        aws_secret_access_key="example",
    )
    stub = Stubber(client)
    for method, code, message in refusals:
        stub.add_client_error(method, code, message)
    stub.activate()
    return SecretsManager(lambda _: client)


@pytest.mark.parametrize(
    ("code", "message"),
    [("AccessDeniedException", "Access to KMS is not allowed"), ("DecryptionFailure", "cannot decrypt")],
)
def test_a_closed_kms_key_is_told_from_a_closed_secret(code: str, message: str) -> None:
    store = stubbed(("get_secret_value", code, message))

    with pytest.raises(NotAllowed, match=r"grant kms:Decrypt and kms:GenerateDataKey on alias/dev-litellm"):
        store.read(NAME)


def test_a_missing_permission_is_named() -> None:
    store = stubbed(("get_secret_value", "AccessDeniedException", "no policy allows it"))

    with pytest.raises(NotAllowed, match="grant the permission secretsmanager:GetSecretValue"):
        store.read(NAME)


def test_an_answer_that_repeats_the_value_is_not_repeated() -> None:
    store = stubbed(("put_secret_value", "ValidationException", "Value 'sk-very-secret' at 'secretString'"))

    with pytest.raises(DeployError, match="ValidationException") as refused:
        store.write(NAME, '{"A": "sk-very-secret"}')

    assert "sk-very-secret" not in str(refused.value)
    assert refused.value.__suppress_context__


def test_values_do_not_show_themselves() -> None:
    assert "sk-1" not in repr(SecretValue("sk-1", "v"))
    assert (
        SecretInfo(NAME, "arn:aws:secretsmanager:us-east-1:123456789012:secret:x").account == "123456789012"
    )


@pytest.mark.parametrize("name", ["a b", "/a", "a/", "a//b", "ü", "", "/".join("a" * 15)])
def test_what_ssm_takes_for_no_name_is_refused(name: str) -> None:
    with pytest.raises(Refused, match="not a valid parameter name"):
        parameters.check_name(name)


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "my-token", "db/password", "secret", "client.secret"])
def test_a_name_that_sounds_like_a_secret_is_refused(name: str) -> None:
    with pytest.raises(Refused, match="use `gatestack secret set`"):
        parameters.check_name(name)


@pytest.mark.parametrize("name", ["rate-limit-rpm", "flags/new-ui", "monkey", "a_b.c-D"])
def test_other_names_are_the_users_own(name: str) -> None:
    parameters.check_name(name)
    parameters.check_value(name, "https://example.com/a?b=c")


@pytest.mark.parametrize(
    "value", ["sk-abcdefgh1234", "postgresql://me:hush@db/x", "-----BEGIN PRIVATE KEY-----"]
)
def test_a_value_that_looks_like_a_secret_is_refused_unseen(value: str) -> None:
    with pytest.raises(Refused, match="looks like a secret") as refused:
        parameters.check_value("mine", value)

    assert value not in str(refused.value)


@pytest.mark.parametrize("value", ["", "x" * 4097])
def test_a_value_that_ssm_would_not_take_is_refused(value: str) -> None:
    with pytest.raises(Refused, match=r"empty|longer"):
        parameters.check_value("mine", value)
