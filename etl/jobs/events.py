"""The load of events: what the lake holds of them and the audit does not yet know."""

import json
import logging
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from functools import reduce

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from etl import warehouse
from etl.config import Settings
from etl.lake import Lake, Received
from etl.load import Run, RunInput
from etl.load.events import EventLoad, event_load
from etl.places import CONTINENTS
from etl.schemas import EVENTS, REJECTED_ROW
from etl.schemas.avro import contract
from etl.schemas.events import EVENT_ROW, USER_ROW
from etl.spark import session
from etl.transform.events import facts, feed, members, rows
from etl.transform.kaggle import Parsed

log = logging.getLogger(__name__)

ORIGINS = ("feed",)
_CLOCKS_DIFFER_BY = timedelta(days=1)


def plan_events(run_id: str, settings: Settings) -> int:
    """Decide which inputs a load takes, and note it for the next step.

    :returns: how many; 0 where there is nothing new.
    """
    started_at = datetime.now(UTC)
    lake = Lake(settings.lake_url)
    with warehouse.connect(settings.warehouse_url) as connection:
        known = warehouse.published_inputs(connection, warehouse.EVENT_JOB)
        new = [one for one in lake.inputs(ORIGINS) if one.input_id not in known]
        if not new:
            warehouse.record_nothing_new(connection, run_id, warehouse.EVENT_JOB, started_at)
            return 0
    lake.write_note(run_id, "events", {"started_at": started_at.isoformat(), "inputs": [asdict(one) for one in new]})
    log.info("%d new inputs: %s", len(new), ", ".join(one.name for one in new))
    return len(new)


def load_events(run_id: str, reference_date: date, settings: Settings) -> dict[str, int]:
    """Read the planned inputs, give their events the keys of what they name, stage, check and publish.

    :returns: rows added, by table; empty where every event was there already.
    """
    lake = Lake(settings.lake_url)
    plan = lake.read_note(run_id, "events")
    inputs = [Received(**{**one, "columns": tuple(one["columns"])}) for one in plan["inputs"]]
    run = Run(
        run_id=run_id,
        job=warehouse.EVENT_JOB,
        started_at=datetime.fromisoformat(plan["started_at"]),
        reference_date=reference_date,
        inputs=tuple(RunInput(one.input_id, one.origin, one.name, one.format, one.row_count) for one in inputs),
    )
    with event_load(run, settings.warehouse_url) as load:
        if load is None:
            return {}
        with session(settings, f"load_events {run_id}") as spark:
            return _load(spark, lake, inputs, load)


def _load(spark: SparkSession, lake: Lake, inputs: list[Received], load: EventLoad) -> dict[str, int]:
    not_after = max(datetime.fromisoformat(one.received_at) for one in inputs) + _CLOCKS_DIFFER_BY
    told, users = _events(spark, lake, inputs, not_after), _users(spark, lake, inputs, not_after)
    identified = rows.identified(told.accepted).persist(StorageLevel.MEMORY_AND_DISK)
    distinct = rows.distinct(identified)
    records = users.accepted.dropDuplicates(["user_id", "valid_from", "source"]).select(*EVENTS["user_record"].names)
    counted = _counted(identified, distinct.repeated, users.accepted)
    load.publish_members(
        {
            **members.members(identified),
            "user_record": records,
            "event_count": counted,
            "rejected_row": told.rejected.unionByName(users.rejected),
        }
    )
    log.info("All users, artists, tracks and playlists that the events name are known.")
    continents = spark.createDataFrame(sorted(CONTINENTS.items()), "country string, continent string")
    published = load.publish_events(facts.facts(distinct.rows, load.keys(spark), continents), _months(identified))
    identified.unpersist()
    return published


def _events(spark: SparkSession, lake: Lake, inputs: list[Received], not_after: datetime) -> Parsed:
    feeds = [one for one in inputs if one.format == "user_activity"]
    parsed = (
        [feed.events(lake.read_feed(spark, feeds, json.dumps(contract("user_activity_2"))), not_after)] if feeds else []
    )
    return _united(spark, parsed, EVENT_ROW)


def _users(spark: SparkSession, lake: Lake, inputs: list[Received], not_after: datetime) -> Parsed:
    feeds = [one for one in inputs if one.format == "user"]
    parsed = [feed.users(lake.read_feed(spark, feeds, json.dumps(contract("user"))), not_after)] if feeds else []
    return _united(spark, parsed, USER_ROW)


def _united(spark: SparkSession, parsed: list[Parsed], schema: object) -> Parsed:
    accepted = reduce(DataFrame.unionByName, (one.accepted for one in parsed), spark.createDataFrame([], schema))
    rejected = reduce(DataFrame.unionByName, (one.rejected for one in parsed), spark.createDataFrame([], REJECTED_ROW))
    return Parsed(accepted, rejected)


def _counted(identified: DataFrame, repeated: DataFrame, users: DataFrame) -> DataFrame:
    none = F.lit(0).cast("long")
    accepted = identified.groupBy("input_id").agg(F.count(F.lit(1)).alias("rows_accepted"))
    of_users = users.groupBy("input_id").agg(
        F.count(F.lit(1)).alias("rows_accepted"),
        (F.count(F.lit(1)) - F.count_distinct("user_id", "valid_from")).alias("rows_repeated"),
    )
    return (
        accepted.withColumn("rows_repeated", none)
        .unionByName(of_users)
        .unionByName(repeated.withColumn("rows_accepted", none), allowMissingColumns=True)
        .select(*EVENTS["event_count"].names)
    )


def _months(identified: DataFrame) -> dict[str, list[date]]:
    month = F.date_trunc("month", "event_time").cast("date").alias("first_day")
    table = F.when(F.col("spoken_id").isNull(), "fact_event").otherwise("fact_spoken_event").alias("table_name")
    found: dict[str, list[date]] = {}
    for row in identified.select(table, month).distinct().collect():
        found.setdefault(row["table_name"], []).append(row["first_day"])
    return found
