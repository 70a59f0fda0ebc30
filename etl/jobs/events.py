"""The load of events: inputs in the lake that the audit does not list as loaded yet."""

import logging
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from functools import partial

import pyarrow as pa
from pyspark.sql.pandas.types import to_arrow_schema

from etl import database
from etl.database.run_records import record_run_without_rows
from etl.engines.datafusion import convert_table
from etl.engines.parallel_map import parallel_map
from etl.engines.spark import LazySession, open_lazy_session, options_for_size
from etl.formats.contracts import EVENTS
from etl.jobs import api_events, event_sources, landed_inputs
from etl.jobs.event_files import ParsedFile, parse_source_file
from etl.jobs.event_sources import CHECKPOINT_FOLDER
from etl.load import Run, RunInput
from etl.load.event_load import EventLoad, open_event_load
from etl.load.staging import StagingWriter
from etl.settings import Settings
from etl.storage import arrow_files
from etl.storage.full_disk import report_full_disk
from etl.storage.inputs import ReceivedInput
from etl.storage.lake import Lake
from etl.transform.events import dimension_members, facts, play_matching, user_records
from etl.transform.events.play_pairing import Play

log = logging.getLogger(__name__)

ORIGINS = ("feed", "account_export", "api")


def has_new_inputs(settings: Settings) -> bool:
    """Return whether the lake has an input that no load of events has taken."""
    lake = Lake(settings.lake_url)
    with database.connect(settings.warehouse_url) as connection:
        published_ids = database.list_published_input_ids(connection, database.EVENT_LOAD_JOB)
    return landed_inputs.has_landed_files(lake) or bool(_select_new_inputs(published_ids, lake))


@report_full_disk
def plan_events(run_id: str, settings: Settings) -> int:
    """Make an input of the landed messages, choose the inputs of a load, and store the plan for ``load_events``.

    :returns: the number of inputs; 0 if nothing is new.
    """
    started_at = datetime.now(UTC)
    lake = Lake(settings.lake_url)
    landed_inputs.register_landed_files(lake, settings.warehouse_url, started_at)
    with database.connect(settings.warehouse_url) as connection:
        published_ids = database.list_published_input_ids(connection, database.EVENT_LOAD_JOB)
        new_inputs = api_events.convert_to_event_inputs(lake, _select_new_inputs(published_ids, lake))
        if not any(map(api_events.has_events, new_inputs)):
            if new_inputs:
                record_run_without_rows(connection, _build_run(run_id, started_at, started_at.date(), new_inputs))
            else:
                database.record_nothing_new(connection, run_id, database.EVENT_LOAD_JOB, started_at)
            return 0
    lake.checkpoints.write_document(
        run_id,
        "events",
        {"started_at": started_at.isoformat(), "inputs": [asdict(received_input) for received_input in new_inputs]},
    )
    log.info("%d new inputs: %s", len(new_inputs), ", ".join(received_input.name for received_input in new_inputs))
    return len(new_inputs)


@report_full_disk
def load_events(run_id: str, reference_date: date, settings: Settings) -> dict[str, int]:
    """Parse the planned inputs, resolve the surrogate keys of their events, then stage, check and publish.

    :returns: rows added, by table; empty if every event is loaded already.
    """
    lake = Lake(settings.lake_url)
    plan = lake.checkpoints.read_document(run_id, "events")
    inputs = [ReceivedInput.from_manifest(document) for document in plan["inputs"]]
    run = _build_run(run_id, datetime.fromisoformat(plan["started_at"]), reference_date, inputs)
    with open_event_load(run, settings.warehouse_url) as load:
        if load is None:
            return {}
        lake.checkpoints.drop_folder(run_id, CHECKPOINT_FOLDER)
        options = options_for_size(sum(received_input.size_bytes for received_input in inputs))
        with open_lazy_session(settings, f"load_events {run_id}", options) as spark:
            source_files = [
                *event_sources.list_feed_files(lake, run_id, inputs),
                *event_sources.list_rejected_files(lake, run_id, inputs),
                *event_sources.list_extended_histories(lake, run_id, inputs),
                *event_sources.write_spark_files(spark, lake, run_id, inputs, settings, load),
            ]
            written_counts = _load_parsed_events(
                spark,
                inputs,
                parallel_map(spark, parse_source_file, source_files),
                lake.checkpoints.get_folder_url(run_id, CHECKPOINT_FOLDER),
                load,
            )
        lake.checkpoints.drop_folder(run_id, CHECKPOINT_FOLDER)
        return written_counts


def _select_new_inputs(published_ids: set[str], lake: Lake) -> list[ReceivedInput]:
    return lake.inputs.find_inputs(
        ORIGINS, lambda origin, input_id: api_events.get_event_input_id(origin, input_id) not in published_ids
    )


def _build_run(run_id: str, started_at: datetime, reference_date: date, inputs: list[ReceivedInput]) -> Run:
    return Run(
        run_id=run_id,
        job=database.EVENT_LOAD_JOB,
        started_at=started_at,
        reference_date=reference_date,
        inputs=tuple(
            RunInput(
                received_input.input_id,
                received_input.origin,
                received_input.name,
                received_input.format,
                received_input.row_count,
                remarks=received_input.remarks,
            )
            for received_input in inputs
        ),
    )


def _load_parsed_events(
    spark: LazySession, inputs: list[ReceivedInput], parsed_files: list[ParsedFile], folder_url: str, load: EventLoad
) -> dict[str, int]:
    playlists = event_sources.parse_exported_playlists(spark, inputs, folder_url)
    event_files = [parsed_file for parsed_file in parsed_files if parsed_file.members is not None]
    user_urls = [url for parsed_file in parsed_files if parsed_file.members is None for url in parsed_file.accepted]
    members = dimension_members.add_name_derived_ids(
        dimension_members.merge_members([parsed_file.members for parsed_file in event_files] + playlists.members)
    )
    user_frames = (
        user_records.merge_user_records(pa.concat_tables(map(arrow_files.read_table, user_urls))) if user_urls else {}
    )
    rejected_urls = (
        [url for parsed_file in parsed_files for url in parsed_file.rejected]
        + event_sources.write_cut_off_rows(inputs, folder_url)
        + playlists.rejected_urls
    )
    event_urls = arrow_files.sort_largest_first(url for parsed_file in event_files for url in parsed_file.accepted)
    # The calls of EventLoad build on each other. Dimension members are staged and published first, because events need
    # their surrogate keys. Staging of events needs the months (a table for each) and those keys. Plays are matched
    # across sources last: a match may be with a play of an earlier load.
    load.stage_dimension_members({"event_named": members} | _merge_frames(user_frames, playlists.frames))
    parallel_map(spark, partial(_stage_rejected_file, load.staging_writer), list(enumerate(rejected_urls)))
    load.publish_dimension_members()
    log.info("Published the users, artists, tracks and playlists of the events.")
    first_days, keys = load.list_month_starts(), load.fetch_dimension_keys()
    stage = partial(_stage_fact_file, load.staging_writer, keys, tuple(first_days))
    months = load.stage_events(lambda: parallel_map(spark, stage, list(enumerate(event_urls))), first_days)
    return load.publish_events(months, play_matching.SOURCES, _match_plays(load))


def _merge_frames(*frame_groups: dict[str, pa.Table]) -> dict[str, pa.Table]:
    """Concatenate frames of ``EVENTS`` that have the same name."""
    names = {name for frame_group in frame_groups for name in frame_group}
    return {
        name: pa.concat_tables(
            convert_table(frame_group[name], to_arrow_schema(EVENTS[name]))
            for frame_group in frame_groups
            if name in frame_group
        )
        for name in sorted(names)
    }


def _stage_rejected_file(staging: StagingWriter, numbered_url: tuple[int, str]) -> int:
    number, url = numbered_url
    return staging.write_chunk("rejected_row", number, arrow_files.read_table(url).to_batches())


def _stage_fact_file(
    staging: StagingWriter, keys: dict[str, pa.Table], tables: Sequence[str], numbered_url: tuple[int, str]
) -> int:
    number, url = numbered_url
    rows = arrow_files.read_table(url)
    return staging.write_events(number, {table: facts.build_fact_batches(rows, keys, table) for table in tables})


def _match_plays(load: EventLoad) -> list[tuple[object, ...]]:
    """Return the rows of audit.event_match for plays that another record reports, too."""
    plays = [
        Play((row.pop("event_id"), row.pop("event_time")), **row)
        for row in load.list_matchable_plays(play_matching.SOURCES)
    ]
    has_two_sources = len({play.source for play in plays}) > 1
    name_ids = load.list_track_name_ids({play.track_key for play in plays}) if has_two_sources else {}
    return [
        (*match.duplicate_key, *match.retained_key, match.rule) for match in play_matching.match_plays(plays, name_ids)
    ]
