"""
The servers of one account's databases, kept in sync with the calls to RDS's API. Before and after moto.

A DB instance has its server before RDS answers that it is being created; a cluster's accepts logins while an
instance of it is available (Aurora User Guide, "Amazon Aurora DB clusters"). A reader of Aurora is the same
server as its writer. A restore to a point in time, a read replica and any other engine are records, as
without servers.
"""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from sandbox.gateway.databases import requests
from sandbox.gateway.databases.addresses import Key, lead
from sandbox.gateway.databases.errors import DatabaseError
from sandbox.gateway.databases.fleet import Copy, Fleet, mebibytes
from sandbox.gateway.databases.requests import CLUSTER, ENGINES, IDENTIFIERS, INSTANCE, Request, Snapshot
from sandbox.gateway.databases.server import Server
from sandbox.gateway.databases.settings import SUPERUSER
from sandbox.services.database_storage import refusal
from sandbox.services.reach import Reach

MOST = 8
"""Servers at a time: one takes about 40 MiB of memory, and as much on disk."""
_QUOTAS = {
    INSTANCE: ("DB Instance quota exceeded", "InstanceQuotaExceeded"),
    CLUSTER: ("DB cluster quota exceeded", "DBClusterQuotaExceededFault"),
}
_RESERVED = f"MasterUsername {SUPERUSER} cannot be used as it is a reserved word used by the engine"
_NO_ROOM = "InsufficientDBInstanceCapacity"
_MASTER = "postgres"
"""Administrator of a snapshot without data, whose real one is unknown."""
_STORES = {INSTANCE: "databases", CLUSTER: "clusters"}
_SNAPSHOTS = {INSTANCE: "database_snapshots", CLUSTER: "cluster_snapshots"}
_PASSWORD_BYTES = 24


@dataclass
class _Database:
    """One server, and moto's last known settings of it."""

    key: Key
    server: Server
    master: str
    name: str
    asked: str
    """The engine version."""
    restored: bool = False
    """Whether its data are a snapshot's, and so its administrator and, unless set, the password."""
    beginning: bool = True
    """Until RDS has answered the request that creates it."""
    password: str | None = field(default=None, repr=False)
    group: Mapping[str, str] | None = None
    trouble: str = ""


class Engines:
    """The servers of one account."""

    def __init__(self, reach: Reach, fleet: Fleet) -> None:
        self._reach = reach
        self._fleet = fleet
        self._lock = threading.RLock()
        self._there: dict[Key, _Database] = {}
        self._copies: dict[tuple[str, Snapshot], Copy] = {}
        self._origins: dict[Key, Snapshot] = {}

    def begins_from(self, region: str, kind: str, name: str, snapshot: str) -> None:
        """Note that the database of that name, created next, is CloudFormation's restore of *snapshot*."""
        with self._lock:
            self._origins[self._key(region, kind, name)] = requests.named(snapshot, kind)

    def before(self, environ: Mapping[str, Any], form: bytes) -> bytes | None:
        """Create the server of a new database; returns RDS's refusal if that fails."""
        request = requests.read(environ, form)
        if request is None or not request.creates:
            return None
        kind = request.creates
        key = self._key(request.region, kind, request.asked.get(IDENTIFIERS[kind], ""))
        with self._lock:
            origin = self._origins.pop(key, None) or request.restored
            if not self._is_ours(request, key, origin):
                return None
            if len(self._there) >= MOST:
                return refusal(*_QUOTAS[kind])
            if request.asked.get("MasterUsername") == SUPERUSER:
                return refusal(_RESERVED, "InvalidParameterValue")
            try:
                self._begin(request, key, origin)
            except DatabaseError as error:
                self._discard(key)
                return refusal(str(error), _NO_ROOM)
        return None

    def after(self, environ: Mapping[str, Any], form: bytes) -> None:
        """Apply to the servers what moto has applied to its records."""
        request = requests.read(environ, form)
        if request is None or not request.changes:
            return
        with self._lock:
            self._begun(request)
            self._rename(request)
            self._keep_copies(request)
            self.settle(request.region)
            if request.restarts and (found := self._there.get(self._key(request.region, *request.restarts))):
                self._tried(found, found.server.restart)

    def settle(self, region: str) -> None:
        """Let every server of *region* run, accept logins and have moto's settings."""
        state = self._reach.backend("rds", region)
        with self._lock:
            for one in [each for each in self._there.values() if each.key.region == region]:
                record = getattr(state, _STORES[one.key.kind]).get(one.key.name)
                if record is None and not one.beginning:
                    self._discard(one.key)
                elif record is not None:
                    self._tried(one, lambda one=one, record=record: self._settle(one, record, state))

    def status(self) -> dict[str, Any]:
        """Return the servers, for people: address, versions, MiB on disk, what is left out and why."""
        with self._lock:
            return {"servers": [_told(one) for one in self._there.values()], "lacks": ""}

    def trusted(self, variables: Mapping[str, str]) -> Mapping[str, str]:
        """Return those of *variables* with RDS's authority, replaced by the servers' one."""
        return self._fleet.trusted(variables)

    def clear(self) -> None:
        """End every server, and forget every copy."""
        with self._lock:
            for key in list(self._there):
                self._discard(key)
            for copy in self._copies.values():
                self._fleet.forget(copy)
            self._copies.clear()
            self._origins.clear()

    def close(self) -> None:
        """End every server; nothing is left on disk."""
        self.clear()
        self._fleet.close()

    def _key(self, region: str, kind: str, name: str) -> Key:
        return Key(self._reach.account, region, kind, name)

    def _is_ours(self, request: Request, key: Key, origin: Snapshot | None) -> bool:
        """Whether it makes a new database of PostgreSQL."""
        state = self._reach.backend("rds", key.region)
        if not key.name or key in self._there or key.name in getattr(state, _STORES[key.kind]):
            return False
        if origin and (request.region, origin) in self._copies:
            return True
        return request.asked.get("Engine") == ENGINES[key.kind]

    def _begin(self, request: Request, key: Key, origin: Snapshot | None) -> None:
        asked = request.asked
        copy = self._copies.get((key.region, origin)) if origin else None
        version, port = asked.get("EngineVersion", ""), int(asked.get("Port") or requests.PORT)
        server = self._fleet.begin(version, port, copy)
        master = copy.master if copy else asked.get("MasterUsername", _MASTER)
        name = "" if copy else asked.get("DBName", asked.get("DatabaseName", ""))
        one = self._there[key] = _Database(key, server, master, name, version, restored=copy is not None)
        lead(key, server.site.address)
        if key.kind == INSTANCE:
            server.start()
            self._log_in(one, asked.get("MasterUserPassword"))

    def _log_in(self, one: _Database, password: str | None) -> None:
        """Set the administrator's password; a new one gets a random one until RDS creates it."""
        if password or not one.restored:
            made = password or secrets.token_urlsafe(_PASSWORD_BYTES)
            one.server.give_login(one.master, made, one.name)
        one.password = password

    def _begun(self, request: Request) -> None:
        """Complete a database that this request created, if moto accepted it."""
        if not request.creates:
            return
        key = self._key(request.region, request.creates, request.asked.get(IDENTIFIERS[request.creates], ""))
        one = self._there.get(key)
        if one is None or not one.beginning:
            return
        one.beginning = False
        state = self._reach.backend("rds", key.region)
        record = getattr(state, _STORES[key.kind]).get(key.name)
        if record is None:
            return
        record.master_username = record.master_username or one.master
        if one.password is None and one.restored:  # the snapshot's own password remains
            one.password = _wanted_password(record, one, self._reach)
        one.asked = record.engine_version or one.asked

    def _rename(self, request: Request) -> None:
        """Rename the database of a server, if moto accepted that."""
        if (asked := request.renames) is None:
            return
        kind, name, new = asked
        old, key = self._key(request.region, kind, name), self._key(request.region, kind, new)
        there = getattr(self._reach.backend("rds", request.region), _STORES[kind])
        if old in self._there and new in there and name not in there:
            one = self._there.pop(old)
            one.key = key
            self._there[key] = one
            lead(old, None)
            lead(key, one.server.site.address)

    def _settle(self, one: _Database, record: Any, state: Any) -> None:
        if not _runs(record, one.key.kind):
            one.server.stop()
            return
        one.server.start()
        password = _wanted_password(record, one, self._reach)
        if password and password != one.password:
            one.server.give_login(one.master, password, one.name)
            one.password = password
        group = _group(record, one.key.kind, state)
        if group != one.group:
            first, one.group = one.group is None, group
            waits = one.server.apply(group)
            if first and waits:  # a new database starts with its group; a later change waits for a restart
                one.server.restart()

    def _keep_copies(self, request: Request) -> None:
        """Copy the data of new snapshots, and forget those of deleted ones."""
        region = request.region
        state = self._reach.backend("rds", region)
        made = request.copies
        source = self._there.get(self._key(region, made[1].kind, made[0])) if made else None
        if made and source and self._is_new(region, made[1], state):
            self._tried(
                source,
                lambda: self._copies.update(
                    {(region, made[1]): self._fleet.copy(source.server, source.master)}
                ),
            )
        again = request.copies_a_copy
        if again and (region, again[0]) in self._copies and self._is_new(region, again[1], state):
            with suppress(DatabaseError):
                self._copies[region, again[1]] = self._fleet.copied(self._copies[region, again[0]])
        for where, snapshot in [key for key in self._copies if key[0] == region]:
            if snapshot.name not in getattr(state, _SNAPSHOTS[snapshot.kind]):
                self._fleet.forget(self._copies.pop((where, snapshot)))

    def _is_new(self, region: str, snapshot: Snapshot, state: Any) -> bool:
        """Whether that snapshot exists without a copy."""
        there = getattr(state, _SNAPSHOTS[snapshot.kind])
        return snapshot.name in there and (region, snapshot) not in self._copies

    def _discard(self, key: Key) -> None:
        one = self._there.pop(key, None)
        if one is not None:
            lead(key, None)
            one.server.remove()

    def _tried(self, one: _Database, action: Any) -> None:
        """Run it; `status` reports errors, as RDS has answered already."""
        try:
            action()
        except DatabaseError as error:
            one.trouble = str(error)
        else:
            one.trouble = ""


def _runs(record: Any, kind: str) -> bool:
    """Whether the database accepts logins."""
    if record.status in ("stopped", "stopping"):
        return False
    return kind == INSTANCE or any(each.status == "available" for each in record.members)


def _wanted_password(record: Any, one: _Database, reach: Reach) -> str | None:
    """Return the administrator's password: the record's, or that of the secret that RDS manages."""
    managed = getattr(record, "master_user_secret", None)
    if managed is None:
        found: str | None = getattr(record, "_master_user_password", None)
        return found
    client = reach.client("secretsmanager", one.key.region)
    value = json.loads(client.get_secret_value(SecretId=managed.secret_arn)["SecretString"])
    if value.get("username") == one.master:
        return str(value["password"])
    # moto gives every managed secret the same user and password
    made = {"username": one.master, "password": secrets.token_urlsafe(_PASSWORD_BYTES)}
    client.put_secret_value(SecretId=managed.secret_arn, SecretString=json.dumps(made))
    return made["password"]


def _group(record: Any, kind: str, state: Any) -> Mapping[str, str]:
    """Return the parameters of the record's group with a value; a default group has none."""
    if kind == CLUSTER:
        group = state.db_cluster_parameter_groups.get(record.parameter_group)
    else:
        group = state.db_parameter_groups.get(record.db_parameter_group_name or "")
    return dict(_values(group.parameters if group is not None else {}))


def _values(parameters: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for name, one in parameters.items():
        if (value := one.get("ParameterValue")) is not None:
            yield name, str(value)


def _told(one: _Database) -> dict[str, Any]:
    site = one.server.site
    return {
        "name": one.key.name,
        "kind": one.key.kind,
        "region": one.key.region,
        "address": site.address,
        "port": site.port,
        "asked": one.asked,
        "version": site.programs.version,
        "running": one.server.running,
        "mebibytes": mebibytes(site.folder),
        "left_out": dict(one.server.left_out),
        "trouble": one.trouble,
    }
