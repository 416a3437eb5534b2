"""
The roles of the database and the SQL on them, for PostgreSQL 15 and later. Returns statements, runs none.

One role owns everything (``litellm_owner``); two log in and take turns (``litellm_1``, ``litellm_2``), and
become the owner as they log in, so that what one migration makes the next may alter. A new password first
goes to a role of its own (``litellm_1_next``), so that the role whose turn it is keeps its old one while the
new one is tried.

By option a third one logs in with IAM's tokens and has no password (``litellm_iam``). RDS asks every member
of rds_iam for a token, and takes no password any more (Amazon RDS User Guide, "Limitations for IAM database
authentication"); members of members too, by the line ``hostssl all +rds_iam all pam`` that its log shows. So
nobody who has a password may be a member of that role.

The administrator is RDS's: CREATEROLE and CREATEDB, no superuser. From PostgreSQL 16 on such a role may
grant the roles that it makes, and nothing else with them (release notes 16, "Restrict the privileges of
CREATEROLE"): it grants itself the owner, which all versions allow. REASSIGN OWNED needs just that on both
sides.
"""

from __future__ import annotations

from dataclasses import dataclass

from stacks.functions.postgres import block, name, quoted

RDS_IAM = "rds_iam"
"""RDS's own role."""

LOCK = 4_713_226_089
"""Any number, the same in every version of this code; an advisory lock is one database's own."""


@dataclass(frozen=True)
class Roles:
    """The roles of one database, named after its administrator."""

    administrator: str

    @property
    def owner(self) -> str:
        """Owns everything, logs in never."""
        return f"{self.administrator}_owner"

    @property
    def first(self) -> str:
        """Logs in after the administrator, and in turn with the second."""
        return f"{self.administrator}_1"

    @property
    def second(self) -> str:
        """Logs in in turn with the first."""
        return f"{self.administrator}_2"

    @property
    def token(self) -> str:
        """Logs in with IAM's tokens, while the other two go on taking turns."""
        return f"{self.administrator}_iam"

    @property
    def maker(self) -> str:
        """Makes that role, and is gone when it is made."""
        return f"{self.administrator}_maker"

    def after(self, user: str) -> str:
        """Return who logs in after *user*: a login role, the administrator, or whoever was put in by hand."""
        return self.second if user == self.first else self.first

    def trial(self, login: str) -> str:
        """Return the role that tries *login*'s new password out."""
        return f"{login}_next"


def one_at_a_time() -> str:
    """Return what makes another rotation of the same database wait until this transaction ends."""
    return f"SELECT pg_advisory_xact_lock({LOCK})"


def put_in_place(roles: Roles, login: str, database: str, verifier: str) -> tuple[str, ...]:
    """Return what gives the owner everything, and the trial role of *login* its password."""
    trial = roles.trial(login)
    return (
        one_at_a_time(),
        _made(roles.owner, "NOLOGIN"),
        _made(login, "LOGIN"),
        _made(trial, "LOGIN"),
        f"GRANT {name(roles.owner)} TO {', '.join(map(name, (roles.administrator, login, trial)))}",
        _becomes(login, roles.owner, database),
        _becomes(trial, roles.owner, database),
        _rights(roles.owner, database),
        _handed_over(roles.administrator, roles.owner),
        f"ALTER ROLE {name(trial)} LOGIN PASSWORD {quoted(verifier)}",
    )


def tokens(roles: Roles, database: str) -> tuple[str, ...]:
    """
    Return what makes the role that logs in with tokens; it comes after `put_in_place`, in its transaction.

    Where there is no rds_iam, the server takes no tokens, and the role cannot log in.
    """
    token = name(roles.token)
    by_token = f"EXISTS (SELECT FROM pg_roles WHERE rolname = {quoted(RDS_IAM)})"
    return (
        _made_by_another(roles, database),
        f"GRANT {name(roles.owner)} TO {token}",
        _nobody_becomes(roles),
        block(f"BEGIN IF {by_token} THEN GRANT {name(RDS_IAM)} TO {token}; END IF; END"),
    )


def take_over(roles: Roles, login: str, verifier: str) -> tuple[str, ...]:
    """Return what gives *login* the password that its trial role had."""
    return (
        one_at_a_time(),
        f"ALTER ROLE {name(login)} LOGIN PASSWORD {quoted(verifier)}",
        f"DROP ROLE IF EXISTS {name(roles.trial(login))}",
    )


def is_owner(roles: Roles) -> str:
    """Return what fails unless the session became the owner as it logged in."""
    wrong = f"the login does not become {roles.owner}"
    return block(
        f"BEGIN IF current_user <> {quoted(roles.owner)} THEN "
        f"RAISE EXCEPTION USING MESSAGE = {quoted(wrong)}; END IF; END"
    )


def migrates() -> tuple[str, ...]:
    """Return what any migration does, on a table that nobody ever sees; roll it back."""
    return (
        "CREATE TABLE public.gatestack_rotation_test (id integer)",
        "DROP TABLE public.gatestack_rotation_test",
    )


def _made(role: str, attributes: str) -> str:
    """CREATE ROLE knows no IF NOT EXISTS."""
    return block(
        f"BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {quoted(role)}) THEN "
        f"CREATE ROLE {name(role)} {attributes}; END IF; END"
    )


def _made_by_another(roles: Roles, database: str) -> str:
    """
    Make the token's role so that the administrator is no member of it, and keeps its password.

    From PostgreSQL 16 on who makes a role is a member of it for ever (PostgreSQL docs, CREATE ROLE). So a
    role is made that makes it, sets it up, and is dropped, and its membership with it.
    """
    token, maker = name(roles.token), name(roles.maker)
    lines = (
        f"BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = {quoted(roles.token)}) THEN RETURN; END IF;",
        f"CREATE ROLE {maker} NOLOGIN CREATEROLE;",
        f"GRANT {maker} TO {name(roles.administrator)};",
        f"SET LOCAL ROLE {maker};",
        f"CREATE ROLE {token} LOGIN;",
        f"{_becomes(roles.token, roles.owner, database)};",
        "SET LOCAL ROLE NONE;",
        f"DROP ROLE {maker}; END",
    )
    return block("\n".join(lines))


def _nobody_becomes(roles: Roles) -> str:
    """Fail, and leave all as it was, if one who logs in with a password is a member of the token's role."""
    others = (roles.administrator, roles.owner, roles.first, roles.second)
    who = f"rolname IN ({', '.join(map(quoted, others))})"
    member = f"pg_has_role(rolname, {quoted(roles.token)}, 'MEMBER')"
    wrong = f"could not log in with a password any more, as a member of {roles.token}: drop that role"
    lines = (
        "DECLARE one name; BEGIN",
        f"SELECT rolname INTO one FROM pg_roles WHERE {who} AND {member} LIMIT 1;",  # noqa: S608 - quoted
        f"IF FOUND THEN RAISE EXCEPTION USING MESSAGE = one || ' ' || {quoted(wrong)}; END IF; END",
    )
    return block("\n".join(lines))


def _becomes(login: str, owner: str, database: str) -> str:
    return f"ALTER ROLE {name(login)} IN DATABASE {name(database)} SET role = {quoted(owner)}"


def _rights(owner: str, database: str) -> str:
    """
    Grant only what is missing.

    In a database that came from PostgreSQL 14 the public schema may be somebody else's, and open to all:
    there the administrator cannot grant, and need not.
    """
    who, where = quoted(owner), quoted(database)
    return block(
        f"BEGIN IF NOT (has_database_privilege({who}, {where}, 'CONNECT')"
        f" AND has_database_privilege({who}, {where}, 'CREATE')"
        f" AND has_database_privilege({who}, {where}, 'TEMPORARY')) THEN"
        f" GRANT CONNECT, CREATE, TEMPORARY ON DATABASE {name(database)} TO {name(owner)}; END IF;"
        f" IF NOT (has_schema_privilege({who}, 'public', 'USAGE')"
        f" AND has_schema_privilege({who}, 'public', 'CREATE')) THEN"
        f" GRANT USAGE, CREATE ON SCHEMA public TO {name(owner)}; END IF; END"
    )


def _handed_over(administrator: str, owner: str) -> str:
    """
    Give the owner what the administrator has in this database: migrations before the first rotation made it.

    Schemas go first, so that the owner may have things in them. REASSIGN OWNED takes the databases themselves
    along, on RDS the one named postgres too: they are given back in the same transaction. Where nothing is
    left to hand over, no table is locked.
    """
    who = quoted(administrator)
    mine = f"SELECT datname FROM pg_database WHERE pg_get_userbyid(datdba) = {who}"  # noqa: S608 - quoted
    schemas = f"SELECT nspname FROM pg_namespace WHERE pg_get_userbyid(nspowner) = {who}"  # noqa: S608 - quoted
    here = "dbid = (SELECT oid FROM pg_database WHERE datname = current_database())"
    by_it = f"refclassid = 'pg_authid'::regclass AND pg_get_userbyid(refobjid) = {who} AND deptype = 'o'"
    lines = (
        f"DECLARE one name; mine name[] := ARRAY({mine});",
        f"BEGIN IF EXISTS (SELECT FROM pg_shdepend WHERE {here} AND {by_it}) THEN",
        f"FOR one IN {schemas} LOOP",
        f"EXECUTE format('ALTER SCHEMA %I OWNER TO %I', one, {quoted(owner)}); END LOOP;",
        f"REASSIGN OWNED BY {name(administrator)} TO {name(owner)};",
        "FOREACH one IN ARRAY mine LOOP",
        f"EXECUTE format('ALTER DATABASE %I OWNER TO %I', one, {who}); END LOOP;",
        "END IF; END",
    )
    return block("\n".join(lines))
