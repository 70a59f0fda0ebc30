"""The event load in hand-written code: Polars for decoding, validation and keys, ADBC for COPY.

Written as well as ours where it does the same: local times come from a table of offsets by time zone and hour, dates
and months from integer arithmetic, a clean feed is not searched for duplicates, and staging does not wait for the disk.
Two things are slower than in ours, because Polars and ADBC have no other way: all fields are decoded and seven dropped,
and ADBC's writer encodes the rows.

It leaves out parts of the load (against us): reasons of rejected rows; audit rows, checks, the queue of the marts; the
rows of dim_play_context, attributes and versions of users, new artists and tracks, names without ids, playlists,
podcasts and audiobooks; events that the star already has, plays that two sources report; the lock, the restart after a
crash, and a bound on memory.
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
    events = pl.concat(frames, rechunk=False)
    del frames
    keyed = _add_keys(events.filter(_is_valid()), url)
    month_numbers = _number_months(keyed["event_time"])
    months = {number: f"{number // 12:04d}_{number % 12 + 1:02d}" for number in month_numbers.unique().to_list()}
    with connect(url) as connection:
        for month in months.values():
            connection.execute(
                text(f"create table staging.polars_{month} (like warehouse.fact_event including constraints)")
            )
    for number, month in months.items():
        month_rows = keyed if len(months) == 1 else keyed.filter(month_numbers == number)
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


def _is_valid() -> pl.Expr:
    """Return the condition of an event that the load accepts; all others are dropped."""
    required = ("eventId", "userId", "eventTime", "activityType")
    is_complete = pl.all_horizontal(pl.col(name).is_not_null() for name in required)
    is_play = pl.col("activityType").cast(pl.String) == "PLAY"
    is_in_time = pl.col("eventTime").is_between(
        pl.datetime(2006, 4, 23, time_zone="UTC"), pl.datetime(2100, 1, 1, time_zone="UTC")
    )
    is_play_complete = pl.col("msPlayed").is_not_null() & (pl.col("msPlayed") >= 0) & pl.col("songId").is_not_null()
    return is_complete & is_in_time & (~is_play | is_play_complete)


def _number_months(times: pl.Series) -> pl.Series:
    return times.dt.year().cast(pl.Int32) * 12 + times.dt.month().cast(pl.Int32) - 1


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
        .with_columns(hour=_count_hours())
        .join(_make_offsets(events).lazy(), on=["timezone", "hour"], how="left", nulls_equal=True)
        .with_columns(
            local=pl.from_epoch(pl.col("eventTime").dt.epoch("us") + pl.col("offset"), time_unit="us"),
            is_play=pl.col("activityType").cast(pl.String) == "PLAY",
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
        _number_date(pl.col("local")).alias("date_key"),
        _number_date(time).alias("utc_date_key"),
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


def _number_date(time: pl.Expr) -> pl.Expr:
    return time.dt.year().cast(pl.Int32) * 10_000 + time.dt.month().cast(pl.Int32) * 100 + time.dt.day().cast(pl.Int32)


def _make_offsets(events: pl.DataFrame) -> pl.DataFrame:
    """Return the offset from UTC by time zone and hour: offsets change at whole hours of UTC."""
    hours = events.select("timezone", hour=_count_hours()).unique()
    zones = [
        zone.with_columns(
            offset=(
                pl.from_epoch(pl.col("hour") * 3600, time_unit="s")
                .dt.replace_time_zone("UTC")
                .dt.convert_time_zone(str(name) if name else "UTC")
                .dt.replace_time_zone(None)
                .dt.epoch("us")
                - pl.col("hour") * 3_600_000_000
            )
        )
        for (name,), zone in hours.group_by("timezone")
    ]
    return pl.concat(zones)


def _count_hours() -> pl.Expr:
    return pl.col("eventTime").dt.epoch("s") // 3600


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
        cursor.execute("set synchronous_commit = off")
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
