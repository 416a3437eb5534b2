"""Logging in to the database with IAM's tokens: the role that they are for, and who keeps a password."""

from __future__ import annotations

from typing import Any

import pytest

from stacks.database.access import token_user
from stacks.functions.errors import RotationError
from stacks.functions.logins import Roles
from stacks.systems import litellm_database
from tests.postgres import Server, run, works
from tests.stacks.functions.rotations import REGION, Secret, cut_everywhere, services
from tests.stacks.functions.test_database_rotation import CLIENTS, World


@pytest.fixture(scope="module")
def clients() -> dict[str, Any]:
    account = services()
    return {one: account.client(one, REGION) for one in CLIENTS}


@pytest.fixture
def world(postgres: Server, clients: dict[str, Any]) -> World:
    """A database whose tasks log in with tokens."""
    made = postgres.database()
    administrator = {"username": made.name, "password": made.password}
    return World(
        database=made,
        secret=Secret.holding(clients["secretsmanager"], f"dev-{made.name}/database-login", made.login),
        administrator=Secret.holding(clients["secretsmanager"], f"dev-{made.name}/database", administrator),
        clients=clients,
        environment={"IAM_LOGIN": "on"},
    )


def by(world: World, role: str) -> str:
    """Return how *role* would log in with what is a token to this server, and a wrong password."""
    where = f"127.0.0.1:{world.database.server.port}/{world.name}"
    return f"postgresql://{world.name}{role}:anything@{where}?sslmode=require"


def test_templates_function_and_tasks_call_the_role_by_the_same_name() -> None:
    name = litellm_database.NAME

    assert Roles(name).token == token_user(name) == f"{name}_iam"


def test_with_a_token_one_logs_in_becomes_the_owner_and_shares_tables_with_the_other_logins(
    world: World, postgres: Server
) -> None:
    with postgres.taking_tokens():
        world.rotate()
        asked = run(by(world, "_iam"), "SELECT session_user, current_user", "CREATE TABLE made (id int)")
        run(world.url, "ALTER TABLE made ADD COLUMN one int")
        world.rotate()
        run(by(world, "_iam"), "ALTER TABLE made ADD COLUMN two int")
        run(world.url, "DROP TABLE made")

    assert asked[0] == [[f"{world.name}_iam", f"{world.name}_owner"]]


def test_everybody_else_still_needs_the_password_and_has_it(world: World, postgres: Server) -> None:
    with postgres.taking_tokens():
        for _ in range(3):
            world.rotate()
            assert world.is_the_owner()
            assert works(world.database.login["DATABASE_URL"])
        taken = [role for role in ("", "_1", "_2", "_iam") if works(by(world, role))]

    assert taken == ["_iam"]


@pytest.mark.postgres
def test_while_a_rotation_goes_on_the_tokens_go_on_too(world: World, postgres: Server) -> None:
    with postgres.taking_tokens():
        world.rotate()
        seen: list[bool] = []
        world.scissors.between = lambda: seen.append(works(by(world, "_iam")))
        world.rotate()

    assert len(seen) > 20
    assert all(seen)


def test_the_role_comes_with_the_first_rotation_after_tokens_are_switched_on_and_stays(world: World) -> None:
    world.environment.clear()
    world.rotate()
    before = world.roles()
    world.environment["IAM_LOGIN"] = "on"
    for _ in range(2):
        world.rotate()

    assert before == {"_owner", "_1"}
    assert world.roles() == {"_owner", "_1", "_2", "_iam"}


def test_where_the_server_takes_no_tokens_the_role_is_there_and_nobody_logs_in_as_it(world: World) -> None:
    world.rotate()

    assert "_iam" in world.roles()
    assert not works(by(world, "_iam"))
    assert world.is_the_owner()


@pytest.mark.parametrize("member", ["", "_1"], ids=["administrator", "login"])
def test_a_rotation_refuses_to_lock_out_who_logs_in_with_a_password(
    world: World, postgres: Server, member: str
) -> None:
    """As on PostgreSQL 16 and later, where who made the role by hand is a member of it."""
    world.environment.clear()
    world.rotate()
    connection = world.database.superuser()
    connection.run(f"CREATE ROLE {world.name}_iam LOGIN")
    connection.run(f"GRANT {world.name}_iam TO {world.name}{member}")
    world.environment["IAM_LOGIN"] = "on"

    with postgres.taking_tokens(), pytest.raises(RotationError, match=f"{world.name}_iam: drop that role"):
        world.rotate()

    assert works(world.database.login["DATABASE_URL"])
    assert world.is_the_owner()
    asked = f"SELECT FROM pg_auth_members WHERE member = '{world.name}_iam'::regrole"
    assert connection.run(asked) == []
    connection.close()


@pytest.mark.postgres
def test_a_rotation_that_is_killed_anywhere_leaves_nothing_half_made(world: World, postgres: Server) -> None:
    with postgres.taking_tokens():
        cuts = cut_everywhere(world.secret, world.take, world.scissors, "setSecret", after=True, killed=True)
        made = [("_iam" in world.roles(), "_maker" in world.roles(), works(world.url)) for _ in cuts]

        assert set(made) == {(False, False, True), (True, False, True)}
        assert works(by(world, "_iam"))
        assert not works(by(world, ""))


def test_no_password_is_told(world: World, postgres: Server) -> None:
    with postgres.taking_tokens():
        world.rotate()

    assert world.leaks() == []
