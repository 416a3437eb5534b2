"""The database's login rotates: a real PostgreSQL server, moto's Secrets Manager, and nobody notices."""

from __future__ import annotations

import json
import string
import subprocess
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError

from stacks import authorities
from stacks.functions import database
from stacks.functions.errors import RotationError
from stacks.functions.logins import LOCK
from stacks.functions.postgres import Login, name, quoted
from stacks.functions.scram import verifier
from tests.postgres import Database, Server, log_in, run, works
from tests.postgres_programs import environment
from tests.stacks.functions.rotations import (
    ALL,
    REGION,
    Scissors,
    Secret,
    cut_everywhere,
    cut_telling_calls,
    services,
    telling,
)

AWFUL = f"a{string.punctuation}b' OR '1'='1\\"
CLIENTS = ("secretsmanager", "ecs")


@dataclass
class World:
    """One database, its two secrets, and the rotation function as Lambda runs it."""

    database: Database
    secret: Secret
    administrator: Secret
    clients: Mapping[str, Any]
    scissors: Scissors = field(default_factory=Scissors)
    said: list[str] = field(default_factory=list)
    password: Callable[[], str] = database.new_password
    passwords: set[str] = field(default_factory=set)
    environment: dict[str, str] = field(default_factory=dict)
    lock_milliseconds: int = 5000

    def take(self, event: Mapping[str, Any]) -> None:
        variables = {
            "ADMINISTRATOR_SECRET_ARN": self.administrator.arn,
            "CLUSTER": "dev-litellm",
            "SERVICE": "dev-litellm",
        }
        database.step(
            event,
            lambda service: self.scissors.aws(self.clients[service]),
            variables | self.environment,
            connect=self.scissors.connect,
            password=self._new_password,
            lock_milliseconds=self.lock_milliseconds,
            say=self.said.append,
        )

    def _new_password(self) -> str:
        made = self.password()
        self.passwords.add(made)
        return made

    def rotate(self, token: str | None = None, *, steps: tuple[str, ...] = ALL) -> str:
        return self.secret.rotate(self.take, token, steps=steps)

    @property
    def url(self) -> str:
        return str(self.secret.value()["DATABASE_URL"])

    @property
    def name(self) -> str:
        return self.database.name

    def is_the_owner(self) -> bool:
        """Whether the current login works, and becomes the owner."""
        return run(self.url, "SELECT current_user") == [[[f"{self.name}_owner"]]]

    def roles(self) -> set[str]:
        rows = self.database.ask("SELECT rolname FROM pg_roles")
        return {row[0].removeprefix(self.name) for row in rows if row[0].startswith(f"{self.name}_")}

    def owners(self) -> dict[str, str]:
        rows = self.database.ask("SELECT tablename, tableowner FROM pg_tables WHERE schemaname = 'public'")
        return {row[0]: row[1] for row in rows}

    def forget_rotations(self) -> None:
        """Go back to a database that never saw one; what is in it is the administrator's again."""
        connection = self.database.superuser()
        for role in sorted(self.roles()):
            connection.run(f"REASSIGN OWNED BY {self.name}{role} TO {self.name}")
            connection.run(f"DROP OWNED BY {self.name}{role}")
            connection.run(f"DROP ROLE {self.name}{role}")
        connection.close()
        self.secret.put(self.database.login)

    def leaks(self, *texts: str) -> list[str]:
        """Return the passwords that *texts*, the function's log or the server's show."""
        everything = "\n".join([*texts, *self.said, self.database.server.log])
        return [one for one in {*self.passwords, self.database.password} if one in everything]


@pytest.fixture(scope="module")
def clients() -> dict[str, Any]:
    """Of one account for all tests here: each has secrets of its own."""
    account = services()
    return {one: account.client(one, REGION) for one in CLIENTS}


@pytest.fixture
def world(postgres: Server, clients: dict[str, Any]) -> World:
    made = postgres.database()
    prefix = f"dev-{made.name}"
    administrator = {"username": made.name, "password": made.password}
    return World(
        database=made,
        secret=Secret.holding(clients["secretsmanager"], f"{prefix}/database-login", made.login),
        administrator=Secret.holding(clients["secretsmanager"], f"{prefix}/database", administrator),
        clients=clients,
    )


# nobody notices


@pytest.mark.parametrize(
    "rotations_before",
    [
        pytest.param(0, id="administrator"),
        pytest.param(1, id="first", marks=pytest.mark.postgres),
        pytest.param(2, id="second", marks=pytest.mark.postgres),
    ],
)
def test_a_client_keeps_logging_in_through_a_rotation_and_the_next_ones_first_three_steps(
    world: World, rotations_before: int
) -> None:
    for _ in range(rotations_before):
        world.rotate()
    url, failed, tried = world.url, 0, 0

    def log_in_again() -> None:
        nonlocal failed, tried
        tried += 1
        failed += not works(url)

    world.scissors.between = log_in_again
    world.rotate()
    world.rotate(steps=ALL[:3])
    log_in_again()

    assert world.url != url
    assert tried > 70
    assert failed == 0


def test_the_two_roles_take_turns_and_the_one_before_the_last_is_locked_out(world: World) -> None:
    urls = [world.url]
    for _ in range(3):
        world.rotate()
        urls.append(world.url)

    assert [works(url) for url in urls] == [True, False, True, True]
    users = [run(url, "SELECT session_user")[0][0][0] for url in urls if works(url)]
    assert users == [world.name, f"{world.name}_2", f"{world.name}_1"]


def test_the_administrator_in_these_tests_is_no_superuser(world: World) -> None:
    world.rotate()

    asked = "SELECT rolsuper, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user"
    assert run(world.database.login["DATABASE_URL"], asked) == [[[False, True, True]]]


# what migrations make


def test_tables_belong_to_the_owner_whoever_made_them_and_either_login_alters_and_drops_them(
    world: World,
) -> None:
    administrator = world.url
    run(administrator, "CREATE TABLE before (id int)", "CREATE TYPE kind AS ENUM ('one')")
    world.rotate()
    first = world.url
    run(first, 'CREATE TABLE "LiteLLM_One" (id int)', "ALTER TABLE before ADD COLUMN a int")
    world.rotate()
    second = world.url
    run(second, "CREATE TABLE two (id int)", "ALTER TABLE before ADD COLUMN b int")

    assert set(world.owners().values()) == {f"{world.name}_owner"}
    assert set(world.owners()) == {"before", "LiteLLM_One", "two"}
    run(first, "ALTER TABLE two ADD COLUMN a int", "DROP TABLE two", "ALTER TYPE kind ADD VALUE 'two'")
    run(second, 'ALTER TABLE "LiteLLM_One" ADD COLUMN a int', 'DROP TABLE "LiteLLM_One"', "DROP TYPE kind")
    run(administrator, "INSERT INTO before VALUES (1)", "ALTER TABLE before ADD COLUMN c int")


def test_what_a_deployment_makes_as_administrator_goes_to_the_owner_in_the_next_rotation(
    world: World,
) -> None:
    administrator = world.secret.value()
    world.rotate()
    world.secret.put(
        administrator
    )  # CloudFormation writes its own value again when the secret's text changes
    run(world.url, "CREATE SCHEMA own", "CREATE TABLE own.late (id int)", "CREATE VIEW seen AS SELECT 1")

    world.rotate()

    assert world.secret.value()["username"] == f"{world.name}_1"
    run(
        world.url, "ALTER TABLE own.late ADD COLUMN a int", "DROP VIEW seen", "CREATE TABLE own.more (id int)"
    )


def test_the_administrators_databases_stay_the_administrators(world: World) -> None:
    run(world.url, f"CREATE DATABASE {world.name}_other", "CREATE TABLE before (id int)")

    world.rotate()

    assert world.owners() == {"before": f"{world.name}_owner"}
    rows = world.database.ask(
        "SELECT datname FROM pg_database WHERE pg_get_userbyid(datdba) = current_database()"
    )
    assert sorted(rows) == [[world.name], [f"{world.name}_other"]]


def test_a_login_that_does_not_become_the_owner_is_found_out_before_it_is_current(world: World) -> None:
    token = world.rotate(steps=ALL[:2])
    trial = f"{world.name}_1_next"
    world.database.ask(f"ALTER ROLE {trial} IN DATABASE {world.name} RESET role")

    with pytest.raises(RotationError, match=f"does not become {world.name}_owner"):
        world.rotate(token, steps=("testSecret",))

    world.rotate(token)
    assert works(world.url)


# a call fails, or the function ends, anywhere


def every(calls: Sequence[str]) -> Iterable[int]:
    return range(1, len(calls) + 1)


FAILED = ("setSecret",)
KILLED = ("finishSecret",)
"""Steps that `make test` cuts in the one way or the other: the other tests of these are for the majors."""


@pytest.mark.parametrize(
    ("cut", "step"),
    [
        pytest.param(cut, step, marks=() if cut == "after" and step in FAILED else pytest.mark.postgres)
        for cut in ("before", "after")
        for step in ALL
    ],
)
def test_whatever_call_fails_the_current_login_works_and_the_rotation_repeated_ends_right(
    world: World, step: str, cut: str
) -> None:
    cuts = []
    for token, call in cut_telling_calls(
        world.secret, world.take, world.scissors, step, after=cut == "after", killed=False
    ):
        cuts.append(call)
        assert works(world.url), f"{cut} {call}"
        world.rotate(token)
        assert world.secret.current() == token
        assert world.is_the_owner(), f"{cut} {call}"

    assert len(cuts) >= 5
    assert ("COMMIT" in cuts) == (step in {"setSecret", "finishSecret"})
    assert world.roles() == {"_owner", "_1", "_2"}
    assert world.leaks() == []


@pytest.mark.parametrize(
    ("choice", "step"),
    [
        *(pytest.param(telling, step, marks=() if step in KILLED else pytest.mark.postgres) for step in ALL),
        *(pytest.param(every, step, marks=pytest.mark.deep) for step in ALL),
    ],
)
def test_the_first_rotation_killed_after_any_call_goes_on_where_it_was_and_ends_right(
    world: World, step: str, choice: Callable[[Sequence[str]], Iterable[int]]
) -> None:
    administrator = world.url
    run(administrator, "CREATE TABLE before (id int)")
    world.rotate()
    world.forget_rotations()
    token = world.rotate(steps=ALL[: ALL.index(step)])
    world.scissors.calls.clear()
    world.rotate(token, steps=(step,))
    calls = list(world.scissors.calls)
    world.rotate(token, steps=ALL[ALL.index(step) + 1 :])
    for at in choice(calls):
        world.forget_rotations()
        token = world.rotate(steps=ALL[: ALL.index(step)])
        with world.scissors.cutting(at, after=True, killed=True):
            world.secret.try_step(world.take, token, step)
        call = world.scissors.calls[-1]
        assert len(world.scissors.calls) >= at  # what fails by itself is gone on after
        assert works(world.url), call
        run(administrator, "INSERT INTO before VALUES (1)")
        world.rotate(token, steps=ALL[ALL.index(step) :])
        run(world.url, f"ALTER TABLE before ADD COLUMN column{at} int")
        assert world.roles() == {"_owner", "_1"}, call

    assert len(calls) >= 5


@pytest.mark.deep
@pytest.mark.parametrize("step", ALL)
@pytest.mark.parametrize("cut", ["before", "after"])
@pytest.mark.parametrize("how", ["killed", "failed"])
@pytest.mark.parametrize("then", ["the step", "the rotation", "another rotation"])
def test_cut_in_any_way_and_gone_on_with_in_any_way_a_rotation_ends_right(
    world: World, step: str, cut: str, how: str, then: str
) -> None:
    for token, call in cut_everywhere(
        world.secret, world.take, world.scissors, step, after=cut == "after", killed=how == "killed"
    ):
        assert works(world.url), f"{cut} {call}"
        first = 0 if then == "the rotation" else ALL.index(step)
        if then == "another rotation":
            world.rotate()
        else:
            world.rotate(token, steps=ALL[first:])
        assert world.is_the_owner(), f"{cut} {call}"


@pytest.mark.parametrize(
    ("step", "left"), [("setSecret", set()), ("finishSecret", {"_owner", "_1", "_1_next"})]
)
def test_a_step_changes_the_roles_at_once_or_not_at_all(world: World, step: str, left: set[str]) -> None:
    for _, call in cut_everywhere(world.secret, world.take, world.scissors, step, after=False, killed=True):
        if call == "COMMIT":
            assert world.roles() == left
            return
    pytest.fail("nothing was committed")


def test_a_new_value_is_made_once(world: World) -> None:
    token = world.rotate(steps=ALL[:2])
    made = world.secret.value("AWSPENDING")

    world.rotate(token, steps=ALL[:1])
    assert world.secret.value("AWSPENDING") == made
    world.rotate(token, steps=ALL[2:])

    assert world.secret.value() == made


def test_repeating_a_finished_rotation_changes_nothing(world: World) -> None:
    token = world.rotate()
    url, roles = world.url, world.roles()
    world.scissors.calls.clear()

    world.rotate(token)

    assert (world.url, world.roles(), world.secret.current()) == (url, roles, token)
    assert works(url)
    assert world.scissors.calls == ["describe_secret"] * 4 + ["update_service"]


# passwords


def test_a_password_of_special_characters_works_by_its_parts_and_in_the_url(world: World) -> None:
    world.password = lambda: AWFUL

    world.rotate()

    value = world.secret.value()
    assert value["password"] == AWFUL
    assert run(value["DATABASE_URL"], "SELECT session_user") == [[[f"{world.name}_1"]]]
    server = world.database.server
    command = [server.programs / "psql", "-X", "-A", "-t", "-c", "SELECT session_user", value["DATABASE_URL"]]
    done = subprocess.run(
        command, env=environment(server.programs), capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == f"{world.name}_1"


@pytest.mark.postgres
def test_each_special_character_survives_verifier_and_url(world: World) -> None:
    world.rotate()
    administrator, role = world.database.login["DATABASE_URL"], f"{world.name}_1"
    where = Login("127.0.0.1", world.database.server.port, world.name, role, "")

    for character in f"{string.punctuation} ":
        password = f"{character}x{character}"
        run(administrator, f"ALTER ROLE {name(role)} PASSWORD {quoted(verifier(password))}")
        assert works(database.url(where.by(role, password), {})), character


def test_the_password_made_here_is_long_and_never_the_same() -> None:
    made = {database.new_password() for _ in range(100)}

    assert len(made) == 100
    assert {len(password) for password in made} == {40}
    assert set("".join(made)) <= set(string.ascii_letters + string.digits)


def test_all_other_fields_of_the_secret_stay(world: World) -> None:
    before = world.secret.value() | {"note": {"by": "hand"}}
    before["DATABASE_URL"] += "&connect_timeout=5"
    world.secret.put(before)

    world.rotate()

    after = world.secret.value()
    changed = {name for name in before if before[name] != after[name]}
    assert set(after) == set(before)
    assert changed == {"username", "password", "DATABASE_URL"}
    assert after["DATABASE_URL"].endswith(f"/{world.name}?sslmode=require&connect_timeout=5")


# secrecy


def test_no_password_is_in_any_log_line_error_or_statement(world: World, postgres: Server) -> None:
    errors = []
    for step in ALL:
        token = world.rotate(steps=ALL[: ALL.index(step)])
        with world.scissors.cutting(4, after=False, killed=False), pytest.raises(RotationError) as caught:
            world.take(world.secret.event(token, step))
        errors.append(everything_of(caught.value))
        world.rotate(token)
    world.administrator.put({"username": world.name, "password": "notThisOne"})
    world.passwords.add("notThisOne")
    with pytest.raises(RotationError) as caught:
        world.rotate()
    errors.append(everything_of(caught.value))

    assert f'statement: ALTER ROLE "{world.name}_2" LOGIN PASSWORD' in postgres.log
    assert len(world.passwords) == 6
    assert world.leaks(*errors) == []


def everything_of(error: BaseException) -> str:
    """Return what Lambda, or anybody, can print of an error."""
    return "".join(traceback.format_exception(error)) + repr((error, error.__context__, error.__cause__))


def test_each_step_writes_one_line_that_names_secret_version_and_outcome(world: World) -> None:
    token = world.rotate()
    world.database.ask(f"ALTER ROLE {world.name} NOLOGIN")
    failed = world.secret.begin()
    with pytest.raises(RotationError):
        world.rotate(failed, steps=ALL[:2])

    lines = [json.loads(line) for line in world.said]
    assert [line["step"] for line in lines] == [*ALL, *ALL[:2]]
    assert lines[0] == {
        "secret": world.secret.name,
        "token": token[:8],
        "step": "createSecret",
        "outcome": "done",
    }
    assert lines[-1] | {"error": ""} == {
        "secret": world.secret.name,
        "token": failed[:8],
        "step": "setSecret",
        "outcome": "failed",
        "error": "",
    }
    assert f"the database refuses the login as {world.name}" in lines[-1]["error"]


# what is refused


def test_a_version_that_is_not_pending_is_refused(world: World) -> None:
    old = world.secret.current()
    token = world.rotate()

    for version in (old, "00000000-0000-0000-0000-000000000000"):
        with pytest.raises(RotationError, match=f"version {version[:8]} is not AWSPENDING"):
            world.rotate(version)
    assert world.secret.current() == token


class SwitchedOff:
    """Secrets Manager after CancelRotateSecret."""

    def __init__(self, real: Any) -> None:
        self._real = real

    def __getattr__(self, method: str) -> Any:
        return getattr(self._real, method)

    def describe_secret(self, **given: Any) -> dict[str, Any]:
        return {**self._real.describe_secret(**given), "RotationEnabled": False}


def test_a_rotation_that_was_switched_off_goes_no_further(world: World) -> None:
    token = world.rotate(steps=ALL[:3])
    world.clients = {**world.clients, "secretsmanager": SwitchedOff(world.clients["secretsmanager"])}

    with pytest.raises(RotationError, match="rotation is switched off"):
        world.rotate(token, steps=("finishSecret",))
    assert world.secret.value()["username"] == world.name


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ({"Step": "dropSecret"}, "none of createSecret, setSecret, testSecret, finishSecret"),
        ({"Step": None}, "has no Step"),
        ({"SecretId": None, "ClientRequestToken": 3}, "has no SecretId, ClientRequestToken"),
    ],
)
def test_an_event_that_is_not_secrets_managers_is_refused(
    world: World, event: dict[str, Any], said: str
) -> None:
    with pytest.raises(RotationError, match=said):
        world.take(world.secret.event(world.secret.begin(), "setSecret") | event)


@pytest.mark.parametrize("step", ["setSecret", "finishSecret"])
def test_without_a_new_value_nothing_is_set(world: World, step: str) -> None:
    with pytest.raises(RotationError, match="createSecret comes first"):
        world.rotate(steps=(step,))
    assert world.roles() == set()


@pytest.mark.parametrize("step", ["setSecret", "testSecret", "finishSecret"])
def test_the_role_that_became_current_meanwhile_keeps_its_password(world: World, step: str) -> None:
    world.rotate()
    token = world.rotate(steps=ALL[:2])
    current = world.secret.value()
    world.secret.put(world.secret.value("AWSPENDING") | {"password": current["password"]})
    world.secret.put(current)
    world.secret.put(current | {"username": f"{world.name}_2"})

    with pytest.raises(RotationError, match="the secret changed during the rotation"):
        world.rotate(token, steps=(step,))
    assert works(current["DATABASE_URL"])


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ({"port": "many"}, "has no port"),
        ({"host": ""}, "has no host"),
        ({"username": 3}, "has no username"),
    ],
)
def test_a_damaged_secret_is_refused_by_the_name_of_what_is_missing(
    world: World, damage: dict[str, Any], said: str
) -> None:
    world.secret.put(world.secret.value() | damage)

    with pytest.raises(RotationError, match=said):
        world.rotate()


def test_a_secret_that_is_no_json_object_is_refused_without_showing_it(world: World) -> None:
    world.secret.client.put_secret_value(SecretId=world.secret.name, SecretString="hunter2")

    with pytest.raises(RotationError, match="not a JSON object") as caught:
        world.rotate()
    assert "hunter2" not in f"{caught.value} {world.said}"


# Secrets Manager's own test of the function


@pytest.mark.parametrize("rotations_before", [0, 1])
@pytest.mark.parametrize("given", ["a copy", "no value"])
def test_secrets_managers_own_test_passes(world: World, rotations_before: int, given: str) -> None:
    for _ in range(rotations_before):
        world.rotate()
    token = world.secret.begin(world.secret.value() if given == "a copy" else None)

    world.rotate(token, steps=("testSecret",))

    assert json.loads(world.said[-1])["outcome"] == "done"


def test_secrets_managers_own_test_of_a_login_that_does_not_work_fails(world: World) -> None:
    world.secret.put(world.secret.value() | {"password": "wrong"})

    with pytest.raises(RotationError, match="refuses the login"):
        world.rotate(world.secret.begin(world.secret.value()), steps=("testSecret",))


# around it


@pytest.mark.parametrize("step", ["setSecret", "finishSecret"])
def test_two_rotations_of_one_database_wait_for_each_other(world: World, step: str) -> None:
    token = world.rotate(steps=ALL[: ALL.index(step)])
    world.lock_milliseconds = 50
    other = log_in(world.url)
    other.run("BEGIN")
    other.run(f"SELECT pg_advisory_xact_lock({LOCK})")

    with pytest.raises(RotationError, match="lock timeout"):
        world.rotate(token, steps=(step,))
    other.close()
    world.lock_milliseconds = 5000
    world.rotate(token)

    assert works(world.url)


def test_a_table_that_is_in_use_stops_the_rotation_and_not_its_users(world: World) -> None:
    run(world.url, "CREATE TABLE before (id int)")
    world.lock_milliseconds = 50
    user = log_in(world.url)
    user.run("BEGIN")
    user.run("LOCK TABLE before")

    with pytest.raises(RotationError, match="lock timeout"):
        world.rotate()
    assert world.owners() == {"before": world.name}
    user.close()
    world.lock_milliseconds = 5000
    world.rotate()

    assert world.owners() == {"before": f"{world.name}_owner"}


def test_every_connection_is_encrypted(world: World, postgres: Server) -> None:
    world.rotate()

    lines = [line for line in postgres.log.splitlines() if "application_name=gatestack rotation" in line]
    ours = [line for line in lines if f"database={world.name} " in line]
    assert len(ours) == 4
    assert all("SSL enabled" in line for line in ours)


def test_a_server_without_tls_is_refused_unless_the_environment_says_so(
    world: World, postgres: Server
) -> None:
    with postgres.without_tls():
        with pytest.raises(RotationError, match="refuses TLS"):
            world.rotate()
        world.environment["DATABASE_TLS"] = "off"
        world.rotate()

    assert world.secret.value()["username"] == f"{world.name}_1"


def test_a_server_that_its_authority_vouches_for_is_verified(world: World, postgres: Server) -> None:
    world.environment["DATABASE_CERTIFICATE"] = postgres.certificate

    world.rotate()

    assert works(world.url)


@pytest.mark.parametrize(
    ("authority", "host", "why"),
    [
        (authorities.by_region()["us-east-1"], "127.0.0.1", "self-signed certificate"),
        ("the server's", "localhost", "Hostname mismatch"),
    ],
    ids=["another authority", "another name"],
)
def test_a_server_that_is_not_the_database_gets_no_password(
    world: World, postgres: Server, authority: str, host: str, why: str
) -> None:
    own = authority == "the server's"
    world.environment["DATABASE_CERTIFICATE"] = postgres.certificate if own else authority
    world.secret.put(world.secret.value() | {"host": host})
    before = postgres.log.count("connection authorized")

    with pytest.raises(
        RotationError, match=f"{host}:{postgres.port}: its certificate is not verified.*{why}"
    ):
        world.rotate()

    assert postgres.log.count("connection authorized") == before


def test_a_database_that_cannot_be_reached_is_named(world: World) -> None:
    world.secret.put(world.secret.value() | {"port": 1})

    with pytest.raises(RotationError, match=r"127\.0\.0\.1:1: no answer"):
        world.rotate()


def test_a_rotation_heals_a_database_that_was_restored_with_older_passwords(world: World) -> None:
    world.rotate()
    for role in ("_1", "_2"):
        world.database.ask(f"DROP ROLE IF EXISTS {world.name}{role}")
    assert not works(world.url)

    world.rotate()

    assert works(world.url)


def test_public_rights_that_were_taken_away_are_not_needed(world: World) -> None:
    world.database.ask(f"REVOKE ALL ON DATABASE {world.name} FROM PUBLIC")

    world.rotate()

    run(world.url, "CREATE TABLE one (id int)", "CREATE TEMPORARY TABLE two (id int)")


class Refusing:
    """ECS that refuses to roll, `times` times."""

    def __init__(self, times: int, code: str) -> None:
        self._times = times
        self._code = code
        self.rolled = 0

    def update_service(self, **given: Any) -> None:
        if self._times:
            self._times -= 1
            raise ClientError({"Error": {"Code": self._code, "Message": "no"}}, "UpdateService")
        assert given == {"cluster": "dev-litellm", "service": "dev-litellm", "forceNewDeployment": True}
        self.rolled += 1


def test_when_the_service_cannot_be_rolled_the_new_login_is_current_and_a_repeat_rolls_it(
    world: World,
) -> None:
    ecs = Refusing(1, "AccessDeniedException")
    world.clients = {**world.clients, "ecs": ecs}
    token = world.secret.begin()

    with pytest.raises(RotationError, match=r"AccessDeniedException.*run `gatestack rollout`"):
        world.rotate(token)
    assert (world.secret.current(), ecs.rolled) == (token, 0)
    world.rotate(token)

    assert (world.secret.current(), ecs.rolled) == (token, 1)


@pytest.mark.parametrize(
    "code", ["ClusterNotFoundException", "ServiceNotFoundException", "ServiceNotActiveException"]
)
def test_without_a_service_there_is_nothing_to_roll(world: World, code: str) -> None:
    world.clients = {**world.clients, "ecs": Refusing(1, code)}

    world.rotate()

    assert json.loads(world.said[-1])["outcome"] == "done"
