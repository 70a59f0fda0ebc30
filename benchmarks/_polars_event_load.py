"""Part of the event load in hand-written code: Polars for decoding, duplicates and keys, ADBC for COPY.

It is a yardstick, not the best that Polars can do. It is slower than necessary: it decodes all fields and drops seven;
a chain of conditions, one for each time zone, computes local times over all rows; dates and months are formatted as
text; ADBC's writer encodes the rows; each commit waits for the disk; another read of a month checks its bounds.

It leaves out parts of the load: validation, rejected rows and their reasons; audit rows, checks, the queue of the
marts; the rows of dim_play_context, attributes and versions of users, new artists and tracks, names without ids,
playlists, podcasts and audiobooks; events that the star already has, plays that two sources report; the lock, the
restart after a crash, and a bound on memory.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
from adbc_driver_postgresql import dbapi
from sqlalchemy import text

from etl.database import connect, libpq_url
from etl.formats.geography import CONTINENTS

_WORKER_COUNT = 2
_DROPPED_COLUMNS = ("valence", "tempo", "acousticness", "energy", "danceability", "genre", "duration")


def load_with_polars(files: list[Path], url: str) -> None:
    """Load feed files into partitions of ``warehouse.fact_event``, and their users into ``warehouse.dim_user``."""
    with ThreadPoolExecutor(_WORKER_COUNT) as pool:
        frames = list(pool.map(lambda path: pl.read_avro(path).drop(_DROPPED_COLUMNS), files))
    events = pl.concat(frames, rechunk=False).unique("eventId", keep="any")
    del frames
    keyed = _add_keys(events, url)
    months = keyed["event_time"].dt.strftime("%Y_%m").unique().to_list()
    with connect(url) as connection:
        for month in months:
            connection.execute(
                text(f"create table staging.polars_{month} (like warehouse.fact_event including constraints)")
            )
    for month in months:
        month_rows = keyed.filter(pl.col("event_time").dt.strftime("%Y_%m") == month)
        _run_in_parallel([partial(_copy_rows, half, url, f"polars_{month}") for half in _split_rows(month_rows)])
        _run_in_parallel([partial(_run_statement, url, statement) for statement in _make_index_statements(month)])
        month_start = f"{month.replace('_', '-')}-01"
        _run_statement(url, f"alter table staging.polars_{month} add primary key using index polars_{month}_pkey")
        bounds = f"from (timestamptz '{month_start}') to (timestamptz '{month_start}' + interval '1 month')"
        check = bounds.replace("from (", "event_time >= ").replace(") to (", " and event_time < ").removesuffix(")")
        _run_statement(url, f"alter table staging.polars_{month} add check ({check})")
        _run_statement(
            url, f"alter table warehouse.fact_event attach partition staging.polars_{month} for values {bounds}"
        )


def _run_in_parallel(steps: list[Callable[[], None]]) -> None:
    with ThreadPoolExecutor(_WORKER_COUNT) as pool:
        for future in [pool.submit(step) for step in steps]:
            future.result()


def _split_rows(frame: pl.DataFrame) -> list[pl.DataFrame]:
    size = -(-len(frame) // _WORKER_COUNT)
    return [frame.slice(start, size) for start in range(0, len(frame), size)]


def _add_keys(events: pl.DataFrame, url: str) -> pl.DataFrame:
    with dbapi.connect(libpq_url(url)) as connection, connection.cursor() as cursor:
        tracks = _read_frame(cursor, 'select alias_value as "songId", track_key from warehouse.track_alias')
        artists = _read_frame(cursor, 'select artist_id as "artistId", artist_key from warehouse.dim_artist')
    users = events.select("userId").unique().sort("userId").with_row_index("user_key", 1).cast({"user_key": pl.Int32})
    contexts = events.select("context", "subscriptionType").unique().with_row_index("context_key", 1)
    _copy_users(users, url)
    continents = pl.DataFrame({"country": list(CONTINENTS), "continent_name": list(CONTINENTS.values())})
    joined = (
        events.lazy()
        .join(users.lazy(), on="userId")
        .join(tracks.lazy(), on="songId", how="left")
        .join(artists.lazy(), on="artistId", how="left")
        .join(
            contexts.lazy().cast({"context_key": pl.Int32}),
            on=["context", "subscriptionType"],
            how="left",
            nulls_equal=True,
        )
        .join(continents.lazy(), on="country", how="left")
        .with_columns(
            local=_make_local_time(events["timezone"].unique().to_list()), is_play=pl.col("activityType") == "PLAY"
        )
    )
    return joined.select(_make_fact_columns()).collect()


def _make_fact_columns() -> list[pl.Expr]:
    time, is_play = pl.col("eventTime").cast(pl.Datetime("us", "UTC")), pl.col("is_play")
    low, high = pl.col("eventId").hash(1), pl.col("eventId").hash(2)
    stamp = pl.col("eventTime").dt.epoch("ms").cast(pl.UInt64)
    return [
        (stamp * 65536 + high % 65536).alias("high"),
        low.alias("low"),
        time.alias("event_time"),
        pl.when(is_play).then(pl.col("startTime").cast(pl.Datetime("us", "UTC"))).alias("started_at"),
        pl.when(is_play).then(pl.col("endTime").cast(pl.Datetime("us", "UTC"))).alias("ended_at"),
        pl.col("local").alias("local_time"),
        pl.col("user_key"),
        pl.col("track_key").fill_null(0).cast(pl.Int32),
        pl.col("artist_key").fill_null(0).cast(pl.Int32),
        pl.lit(0, pl.Int32).alias("playlist_key"),
        pl.when(is_play).then(pl.col("context_key")).otherwise(0).cast(pl.Int32).alias("context_key"),
        pl.col("local").dt.strftime("%Y%m%d").cast(pl.Int32).alias("date_key"),
        time.dt.strftime("%Y%m%d").cast(pl.Int32).alias("utc_date_key"),
        pl.col("msPlayed").alias("ms_played"),
        pl.lit(1, pl.Int32).alias("input_key"),
        pl.col("local").dt.hour().cast(pl.Int16).alias("local_hour"),
        (pl.col("activityType") == "SKIP").alias("is_skipped"),
        pl.lit(False).alias("is_home_time"),
        pl.col("activityType").cast(pl.String).alias("activity_type"),
        pl.col("deviceType").cast(pl.String).alias("device_type"),
        pl.col("country"),
        pl.col("continent_name").alias("continent"),
        pl.lit("feed").alias("source"),
    ]


def _make_local_time(zones: list[str]) -> pl.Expr:
    time = pl.col("eventTime").cast(pl.Datetime("us", "UTC"))
    local = pl.when(pl.lit(False)).then(time.dt.replace_time_zone(None))
    for zone in zones:
        local = local.when(pl.col("timezone") == zone).then(time.dt.convert_time_zone(zone).dt.replace_time_zone(None))
    return local.otherwise(time.dt.replace_time_zone(None))


def _read_frame(cursor: dbapi.Cursor, query: str) -> pl.DataFrame:
    cursor.execute(query)
    frame = pl.from_arrow(cursor.fetch_arrow_table())
    assert isinstance(frame, pl.DataFrame)
    return frame


def _copy_users(users: pl.DataFrame, url: str) -> None:
    user_rows = users.select("user_key", pl.col("userId").alias("user_id"), pl.lit("feed").alias("source"))
    with_time = user_rows.with_columns(valid_from=pl.lit("2000-01-01").str.to_datetime(time_unit="us", time_zone="UTC"))
    with dbapi.connect(libpq_url(url)) as connection, connection.cursor() as cursor:
        cursor.adbc_ingest("dim_user", with_time.to_arrow(), mode="append", db_schema_name="warehouse")
        connection.commit()


def _copy_rows(frame: pl.DataFrame, url: str, table: str) -> None:
    halves = np.stack([frame["high"].to_numpy(), frame["low"].to_numpy()], axis=1).astype(">u8")
    ids = pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), len(frame), [None, pa.py_buffer(halves.tobytes())])
    rows = frame.drop("high", "low").to_arrow()
    plain_schema = pa.schema([pa.field(field.name, _to_plain_type(field.type)) for field in rows.schema])
    filled = rows.cast(plain_schema).add_column(0, "event_id", ids.cast(pa.binary()))
    with dbapi.connect(libpq_url(url)) as connection, connection.cursor() as cursor:
        cursor.adbc_ingest(table, filled, mode="append", db_schema_name="staging")
        connection.commit()


def _to_plain_type(type_: pa.DataType) -> pa.DataType:
    return pa.string() if pa.types.is_large_string(type_) or pa.types.is_string_view(type_) else type_


def _make_index_statements(month: str) -> tuple[str, ...]:
    table = f"staging.polars_{month}"
    return (
        f"create unique index polars_{month}_pkey on {table} (event_id, event_time)",
        f"create index on {table} (user_key, event_time)",
        f"create index on {table} using brin (event_time)",
    )


def _run_statement(url: str, statement: str) -> None:
    with connect(url) as connection:
        connection.execute(text("set local maintenance_work_mem = '512MB'"))
        connection.execute(text(statement))
