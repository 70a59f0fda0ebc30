"""Two warehouses compared, table by table: rows by natural keys, and the same rows with their surrogate keys."""

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache

from sqlalchemy import Connection

from etl import warehouse

_SCHEMAS = ("warehouse", "mart", "audit", "simulation")
_COLUMNS = """
select n.nspname || '.' || c.relname as name, array_agg(a.attname::text order by a.attnum) as columns
from pg_class as c
inner join pg_namespace as n on n.oid = c.relnamespace
inner join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where n.nspname = any(:schemas) and c.relkind in ('r', 'p') and not c.relispartition
group by 1 order by 1
"""
_NATURAL = {
    "user_key": "(select k.user_id || k.valid_from::text from warehouse.dim_user as k where k.user_key = t.{0})",
    "artist_key": "(select k.artist_id from warehouse.dim_artist as k where k.artist_key = t.{0})",
    "album_key": "(select k.album_id from warehouse.dim_album as k where k.album_key = t.{0})",
    "genre_key": "(select k.genre from warehouse.dim_genre as k where k.genre_key = t.{0})",
    "playlist_key": "(select k.playlist_id from warehouse.dim_playlist as k where k.playlist_key = t.{0})",
    "track_key": "(select k.track_id from warehouse.dim_track as k where k.track_key = t.{0})",
    "context_key": "(select (to_jsonb(k) - 'context_key')::text from warehouse.dim_play_context as k"
    " where k.context_key = t.{0})",
    "input_key": "(select k.input_id from audit.input as k where k.input_key = t.{0})",
    "circumstance_key": "(select (to_jsonb(k) - 'circumstance_key')::text from mart.circumstance as k"
    " where k.circumstance_key = t.{0})",
    "chart_key": "(select (to_jsonb(k) - 'chart_key')::text from mart.chart as k where k.chart_key = t.{0})",
}
_SAME_AS = {
    "listener_key": "user_key",
    "recording_key": "track_key",
    "merged_into_track_key": "track_key",
    "last_track_key": "track_key",
}
_ITEM = """case {kind}
    when 'artist' then (select k.artist_id from warehouse.dim_artist as k where k.artist_key = t.item_key)
    when 'genre' then (select k.genre from warehouse.dim_genre as k where k.genre_key = t.item_key)
    when 'recording' then (select k.track_id from warehouse.dim_track as k where k.track_key = t.item_key)
    else t.item_key::text end"""
_KINDS = {
    "mart.listener_count": "t.kind::text",
    "mart.chart_count": "(select k.kind::text from mart.chart as k where k.chart_key = t.chart_key)",
    "mart.chart_top": "(select k.kind::text from mart.chart as k where k.chart_key = t.chart_key)",
}
LEFT_OUT = {
    "audit.run": ("started_at", "finished_at"),
    "audit.fetch": ("asked_at", "calls", "calls_saved"),
    "audit.gap": ("found_at",),
    "audit.cluster_fit": ("fitted_at",),
    "warehouse.dim_audio_cluster": ("fitted_at",),
    "warehouse.exclusion": ("excluded_at",),
}
"""Moments at which something ran, and how often it had to ask: a run that was killed took longer and asked less at its
last try. Ids of runs are the same, so they stay in."""
_SHOWN, _WIDTH = 5, 300


@dataclass
class Differences:
    """Tables whose rows differ, each with some rows; and those in which the surrogate keys alone do."""

    rows: dict[str, list[str]] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Reading:
    """How rows are read where two warehouses were not filled at the same moments.

    ``retell`` makes equal what a row's text may differ in, ``left_out`` adds columns of tables to those left out, and
    ``natural`` says by what else a column's key is told.
    """

    schemas: tuple[str, ...]
    retell: Callable[[str], str]
    left_out: Mapping[str, tuple[str, ...]]
    natural: Mapping[str, str]


def difference_in_reading(expected_url: str, found_url: str, reading: Reading) -> dict[str, list[str]]:
    """Tables whose rows differ by natural keys, as they are read, each with some rows."""
    told = {}
    for name in _tables(expected_url, reading.schemas) | _tables(found_url, reading.schemas):
        should, has = _read_rows(expected_url, name, reading), _read_rows(found_url, name, reading)
        if should != has:
            told[name] = _differing(should, has)
    return told


def difference(expected_url: str, found_url: str) -> Differences:
    """What differs between a warehouse and the one that it should be like, which does not change any more."""
    told = Differences()
    expected, found = _checksums_once(expected_url), _checksums(found_url)
    for name in sorted(expected.keys() | found.keys()):
        if expected.get(name) == found.get(name):
            continue
        should, has = _natural_rows(expected_url, name), _natural_rows(found_url, name)
        if should == has:
            told.keys.append(name)
        else:
            told.rows[name] = _differing(should, has)
    return told


def _differing(should: Counter[str], has: Counter[str]) -> list[str]:
    lacks, more = should - has, has - should
    lines = [f"lacks {lacks.total()}, has {more.total()} more, of {should.total()}"]
    lines += [f"- {row[:_WIDTH]}" for row in list(lacks)[:_SHOWN]]
    return lines + [f"+ {row[:_WIDTH]}" for row in list(more)[:_SHOWN]]


def _tables(url: str, schemas: tuple[str, ...]) -> set[str]:
    with warehouse.connect(url) as connection:
        return {str(row["name"]) for row in warehouse.rows(connection, _COLUMNS, schemas=list(schemas))}


def _read_rows(url: str, name: str, reading: Reading) -> Counter[str]:
    with warehouse.connect(url) as connection:
        found = warehouse.rows(connection, _COLUMNS, schemas=list(reading.schemas))
        columns = next((row["columns"] for row in found if row["name"] == name), [])
        told = [
            one
            for one in _told(name, columns)
            if one not in reading.left_out.get(name, ()) and not _is_own_key(name, one)
        ]
        values = [reading.natural[one].format(one) if one in reading.natural else _natural(name, one) for one in told]
        lines: Counter[str] = Counter()
        for line, count in (_rows(connection, name, values) if values else Counter[str]()).items():
            lines[reading.retell(line)] += count
        return lines


@cache
def _checksums_once(url: str) -> dict[str, str]:
    return _checksums(url)


def _checksums(url: str) -> dict[str, str]:
    """The rows of each table as they are, but for what is left out."""
    with warehouse.connect(url) as connection:
        found = warehouse.rows(connection, _COLUMNS, schemas=list(_SCHEMAS))
        return {
            name: hashlib.sha256("\n".join(sorted(texts.elements())).encode()).hexdigest()
            for name, columns in ((str(row["name"]), row["columns"]) for row in found)
            for texts in [_rows(connection, name, [f't."{column}"' for column in _told(name, columns)])]
        }


def _natural_rows(url: str, name: str) -> Counter[str]:
    with warehouse.connect(url) as connection:
        found = warehouse.rows(connection, _COLUMNS, schemas=list(_SCHEMAS))
        columns = next((row["columns"] for row in found if row["name"] == name), [])
        natural = [_natural(name, column) for column in _told(name, columns) if not _is_own_key(name, column)]
        return _rows(connection, name, natural) if natural else Counter()


def _rows(connection: Connection, name: str, values: list[str]) -> Counter[str]:
    # Names of tables and columns, which come from the database's own catalogue.
    found = warehouse.rows(connection, f"select row({', '.join(values)})::text as line from {name} as t")  # noqa: S608
    return Counter(str(row["line"]) for row in found)


def _told(name: str, columns: list[str]) -> list[str]:
    return [column for column in columns if column not in LEFT_OUT.get(name, ())]


def _is_own_key(name: str, column: str) -> bool:
    """Whether a column is the surrogate key that its own table gives."""
    natural = _NATURAL.get(column)
    return natural is not None and f" from {name} as k " in natural


def _natural(name: str, column: str) -> str:
    """What says the same as a column without a surrogate key."""
    if column == "item_key":
        return _ITEM.format(kind=_KINDS[name])
    told = _NATURAL.get(_SAME_AS.get(column, column))
    return told.format(column) if told else f't."{column}"'
