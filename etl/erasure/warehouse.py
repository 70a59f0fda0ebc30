"""Takes a person out of the warehouse: staging, star, simulation and audit, in one transaction."""

import json
import logging
import re

from sqlalchemy import Connection, text

from etl.database import EVENTS_SUFFIX, clear_staging, fetch_rows, run_sql
from etl.erasure.data_subject import DataSubject
from etl.load.access.logins import erase_logins
from etl.load.marts import build_marts_as_defined

log = logging.getLogger(__name__)

_ERASED_USER_LABEL = "somebody"
_MESSAGE_TABLES = {"run": ("run_id",), "fetch": ("run_id", "part")}
"""Tables of the audit that have sentences, and their keys."""


def find_usernames(connection: Connection, data_subject: DataSubject) -> set[str]:
    """What the warehouse calls a person."""
    statement = """
        select username from warehouse.user_record where user_id = any(:user_ids) and username is not null
        union
        select username from warehouse.dim_user where user_id = any(:user_ids) and username is not null
    """
    return {str(row["username"]) for row in fetch_rows(connection, statement, user_ids=sorted(data_subject.user_ids))}


def erase_data_subject(connection: Connection, data_subject: DataSubject) -> int:
    """Take a person out; only for who holds the lock, and commits.

    :returns: how many events went.
    """
    clear_staging(connection)
    event_count = _count_events(connection, data_subject)
    for table, column, values in (
        ("forgotten_user", "user_id", data_subject.user_ids),
        ("forgotten_account", "account", data_subject.accounts),
        ("forgotten_playlist", "playlist_id", data_subject.playlists),
        ("forgotten_input", "input_id", _list_input_ids(data_subject)),
        ("forgotten_text", "text", _list_identifier_texts(data_subject)),
    ):
        connection.execute(text(f'create temporary table {table} ({column} text collate "C") on commit drop'))
        if values:
            statement = f"insert into {table} values (:value)"  # noqa: S608 (a table of ours)
            connection.execute(text(statement), [{"value": one} for one in sorted(values)])
    run_sql(connection, "erase/person")
    for table, keys in _MESSAGE_TABLES.items():
        _replace_identifiers(connection, table, keys, data_subject)
    build_marts_as_defined(connection)  # a number that is free again may become somebody else's
    run_sql(connection, "erase/charts")
    remaining_logins = erase_logins(connection, data_subject.user_ids)
    run_sql(connection, "erase/samples")  # last: nothing that still tells of the person may be sampled
    connection.commit()
    if remaining_logins:
        log.warning(
            "%d logins of the person are shut out, but still stand on the server: bin/add-login --list.",
            remaining_logins,
        )
    return event_count


def _count_events(connection: Connection, data_subject: DataSubject) -> int:
    count_queries = " + ".join(
        f"(select count(*) from {table} as e inner join warehouse.dim_user as u on u.user_key = e.user_key"  # noqa: S608
        " where u.user_id = any(:user_ids))"
        for table in ("warehouse.fact_event", "warehouse.fact_spoken_event", "audit.dropped_event")
    )
    return int(
        str(
            fetch_rows(connection, f"select {count_queries} as size", user_ids=sorted(data_subject.user_ids))[0]["size"]
        )
    )


def _list_input_ids(data_subject: DataSubject) -> set[str]:
    """The ids of the person's inputs, and those under which their events were loaded."""
    return set(data_subject.inputs) | {f"{one}{EVENTS_SUFFIX}" for one in data_subject.inputs}


def _list_identifier_texts(data_subject: DataSubject) -> set[str]:
    """How a refused row, which is JSON, says an id: as a text of its own, or at the end of a link."""
    quoted_ids = [json.dumps(one, ensure_ascii=is_ascii) for one in data_subject.user_ids for is_ascii in (True, False)]
    nested_ids = [json.dumps(one)[1:-1] for one in quoted_ids]  # an object that stands in a text
    link_endings = [f"{link_prefix}{one[1:]}" for one in quoted_ids for link_prefix in ("spotify:user:", "/users/")]
    return {*quoted_ids, *nested_ids, *link_endings, *(f"spotify:user:{one}:" for one in data_subject.user_ids)}


def _replace_identifiers(connection: Connection, table: str, keys: tuple[str, ...], data_subject: DataSubject) -> None:
    """Let sentences speak of somebody."""
    alternatives = "|".join(map(re.escape, data_subject.get_search_terms()))
    pattern = re.compile(rf"(?<![\w.-])(?:{alternatives})(?![\w-])")
    columns, row_condition = ", ".join(keys), " and ".join(f"{key} = :{key}" for key in keys)
    for row in fetch_rows(connection, f"select {columns}, message from audit.{table} where message is not null"):  # noqa: S608
        message = pattern.sub(_ERASED_USER_LABEL, str(row["message"]))
        if message != row["message"]:
            statement = f"update audit.{table} set message = :message where {row_condition}"  # noqa: S608 (columns of ours)
            connection.execute(text(statement), {**row, "message": message})
