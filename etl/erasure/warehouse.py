"""The warehouse without a data subject: staging, star, simulation and audit, in one transaction."""

import json
import logging
import re
from collections.abc import Callable, Collection

from sqlalchemy import Connection, text

from etl.database import EVENTS_SUFFIX, clear_staging, fetch_rows, run_sql
from etl.erasure.data_subject import DataSubject

log = logging.getLogger(__name__)

_ERASED_USER_LABEL = "somebody"
_MESSAGE_TABLES = {"run": ("run_id",), "fetch": ("run_id", "part")}
"""Audit tables that have messages, and their keys."""


def find_usernames(connection: Connection, data_subject: DataSubject) -> set[str]:
    """Return the usernames that the warehouse has for a data subject."""
    statement = """
        select username from warehouse.user_record where user_id = any(:user_ids) and username is not null
        union
        select username from warehouse.dim_user where user_id = any(:user_ids) and username is not null
    """
    return {str(row["username"]) for row in fetch_rows(connection, statement, user_ids=sorted(data_subject.user_ids))}


def erase_data_subject(
    connection: Connection,
    data_subject: DataSubject,
    rebuild_marts: Callable[[Connection], None],
    erase_logins: Callable[[Connection, Collection[str]], int],
) -> int:
    """Remove a data subject and commit; the caller must have the lock on publishing.

    :param rebuild_marts: builds all marts from the star.
    :param erase_logins: removes the logins of users; returns the number of those that it could only lock.
    :returns: the number of events removed.
    """
    # The statements in sql/erase select by these temporary tables, so that no id is part of a statement's text.
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
            statement = f"insert into {table} values (:value)"  # noqa: S608 (a constant)
            connection.execute(text(statement), [{"value": value} for value in sorted(values)])
    run_sql(connection, "erase/person")
    for table, keys in _MESSAGE_TABLES.items():
        _replace_identifiers(connection, table, keys, data_subject)
    rebuild_marts(connection)  # A key that is free again may become the key of another user.
    run_sql(connection, "erase/charts")
    run_sql(connection, "erase/forecasts")
    remaining_logins = erase_logins(connection, data_subject.user_ids)
    run_sql(connection, "erase/live/person")  # late, since the live tables wait from here to the commit
    run_sql(connection, "erase/samples")  # Last, so that no sample of a row still identifies the data subject.
    connection.commit()
    if remaining_logins:
        log.warning(
            "%d logins of the user are locked but still exist on the server: see bin/add-login --list.",
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
    """Return the ids of the data subject's inputs, and the ids under which their events were loaded."""
    return set(data_subject.inputs) | {f"{input_id}{EVENTS_SUFFIX}" for input_id in data_subject.inputs}


def _list_identifier_texts(data_subject: DataSubject) -> set[str]:
    """Return the texts by which a rejected row, which is JSON, has an id: a value of its own, or the end of a link."""
    quoted_ids = [
        json.dumps(user_id, ensure_ascii=is_ascii) for user_id in data_subject.user_ids for is_ascii in (True, False)
    ]
    nested_ids = [json.dumps(quoted_id)[1:-1] for quoted_id in quoted_ids]  # JSON within a JSON string
    link_endings = [
        f"{link_prefix}{quoted_id[1:]}" for quoted_id in quoted_ids for link_prefix in ("spotify:user:", "/users/")
    ]
    return {*quoted_ids, *nested_ids, *link_endings, *(f"spotify:user:{user_id}:" for user_id in data_subject.user_ids)}


def _replace_identifiers(connection: Connection, table: str, keys: tuple[str, ...], data_subject: DataSubject) -> None:
    """Replace the identifiers in the messages of an audit table by ``_ERASED_USER_LABEL``."""
    alternatives = "|".join(map(re.escape, data_subject.get_search_terms()))
    pattern = re.compile(rf"(?<![\w.-])(?:{alternatives})(?![\w-])")
    columns, row_condition = ", ".join(keys), " and ".join(f"{key} = :{key}" for key in keys)
    for row in fetch_rows(connection, f"select {columns}, message from audit.{table} where message is not null"):  # noqa: S608
        message = pattern.sub(_ERASED_USER_LABEL, str(row["message"]))
        if message != row["message"]:
            statement = f"update audit.{table} set message = :message where {row_condition}"  # noqa: S608 (constants)
            connection.execute(text(statement), {**row, "message": message})
