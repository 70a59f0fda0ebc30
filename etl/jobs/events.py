"""The load of events: what the lake holds of them and the audit does not yet know."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from functools import partial

import pyarrow as pa
from pyspark import StorageLevel
from pyspark.sql.pandas.types import to_arrow_schema

from etl import database
from etl.database.run_records import record_run_without_rows
from etl.engines.datafusion import TableSession, convert_table
from etl.engines.parallel_map import parallel_map
from etl.engines.spark import LazySession, open_lazy_session, options_for_size
from etl.formats.contracts import EVENTS, REJECTED_ROW
from etl.formats.contracts.avro import LATEST_CONTRACT, load_contract
from etl.formats.geography import get_timezones
from etl.formats.time_limits import CLOCK_TOLERANCE
from etl.jobs import api_events
from etl.jobs.account_import import read_export_lines
from etl.load import Run, RunInput
from etl.load.event_load import EventLoad, open_event_load
from etl.load.staging import StagingWriter
from etl.settings import MOCK_API_NAME, Settings
from etl.storage import arrow_files
from etl.storage.full_disk import report_full_disk
from etl.storage.inputs import Lake, ReceivedInput
from etl.transform import account_export
from etl.transform.events import dimension_members, facts, feed_queries, play_matching
from etl.transform.events.parsing import (
    EventRowFile,
    FeedFile,
    ParsedEvents,
    RejectedRowFile,
    SourceFile,
    build_cut_off_row,
    parse_source_file,
)
from etl.transform.validation import ValidationResult

log = logging.getLogger(__name__)

ORIGINS = ("feed", "account_export", "api")
_CHECKPOINT_FOLDER = "told"
"""Of what a load lays ready in the lake until it is done."""
_FEED_QUERIES = {
    "user_activity": (feed_queries.build_event_query, feed_queries.UNUSED_FIELDS),
    "user": (feed_queries.build_user_query, ()),
}
"""The query of a feed's format, and the fields of its contract that the query does not read."""


def has_new_inputs(settings: Settings) -> bool:
    """Whether the lake holds an input that no load of events has taken."""
    with database.connect(settings.warehouse_url) as connection:
        return bool(
            _select_new_inputs(
                database.list_published_input_ids(connection, database.EVENT_LOAD_JOB), Lake(settings.lake_url)
            )
        )


@report_full_disk
def plan_events(run_id: str, settings: Settings) -> int:
    """Decide which inputs a load takes, and note it for the next step.

    :returns: how many; 0 where there is nothing new.
    """
    started_at = datetime.now(UTC)
    lake = Lake(settings.lake_url)
    with database.connect(settings.warehouse_url) as connection:
        published_ids = database.list_published_input_ids(connection, database.EVENT_LOAD_JOB)
        new_inputs = api_events.convert_to_event_inputs(lake, _select_new_inputs(published_ids, lake))
        if not any(map(api_events.has_events, new_inputs)):
            if new_inputs:
                record_run_without_rows(connection, _build_run(run_id, started_at, started_at.date(), new_inputs))
            else:
                database.record_nothing_new(connection, run_id, database.EVENT_LOAD_JOB, started_at)
            return 0
    lake.write_document(
        run_id,
        "events",
        {"started_at": started_at.isoformat(), "inputs": [asdict(received_input) for received_input in new_inputs]},
    )
    log.info("%d new inputs: %s", len(new_inputs), ", ".join(received_input.name for received_input in new_inputs))
    return len(new_inputs)


@report_full_disk
def load_events(run_id: str, reference_date: date, settings: Settings) -> dict[str, int]:
    """Read the planned inputs, give their events the keys of what they name, stage, check and publish.

    :returns: rows added, by table; empty where every event was there already.
    """
    lake = Lake(settings.lake_url)
    plan = lake.read_document(run_id, "events")
    inputs = [ReceivedInput.from_manifest(document) for document in plan["inputs"]]
    run = _build_run(run_id, datetime.fromisoformat(plan["started_at"]), reference_date, inputs)
    with open_event_load(run, settings.warehouse_url) as load:
        if load is None:
            return {}
        lake.drop_checkpoint_folder(run_id, _CHECKPOINT_FOLDER)
        options = options_for_size(sum(document.size_bytes for document in inputs))
        with open_lazy_session(settings, f"load_events {run_id}", options) as spark:
            source_files = [
                *_list_feed_files(lake, run_id, inputs),
                *_write_spark_files(spark, lake, run_id, inputs, settings, load),
            ]
            written_counts = _load_parsed_events(
                spark,
                inputs,
                parallel_map(spark, parse_source_file, source_files),
                lake.get_checkpoint_url(run_id, _CHECKPOINT_FOLDER),
                load,
            )
        lake.drop_checkpoint_folder(run_id, _CHECKPOINT_FOLDER)
        return written_counts


def _select_new_inputs(published_ids: set[str], lake: Lake) -> list[ReceivedInput]:
    return [
        received_input
        for received_input in lake.find_inputs(ORIGINS)
        if api_events.get_event_input_id(received_input) not in published_ids
    ]


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
            )
            for received_input in inputs
        ),
    )


def _load_parsed_events(
    spark: LazySession, inputs: list[ReceivedInput], parsed_events: list[ParsedEvents], folder_url: str, load: EventLoad
) -> dict[str, int]:
    playlists = _parse_exported_playlists(spark, inputs, folder_url)
    event_urls = arrow_files.sort_largest_first(
        url for file_events in parsed_events if file_events.members is not None for url in file_events.accepted
    )
    user_urls = [url for file_events in parsed_events if file_events.members is None for url in file_events.accepted]
    event_members = dimension_members.merge_members(
        [file_events.members for file_events in parsed_events if file_events.members is not None] + playlists.members
    )
    if dimension_members.has_members_without_id(event_members):
        event_members = dimension_members.add_name_derived_ids(event_members, spark())
    load.stage_dimension_members(
        {"event_named": event_members} | _merge_frames(_merge_user_records(user_urls), playlists.frames)
    )
    rejected_urls = (
        [url for file_events in parsed_events for url in file_events.rejected]
        + _write_cut_off_rows(inputs, folder_url)
        + playlists.rejected_urls
    )
    parallel_map(spark, partial(_stage_rejected_file, load.staging_writer), list(enumerate(rejected_urls)))
    load.publish_dimension_members()
    log.info("All users, artists, tracks and playlists that the events name are known.")
    first_days, keys = load.list_month_starts(), load.fetch_dimension_keys()
    stage = partial(_stage_fact_file, load.staging_writer, keys, tuple(first_days))
    months = load.stage_events(lambda: parallel_map(spark, stage, list(enumerate(event_urls))), first_days)
    return load.publish_events(months, play_matching.SOURCES, _match_plays(load))


def _list_feed_files(lake: Lake, run_id: str, inputs: list[ReceivedInput]) -> list[FeedFile]:
    timezones = get_timezones()
    feed_files = []
    for received_input in inputs:
        if received_input.format not in _FEED_QUERIES:
            continue
        build_query, unused_fields = _FEED_QUERIES[received_input.format]
        latest_contract = load_contract(LATEST_CONTRACT[received_input.format])
        latest_time = datetime.fromisoformat(received_input.received_at) + CLOCK_TOLERANCE
        for number, url in enumerate(lake.find_input_files(received_input, ".avro")):
            feed_files.append(
                FeedFile(
                    url=url,
                    target=lake.get_checkpoint_url(
                        run_id, f"{_CHECKPOINT_FOLDER}/{received_input.input_id}-{number:06}"
                    ),
                    input_id=received_input.input_id,
                    query=build_query(received_input.input_id, latest_time, timezones),
                    contract=latest_contract,
                    fields=tuple(
                        field["name"] for field in latest_contract["fields"] if field["name"] not in unused_fields
                    ),
                    has_users=received_input.format == "user",
                )
            )
    return feed_files


def _write_spark_files(
    spark: LazySession, lake: Lake, run_id: str, inputs: list[ReceivedInput], settings: Settings, load: EventLoad
) -> list[SourceFile]:
    """Files that Spark made of exports and of the API's answers."""
    source_files: list[SourceFile] = []
    for name, result in _parse_with_spark(spark, lake, inputs, settings, load):
        for is_accepted, frame in ((True, result.accepted), (False, result.rejected)):
            checkpoint_name = f"{_CHECKPOINT_FOLDER}/{name}-{'accepted' if is_accepted else 'rejected'}"
            lake.write_frame(frame, run_id, checkpoint_name)
            file_class = EventRowFile if is_accepted else RejectedRowFile
            source_files += [
                file_class(url, f"{lake.get_checkpoint_url(run_id, checkpoint_name)}-{number:06}")
                for number, url in enumerate(lake.find_frame_files(run_id, checkpoint_name))
            ]
    return source_files


def _parse_with_spark(
    spark: LazySession, lake: Lake, inputs: list[ReceivedInput], settings: Settings, load: EventLoad
) -> Iterator[tuple[str, ValidationResult]]:
    for name in account_export.EVENT_FORMATS:
        if exports := [received_input for received_input in inputs if received_input.format == name]:
            yield name, account_export.parse_events(read_export_lines(spark(), exports), name)
    if api_inputs := [
        received_input
        for received_input in inputs
        if received_input.format == "spotify_answers" and received_input.row_count
    ]:
        account_ids = api_events.load_account_ids(settings)
        is_mock = lake.resolve_api_name(settings.api_name) == MOCK_API_NAME
        yield "spotify_answers", api_events.parse_api_events(spark(), lake, api_inputs, account_ids, load, is_mock)


@dataclass(frozen=True)
class _ExportedPlaylists:
    """Playlists of account exports: frames to stage, what they name, and URLs of the files of rejected rows."""

    frames: dict[str, pa.Table] = field(default_factory=dict)
    members: list[pa.Table] = field(default_factory=list)
    rejected_urls: list[str] = field(default_factory=list)


def _parse_exported_playlists(spark: LazySession, inputs: list[ReceivedInput], folder_url: str) -> _ExportedPlaylists:
    exports = [received_input for received_input in inputs if received_input.format == "playlist_export"]
    if not exports:
        return _ExportedPlaylists()
    parsed = account_export.parse_playlists(read_export_lines(spark(), exports).persist(StorageLevel.DISK_ONLY))
    frames = {
        "exported_playlist": parsed.playlists.toArrow(),
        "exported_playlist_track": parsed.tracks.toArrow(),
        "event_count": parsed.counts.toArrow(),
    }
    rejected_url = f"{folder_url}/playlists-refused.arrow"
    arrow_files.write_table(rejected_url, convert_table(parsed.rejected.toArrow(), to_arrow_schema(REJECTED_ROW)))
    playlist_members = dimension_members.collect_playlist_members(
        frames["exported_playlist"], frames["exported_playlist_track"]
    )
    return _ExportedPlaylists(frames, [playlist_members], [rejected_url])


def _merge_frames(*frame_groups: dict[str, pa.Table]) -> dict[str, pa.Table]:
    """Frames by name; those of one name together."""
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


def _write_cut_off_rows(inputs: list[ReceivedInput], folder_url: str) -> list[str]:
    """The file of what cut inputs lack, if any is cut."""
    cut_off_rows = [
        build_cut_off_row(received_input.input_id, received_input.cut_off)
        for received_input in inputs
        if received_input.cut_off
    ]
    if not cut_off_rows:
        return []
    url = f"{folder_url}/cut-refused.arrow"
    arrow_files.write_table(url, pa.concat_tables(cut_off_rows))
    return [url]


def _merge_user_records(urls: list[str]) -> dict[str, pa.Table]:
    """What is said of users, each once, and how many records of each input say so."""
    if not urls:
        return {}
    tables = TableSession(rows=pa.concat_tables(map(arrow_files.read_table, urls)))
    columns = ", ".join(EVENTS["user_record"].names)
    return {
        "user_record": tables.collect_table(f"select distinct {columns} from rows"),  # noqa: S608 (columns of ours)
        "event_count": tables.collect_table(_USER_COUNT_QUERY),
    }


def _match_plays(load: EventLoad) -> list[tuple[object, ...]]:
    """Return the rows of ``matched.stage`` for the plays that go."""
    plays = [
        play_matching.Play((row.pop("event_id"), row.pop("event_time")), **row)
        for row in load.list_matchable_plays(play_matching.SOURCES)
    ]
    has_two_sources = len({play.source for play in plays}) > 1
    name_ids = load.list_track_name_ids({play.track_key for play in plays}) if has_two_sources else {}
    return [
        (*match.duplicate_key, *match.retained_key, match.rule) for match in play_matching.match_plays(plays, name_ids)
    ]


_USER_COUNT_QUERY = """
    select r.input_id, r.row_count as rows_accepted, r.row_count - u.row_count as rows_repeated
    from (select input_id, count(*) as row_count from rows group by input_id) as r
    inner join (
        select input_id, count(*) as row_count
        from (select distinct input_id, user_id, valid_from from rows) as once
        group by input_id
    ) as u on u.input_id = r.input_id
"""
