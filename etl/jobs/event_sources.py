"""The inputs of a load of events, as files to parse and as frames to stage.

In: the planned inputs in the lake. Out: the files of feeds and extended histories, the Parquet files that Spark writes
of other exports and API responses, and the playlists of account exports.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

import pyarrow as pa
from pyspark import StorageLevel
from pyspark.sql import DataFrame

from etl.engines.datafusion import convert_table
from etl.engines.spark import LazySession
from etl.formats.contracts.avro import LATEST_CONTRACT, load_contract
from etl.formats.geography import get_timezones
from etl.formats.service_exports import SERVICE_FORMATS
from etl.formats.time_limits import CLOCK_TOLERANCE
from etl.jobs import api_events
from etl.jobs.account_import import read_export_lines
from etl.jobs.event_files import EventRowFile, ExtendedHistories, FeedFile, RejectedRowFile, SourceFile
from etl.load.event_load import EventLoad
from etl.settings import MOCK_API_NAME, Settings
from etl.storage import arrow_files
from etl.storage.inputs import ReceivedInput
from etl.storage.lake import Lake
from etl.storage.landed_files import REJECTED_SUFFIX
from etl.transform import account_export
from etl.transform.account_export import extended
from etl.transform.account_export.service_plays import select_isrcs
from etl.transform.events import feed_queries
from etl.transform.events.dimension_members import collect_playlist_members
from etl.transform.events.feed_records import REJECTED_SCHEMA, build_cut_off_row
from etl.transform.validation import ValidationResult

CHECKPOINT_FOLDER = "parsed_events"
"""The folder of a load's intermediate files in the lake; the load drops it at its end."""

_RESPONSE_FORMAT = "spotify_answers"
_FEED_QUERIES = {
    "user_activity": (feed_queries.build_event_query, feed_queries.UNUSED_FIELDS),
    "user": (feed_queries.build_user_query, ()),
}
"""The query of a feed's format, and the fields of its contract that the query does not read."""


@dataclass(frozen=True)
class ExportedPlaylists:
    """Playlists of account exports: frames to stage, their dimension members, and URLs of rejected rows."""

    frames: dict[str, pa.Table] = field(default_factory=dict)
    members: list[pa.Table] = field(default_factory=list)
    rejected_urls: list[str] = field(default_factory=list)


def list_feed_files(lake: Lake, run_id: str, inputs: list[ReceivedInput]) -> list[FeedFile]:
    """Return the Avro files of the feeds among the inputs."""
    timezones = get_timezones()
    feed_files = []
    for received_input in inputs:
        if received_input.format not in _FEED_QUERIES:
            continue
        build_query, unused_fields = _FEED_QUERIES[received_input.format]
        contract = load_contract(LATEST_CONTRACT[received_input.format])
        fields = tuple(field["name"] for field in contract["fields"] if field["name"] not in unused_fields)
        latest_time = datetime.fromisoformat(received_input.received_at) + CLOCK_TOLERANCE
        query = build_query(received_input.input_id, latest_time, timezones)
        for number, url in enumerate(lake.inputs.find_input_files(received_input, ".avro")):
            target = lake.checkpoints.get_folder_url(
                run_id, f"{CHECKPOINT_FOLDER}/{received_input.input_id}-{number:06}"
            )
            feed_files.append(
                FeedFile(url, target, received_input.input_id, query, contract, fields, received_input.format == "user")
            )
    return feed_files


def list_rejected_files(lake: Lake, run_id: str, inputs: list[ReceivedInput]) -> list[RejectedRowFile]:
    """Return the files of the messages that landing rejected, of the feeds among the inputs."""
    return [
        RejectedRowFile(
            url,
            lake.checkpoints.get_folder_url(
                run_id, f"{CHECKPOINT_FOLDER}/{received_input.input_id}-landing-{number:06}"
            ),
            received_input.input_id,
        )
        for received_input in inputs
        if received_input.format in _FEED_QUERIES
        for number, url in enumerate(lake.inputs.find_input_files(received_input, REJECTED_SUFFIX))
        if url.endswith(REJECTED_SUFFIX)  # An input of one file has no others.
    ]


def list_extended_histories(lake: Lake, run_id: str, inputs: list[ReceivedInput]) -> list[ExtendedHistories]:
    """Return the extended histories among the inputs, as one source."""
    histories = tuple(received_input for received_input in inputs if received_input.format == extended.SOURCE)
    target = lake.checkpoints.get_folder_url(run_id, f"{CHECKPOINT_FOLDER}/{extended.SOURCE}")
    return [ExtendedHistories(histories, target)] if histories else []


def write_spark_files(
    spark: LazySession, lake: Lake, run_id: str, inputs: list[ReceivedInput], settings: Settings, load: EventLoad
) -> list[SourceFile]:
    """Parse other exports and API responses with Spark, write their rows to the lake, and return the files."""
    source_files: list[SourceFile] = []
    for name, result in _parse_with_spark(spark, lake, inputs, settings, load):
        for frame, outcome, file_class in (
            (result.accepted, "accepted", EventRowFile),
            (result.rejected, "rejected", RejectedRowFile),
        ):
            checkpoint_name = f"{CHECKPOINT_FOLDER}/{name}-{outcome}"
            lake.checkpoints.write_frame(frame, run_id, checkpoint_name)
            source_files += [
                file_class(url, f"{lake.checkpoints.get_folder_url(run_id, checkpoint_name)}-{number:06}")
                for number, url in enumerate(lake.checkpoints.find_frame_files(run_id, checkpoint_name))
            ]
    return source_files


def _parse_with_spark(
    spark: LazySession, lake: Lake, inputs: list[ReceivedInput], settings: Settings, load: EventLoad
) -> Iterator[tuple[str, ValidationResult]]:
    for name in account_export.EVENT_FORMATS:
        if exports := [received_input for received_input in inputs if received_input.format == name]:
            lines = read_export_lines(spark(), exports)
            isrc_tracks = _find_isrc_tracks(spark, lines, load) if name in SERVICE_FORMATS else None
            yield name, account_export.parse_events(lines, name, isrc_tracks)
    if api_inputs := [
        received_input
        for received_input in inputs
        if received_input.format == _RESPONSE_FORMAT and received_input.row_count
    ]:
        account_ids = api_events.load_account_ids(settings)
        is_mock = lake.inputs.resolve_api_name(settings.api_name) == MOCK_API_NAME
        yield _RESPONSE_FORMAT, api_events.parse_api_events(spark(), lake, api_inputs, account_ids, load, is_mock)


def _find_isrc_tracks(spark: LazySession, lines: DataFrame, load: EventLoad) -> DataFrame | None:
    """Return the tracks that the ISRCs of plays mean: ``isrc`` and ``track_id``; None if there are none."""
    isrcs = [row.isrc for row in select_isrcs(lines).collect()]
    tracks = load.list_isrc_tracks(isrcs) if isrcs else []
    return spark().createDataFrame(tracks, "isrc string, track_id string") if tracks else None


def parse_exported_playlists(spark: LazySession, inputs: list[ReceivedInput], folder_url: str) -> ExportedPlaylists:
    """Parse the playlists of the account exports among the inputs, and write the file of their rejected rows."""
    exports = [received_input for received_input in inputs if received_input.format == "playlist_export"]
    if not exports:
        return ExportedPlaylists()
    parsed = account_export.parse_playlists(read_export_lines(spark(), exports).persist(StorageLevel.DISK_ONLY))
    frames = {
        "exported_playlist": parsed.playlists.toArrow(),
        "exported_playlist_track": parsed.tracks.toArrow(),
        "event_count": parsed.counts.toArrow(),
    }
    rejected_url = f"{folder_url}/playlists-rejected.arrow"
    arrow_files.write_table(rejected_url, convert_table(parsed.rejected.toArrow(), REJECTED_SCHEMA))
    members = collect_playlist_members(frames["exported_playlist"], frames["exported_playlist_track"])
    return ExportedPlaylists(frames, [members], [rejected_url])


def write_cut_off_rows(inputs: list[ReceivedInput], folder_url: str) -> list[str]:
    """Write a rejected row for each truncated input, and return the URL of their file, if there is any."""
    cut_off_rows = [
        build_cut_off_row(received_input.input_id, received_input.cut_off)
        for received_input in inputs
        if received_input.cut_off
    ]
    if not cut_off_rows:
        return []
    url = f"{folder_url}/cut-off-rejected.arrow"
    arrow_files.write_table(url, pa.concat_tables(cut_off_rows))
    return [url]
