"""Two warehouses compared, table by table: rows by natural keys, and the same rows with their surrogate keys."""

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache

from sqlalchemy import Connection

from etl import database

_SCHEMAS = ("warehouse", "mart", "audit", "simulation")
_COLUMNS_QUERY = """
select n.nspname || '.' || c.relname as name, array_agg(a.attname::text order by a.attnum) as columns
from pg_class as c
inner join pg_namespace as n on n.oid = c.relnamespace
inner join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where n.nspname = any(:schemas) and c.relkind in ('r', 'p') and not c.relispartition
group by 1 order by 1
"""
_NATURAL_KEY_BY_COLUMN = {
    "user_key": "(select k.user_id || k.valid_from::text from warehouse.dim_user as k where k.user_key = t.{0})",
    "artist_key": "(select k.artist_id from warehouse.dim_artist as k where k.artist_key = t.{0})",
    "album_key": "(select k.album_id from warehouse.dim_album as k where k.album_key = t.{0})",
    "genre_key": "(select k.genre from warehouse.dim_genre as k where k.genre_key = t.{0})",
    "playlist_key": "(select k.playlist_id from warehouse.dim_playlist as k where k.playlist_key = t.{0})",
    "track_key": "(select k.track_id from warehouse.dim_track as k where k.track_key = t.{0})",
    "context_key": "(select (to_jsonb(k) - 'context_key')::text from warehouse.dim_play_context as k"
    " where k.context_key = t.{0})",
    "input_key": "(select k.input_id from audit.input as k where k.input_key = t.{0})",
    "listening_context_key": "(select (to_jsonb(k) - 'listening_context_key')::text from mart.listening_context as k"
    " where k.listening_context_key = t.{0})",
    "chart_key": "(select (to_jsonb(k) - 'chart_key')::text from mart.chart as k where k.chart_key = t.{0})",
}
_KEY_COLUMN_ALIASES = {
    "listener_key": "user_key",
    "recording_key": "track_key",
    "merged_into_track_key": "track_key",
    "last_track_key": "track_key",
}
_ITEM_KEY_CASE = """case {kind}
    when 'artist' then (select k.artist_id from warehouse.dim_artist as k where k.artist_key = {key})
    when 'genre' then (select k.genre from warehouse.dim_genre as k where k.genre_key = {key})
    when 'recording' then (select k.track_id from warehouse.dim_track as k where k.track_key = {key})
    else {key}::text end"""
_CHART_KIND = "(select k.kind::text from mart.chart as k where k.chart_key = t.chart_key)"
_PLACE = """(
    select row(k.country, k.continent)::text from mart.listening_context as k where k.listening_context_key = {}
)"""
_SORTED_ARRAY = """(
    select array_agg(row({values})::text order by row({values})::text) from unnest({arrays}) as u ({names})
)"""
_NATURAL_ARRAYS = {
    "mart.listener_count": (
        _SORTED_ARRAY.format(
            values=f"{_ITEM_KEY_CASE.format(kind='t.kind::text', key='u.item_key')}, u.plays, u.ms",
            arrays="t.item_keys, t.play_millionths, t.ms_millionths",
            names="item_key, plays, ms",
        ),
        ("item_keys", "play_millionths", "ms_millionths"),
    ),
    "mart.chart_top": (
        _SORTED_ARRAY.format(
            values=f"{_ITEM_KEY_CASE.format(kind=_CHART_KIND, key='u.item_key')}, u.plays",
            arrays="t.item_keys, t.play_millionths",
            names="item_key, plays",
        ),
        ("item_keys", "play_millionths"),
    ),
    "mart.item_month": (
        _SORTED_ARRAY.format(
            values=f"{_PLACE.format('u.place_day / 32')}, u.place_day % 32, u.plays",
            arrays="t.place_days, t.play_millionths",
            names="place_day, plays",
        ),
        ("place_days", "play_millionths"),
    ),
    "mart.item_year": (
        _SORTED_ARRAY.format(
            values=f"{_PLACE.format('u.place_key')}, u.plays",
            arrays="t.place_keys, t.play_millionths",
            names="place_key, plays",
        ),
        ("place_keys", "play_millionths"),
    ),
}
"""Tables whose arrays are in the order of surrogate keys: the expression that stands for these columns."""
IGNORED_COLUMNS = {
    "audit.run": ("started_at", "finished_at", "catalogue_state_id"),
    "audit.fetch": ("asked_at", "calls", "calls_saved"),
    "audit.gap": ("found_at",),
    "audit.cluster_fit": ("fitted_at",),
    "warehouse.dim_audio_cluster": ("fitted_at",),
    "warehouse.exclusion": ("excluded_at",),
}
"""Timestamps of runs, ids of their states, and their numbers of requests: a killed run takes longer and makes fewer
requests in its last attempt. Ids of runs are the same, so they are compared."""
_MAX_SHOWN_ROWS, _MAX_ROW_WIDTH = 5, 300


@dataclass
class Differences:
    """Tables whose rows differ, each with some rows; and tables in which only the surrogate keys differ."""

    rows: dict[str, list[str]] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class ComparisonRules:
    """Rules for comparing rows of two warehouses that were filled at different times.

    ``normalise_row`` removes allowed differences from a row's text, ``ignored_columns`` adds ignored columns of tables,
    and ``natural_keys`` maps a column to the expression that replaces its key.
    """

    schemas: tuple[str, ...]
    normalise_row: Callable[[str], str]
    ignored_columns: Mapping[str, tuple[str, ...]]
    natural_keys: Mapping[str, str]


def compare_with_rules(expected_url: str, actual_url: str, rules: ComparisonRules) -> dict[str, list[str]]:
    """Return tables whose rows differ by natural keys under some rules, each with some rows."""
    differences = {}
    for name in _list_tables(expected_url, rules.schemas) | _list_tables(actual_url, rules.schemas):
        expected_rows, actual_rows = (
            _read_comparable_rows(expected_url, name, rules),
            _read_comparable_rows(actual_url, name, rules),
        )
        if expected_rows != actual_rows:
            differences[name] = _describe_difference(expected_rows, actual_rows)
    return differences


def compare_warehouses(expected_url: str, actual_url: str) -> Differences:
    """Return the differences between a warehouse and the expected one, which no longer changes."""
    differences = Differences()
    expected, actual = _compute_checksums_once(expected_url), _compute_checksums(actual_url)
    for name in sorted(expected.keys() | actual.keys()):
        if expected.get(name) == actual.get(name):
            continue
        expected_rows, actual_rows = _read_natural_rows(expected_url, name), _read_natural_rows(actual_url, name)
        if expected_rows == actual_rows:
            differences.keys.append(name)
        else:
            differences.rows[name] = _describe_difference(expected_rows, actual_rows)
    return differences


def _describe_difference(expected_rows: Counter[str], actual_rows: Counter[str]) -> list[str]:
    missing, extra = expected_rows - actual_rows, actual_rows - expected_rows
    lines = [f"lacks {missing.total()}, has {extra.total()} more, of {expected_rows.total()}"]
    lines += [f"- {row[:_MAX_ROW_WIDTH]}" for row in list(missing)[:_MAX_SHOWN_ROWS]]
    return lines + [f"+ {row[:_MAX_ROW_WIDTH]}" for row in list(extra)[:_MAX_SHOWN_ROWS]]


def _list_tables(url: str, schemas: tuple[str, ...]) -> set[str]:
    with database.connect(url) as connection:
        return {str(row["name"]) for row in database.fetch_rows(connection, _COLUMNS_QUERY, schemas=list(schemas))}


def _read_comparable_rows(url: str, name: str, rules: ComparisonRules) -> Counter[str]:
    with database.connect(url) as connection:
        tables = database.fetch_rows(connection, _COLUMNS_QUERY, schemas=list(rules.schemas))
        columns = next((row["columns"] for row in tables if row["name"] == name), [])
        columns_compared = [
            column
            for column in _list_compared_columns(name, columns)
            if column not in rules.ignored_columns.get(name, ()) and not _is_own_key(name, column)
        ]
        values = [
            rules.natural_keys[column].format(column)
            if column in rules.natural_keys
            else _make_natural_value(name, column)
            for column in columns_compared
        ]
        lines: Counter[str] = Counter()
        for line, count in (_read_row_texts(connection, name, values) if values else Counter[str]()).items():
            lines[rules.normalise_row(line)] += count
        return lines


@cache
def _compute_checksums_once(url: str) -> dict[str, str]:
    return _compute_checksums(url)


def _compute_checksums(url: str) -> dict[str, str]:
    """Return a checksum of each table's rows, without ignored columns."""
    with database.connect(url) as connection:
        tables = database.fetch_rows(connection, _COLUMNS_QUERY, schemas=list(_SCHEMAS))
        return {
            name: hashlib.sha256("\n".join(sorted(texts.elements())).encode()).hexdigest()
            for name, columns in ((str(row["name"]), row["columns"]) for row in tables)
            for texts in [
                _read_row_texts(connection, name, [f't."{column}"' for column in _list_compared_columns(name, columns)])
            ]
        }


def _read_natural_rows(url: str, name: str) -> Counter[str]:
    with database.connect(url) as connection:
        tables = database.fetch_rows(connection, _COLUMNS_QUERY, schemas=list(_SCHEMAS))
        columns = next((row["columns"] for row in tables if row["name"] == name), [])
        natural_values = [
            _make_natural_value(name, column)
            for column in _list_compared_columns(name, columns)
            if not _is_own_key(name, column)
        ]
        return _read_row_texts(connection, name, natural_values) if natural_values else Counter()


def _read_row_texts(connection: Connection, name: str, values: list[str]) -> Counter[str]:
    # Names of tables and columns come from the database's own catalogue.
    row_texts = database.fetch_rows(connection, f"select row({', '.join(values)})::text as line from {name} as t")  # noqa: S608
    return Counter(str(row["line"]) for row in row_texts)


def _list_compared_columns(name: str, columns: list[str]) -> list[str]:
    return [column for column in columns if column not in IGNORED_COLUMNS.get(name, ())]


def _is_own_key(name: str, column: str) -> bool:
    """Return whether a column is the surrogate key of its own table."""
    natural = _NATURAL_KEY_BY_COLUMN.get(column)
    return natural is not None and f" from {name} as k " in natural


def _make_natural_value(name: str, column: str) -> str:
    """Return the expression that replaces a column's surrogate key by natural values."""
    expression, array_columns = _NATURAL_ARRAYS.get(name, ("", ()))
    if column in array_columns:
        return expression if column == array_columns[0] else "null"
    if column == "item_key":
        return _ITEM_KEY_CASE.format(kind="t.kind::text", key="t.item_key")
    natural_key = _NATURAL_KEY_BY_COLUMN.get(_KEY_COLUMN_ALIASES.get(column, column))
    return natural_key.format(column) if natural_key else f't."{column}"'
