"""The load of events: what the lake holds of them and the audit does not yet know."""

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from functools import reduce
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from etl import warehouse
from etl.config import Settings
from etl.jobs import api_events
from etl.jobs.account_export import read_lines
from etl.lake import Lake, Received
from etl.load import Run, RunInput
from etl.load.events import EventLoad, event_load
from etl.load.run import record_taken
from etl.places import CONTINENTS
from etl.schemas import EVENTS, REJECTED_ROW
from etl.schemas.avro import contract
from etl.schemas.events import EVENT_ROW, USER_ROW
from etl.spark import session
from etl.transform import account_export
from etl.transform.events import facts, feed, matching, members, rows
from etl.transform.kaggle import Parsed

log = logging.getLogger(__name__)

ORIGINS = ("feed", "account_export", "api")
_USER_RECORD = EVENTS["user_record"].names
_CLOCKS_DIFFER_BY = timedelta(days=1)


def has_news(settings: Settings) -> bool:
    """Whether the lake holds an input that no load of events has taken."""
    with warehouse.connect(settings.warehouse_url) as connection:
        return bool(_unknown(warehouse.published_inputs(connection, warehouse.EVENT_JOB), Lake(settings.lake_url)))


def plan_events(run_id: str, settings: Settings) -> int:
    """Decide which inputs a load takes, and note it for the next step.

    :returns: how many; 0 where there is nothing new.
    """
    started_at = datetime.now(UTC)
    lake = Lake(settings.lake_url)
    with warehouse.connect(settings.warehouse_url) as connection:
        known = warehouse.published_inputs(connection, warehouse.EVENT_JOB)
        new = api_events.as_event_inputs(lake, _unknown(known, lake))
        if not any(map(api_events.has_events, new)):
            if new:
                record_taken(connection, _run(run_id, started_at, started_at.date(), new))
            else:
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
    run = _run(run_id, datetime.fromisoformat(plan["started_at"]), reference_date, inputs)
    ids = api_events.account_ids(settings)
    with event_load(run, settings.warehouse_url) as load:
        if load is None:
            return {}
        with session(settings, f"load_events {run_id}") as spark:
            told, users = _events(spark, lake, inputs, ids, load), _users(spark, lake, inputs)
            return _load(spark, inputs, told, users, load)


def _unknown(known: set[str], lake: Lake) -> list[Received]:
    return [one for one in lake.inputs(ORIGINS) if api_events.event_id_of(one) not in known]


def _run(run_id: str, started_at: datetime, reference_date: date, inputs: list[Received]) -> Run:
    return Run(
        run_id=run_id,
        job=warehouse.EVENT_JOB,
        started_at=started_at,
        reference_date=reference_date,
        inputs=tuple(RunInput(one.input_id, one.origin, one.name, one.format, one.row_count) for one in inputs),
    )


def _load(spark: SparkSession, inputs: list[Received], told: Parsed, users: Parsed, load: EventLoad) -> dict[str, int]:
    of_users = _of_users(users.accepted) if any(one.format == "user" for one in inputs) else {}
    load.stage_members({"event_named": members.named(told.accepted), **of_users})
    if load.has_refused():
        load.stage_refused(told.rejected.unionByName(users.rejected))
    load.publish_members()
    log.info("All users, artists, tracks and playlists that the events name are known.")
    keys = load.keys(spark)
    events = rows.with_made_ids(rows.identified(told.accepted), keys["made_id"])
    continents = spark.createDataFrame(sorted(CONTINENTS.items()), "country string, continent string")
    months = load.stage_events(facts.facts(events, keys, continents), load.first_days())
    return load.publish_events(months, matching.SOURCES, _matches(load.plays(matching.SOURCES)))


def _events(spark: SparkSession, lake: Lake, inputs: list[Received], ids: Mapping[str, str], load: EventLoad) -> Parsed:
    by_format: dict[str, list[Received]] = {}
    for one in inputs:
        by_format.setdefault(one.format, []).append(one)
    parsed = []
    if feeds := by_format.get("user_activity"):
        parsed.append(feed.events(lake.read_feed(spark, feeds, _contract("user_activity_2")), _not_after(inputs)))
    for name in ("extended_export", "basic_export"):
        if exports := by_format.get(name):
            parsed.append(account_export.parse(read_lines(spark, exports), name))
    if answers := [one for one in by_format.get("spotify_answers", ()) if one.row_count]:
        parsed.append(api_events.parse(spark, lake, answers, ids, load))
    return _united(spark, parsed, EVENT_ROW)


def _users(spark: SparkSession, lake: Lake, inputs: list[Received]) -> Parsed:
    feeds = [one for one in inputs if one.format == "user"]
    parsed = [feed.users(lake.read_feed(spark, feeds, _contract("user")), _not_after(inputs))] if feeds else []
    return _united(spark, parsed, USER_ROW)


def _contract(name: str) -> str:
    return json.dumps(contract(name))


def _not_after(inputs: list[Received]) -> datetime:
    return max(datetime.fromisoformat(one.received_at) for one in inputs) + _CLOCKS_DIFFER_BY


def _united(spark: SparkSession, parsed: list[Parsed], schema: StructType) -> Parsed:
    accepted = reduce(DataFrame.unionByName, (one.accepted for one in parsed), spark.createDataFrame([], schema))
    rejected = reduce(DataFrame.unionByName, (one.rejected for one in parsed), spark.createDataFrame([], REJECTED_ROW))
    return Parsed(accepted, rejected)


def _of_users(accepted: DataFrame) -> dict[str, DataFrame]:
    rows_told, users_told = F.count(F.lit(1)), F.count_distinct("user_id", "valid_from")
    counted = accepted.groupBy("input_id").agg(
        rows_told.alias("rows_accepted"), (rows_told - users_told).alias("rows_repeated")
    )
    return {"user_record": accepted.select(*_USER_RECORD).distinct(), "event_count": counted}


def _matches(plays: list[dict[str, Any]]) -> list[tuple[object, ...]]:
    told = (matching.Play((one.pop("event_id"), one.pop("event_time")), **one) for one in plays)
    return [(*one.dropped, *one.kept, one.rule) for one in matching.matches(told)]
