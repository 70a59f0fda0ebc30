"""Takes a person out of the warehouse: staging, star, simulation and audit, in one transaction."""

import json
import logging
import re

from sqlalchemy import Connection, text

from etl.config import CHECKOUT
from etl.load.logins import forget_logins
from etl.load.marts import build_as_defined
from etl.person import Person
from etl.warehouse import EVENTS_SUFFIX, empty_staging, rows

log = logging.getLogger(__name__)

_FOLDER = CHECKOUT / "sql" / "forget"
_SOMEBODY = "somebody"
_MESSAGES = {"run": ("run_id",), "fetch": ("run_id", "part")}
"""Tables of the audit that have sentences, and their keys."""


def names_of(connection: Connection, person: Person) -> set[str]:
    """What the warehouse calls a person."""
    statement = """
        select username from warehouse.user_record where user_id = any(:user_ids) and username is not null
        union
        select username from warehouse.dim_user where user_id = any(:user_ids) and username is not null
    """
    return {str(row["username"]) for row in rows(connection, statement, user_ids=sorted(person.user_ids))}


def forget(connection: Connection, person: Person) -> int:
    """Take a person out; only for who holds the lock, and commits.

    :returns: how many events went.
    """
    empty_staging(connection)
    gone = _event_count(connection, person)
    for table, column, values in (
        ("forgotten_user", "user_id", person.user_ids),
        ("forgotten_account", "account", person.accounts),
        ("forgotten_playlist", "playlist_id", person.playlists),
        ("forgotten_input", "input_id", _input_ids(person)),
        ("forgotten_text", "text", _texts(person)),
    ):
        connection.execute(text(f'create temporary table {table} ({column} text collate "C") on commit drop'))
        if values:
            statement = f"insert into {table} values (:value)"  # noqa: S608 (a table of ours)
            connection.execute(text(statement), [{"value": one} for one in sorted(values)])
    _run(connection, "person")
    for table, keys in _MESSAGES.items():
        _rephrase(connection, table, keys, person)
    build_as_defined(connection)  # a number that is free again may become somebody else's
    _run(connection, "charts")
    left = forget_logins(connection, person.user_ids)
    _run(connection, "samples")  # last: nothing that still tells of the person may be sampled
    connection.commit()
    if left:
        log.warning("%d logins of the person are shut out, but still stand on the server: bin/add-login --list.", left)
    return gone


def _run(connection: Connection, name: str) -> None:
    statements = (_FOLDER / f"{name}.sql").read_text(encoding="utf-8")
    connection.exec_driver_sql(statements, execution_options={"no_parameters": True})


def _event_count(connection: Connection, person: Person) -> int:
    counted = " + ".join(
        f"(select count(*) from {table} as e inner join warehouse.dim_user as u on u.user_key = e.user_key"  # noqa: S608
        " where u.user_id = any(:user_ids))"
        for table in ("warehouse.fact_event", "warehouse.fact_spoken_event", "audit.dropped_event")
    )
    return int(str(rows(connection, f"select {counted} as size", user_ids=sorted(person.user_ids))[0]["size"]))


def _input_ids(person: Person) -> set[str]:
    """The ids of the person's inputs, and those under which their events were loaded."""
    return set(person.inputs) | {f"{one}{EVENTS_SUFFIX}" for one in person.inputs}


def _texts(person: Person) -> set[str]:
    """How a refused row, which is JSON, says an id: as a text of its own, or at the end of a link."""
    ids = [json.dumps(one, ensure_ascii=is_ascii) for one in person.user_ids for is_ascii in (True, False)]
    nested = [json.dumps(one)[1:-1] for one in ids]  # an object that stands in a text
    ends = [f"{start}{one[1:]}" for one in ids for start in ("spotify:user:", "/users/")]
    return {*ids, *nested, *ends, *(f"spotify:user:{one}:" for one in person.user_ids)}


def _rephrase(connection: Connection, table: str, keys: tuple[str, ...], person: Person) -> None:
    """Let sentences speak of somebody."""
    words = "|".join(map(re.escape, person.words()))
    pattern = re.compile(rf"(?<![\w.-])(?:{words})(?![\w-])")
    columns, is_line = ", ".join(keys), " and ".join(f"{key} = :{key}" for key in keys)
    for row in rows(connection, f"select {columns}, message from audit.{table} where message is not null"):  # noqa: S608
        message = pattern.sub(_SOMEBODY, str(row["message"]))
        if message != row["message"]:
            statement = f"update audit.{table} set message = :message where {is_line}"  # noqa: S608 (columns of ours)
            connection.execute(text(statement), {**row, "message": message})
