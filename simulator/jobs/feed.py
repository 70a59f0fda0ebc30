"""Feeds of synthetic listeners: their listening events, their user records, and the truth about them."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pyarrow as pa
from fsspec.core import url_to_fs
from pyspark.sql import SparkSession
from pyspark.sql.pandas.types import to_arrow_schema

from etl.engines.spark import open_session
from etl.errors import ActionNeededError, TryAgainError
from etl.formats.avro.container_files import count_records
from etl.formats.contracts import STAGED
from etl.formats.contracts.avro import load_contract, write_avro
from etl.formats.time_limits import CLOCK_TOLERANCE
from etl.load import Run, load_frames
from etl.settings import Settings
from etl.storage.full_disk import report_full_disk
from etl.storage.inputs import ReceivedInput
from etl.storage.lake import Lake
from simulator import warehouse_reads
from simulator.listeners import activity_records, feed, habits, track_library
from simulator.listeners.parameters import INJECTED_ERROR_KINDS, InjectedErrorRates, Parameters, resolve_interval
from simulator.listeners.simulation import Simulation

log = logging.getLogger(__name__)

JOB = "simulate_feed"
ORIGIN = "feed"


def parse_parameters(form: Mapping[str, Any], now: datetime) -> Parameters:
    """Parse the parameters of a form or a command line.

    :param form: users, start, end (ISO 8601; UTC without an offset), hours, records, seed, mix, contract,
        free_share, anomalous_share, growing_since (ISO 8601) and the kinds of injected errors; a missing field or None
        takes its default.
    :param now: the end of an interval without an end.
    :raises ActionNeededError: if a value is not valid.
    """
    form_values = {name: value for name, value in form.items() if value is not None}
    start, end = resolve_interval(
        parse_time(form_values.get("start")), parse_time(form_values.get("end")), form_values.get("hours"), now
    )
    names = ("users", "records", "seed", "mix", "free_share", "anomalous_share")
    injected_errors = InjectedErrorRates(
        **{kind: form_values[kind] for kind in INJECTED_ERROR_KINDS if kind in form_values}
    )
    opening = parse_time(form_values.get("growing_since"))
    if opening and opening >= end:
        raise ActionNeededError(
            f"The interval ends on {end:%Y-%m-%d %H:%M}, and the service opens on {opening:%Y-%m-%d}: there would be "
            "no events. Choose a later interval or an earlier opening."
        )
    return Parameters(
        start=start,
        end=end,
        growing_since=opening.date() if opening else None,
        dirt=injected_errors,
        schema_version=1 if form_values.get("contract") == "user_activity_1" else 2,
        **{name: form_values[name] for name in names if name in form_values},
    )


def parse_time(text: str | None) -> datetime | None:
    """Return the time that a text in ISO 8601 describes; UTC without an offset.

    :raises ActionNeededError: if it describes none.
    """
    if text is None:
        return None
    try:
        timestamp = datetime.fromisoformat(text)
    except ValueError:
        raise ActionNeededError(f"{text!r} is no time: write it such as 2026-10-01T00:00 or 2026-10-01.") from None
    return timestamp.astimezone(UTC) if timestamp.tzinfo else timestamp.replace(tzinfo=UTC)


@report_full_disk
def simulate_feed(run_id: str, parameters: Parameters, received_at: datetime, settings: Settings) -> dict[str, Any]:
    """Write a feed of events and one of users into the lake, and publish the truth about them.

    The same parameters and catalogue give the same two inputs: an input that the lake already has is not made again.

    :param parameters: the survey's habits replace theirs.
    :param received_at: with a timezone; the interval must have ended by then, because a feed contains past events only.
    :returns: population, input ids and numbers of records.
    :raises ActionNeededError: if the warehouse has no catalogue, or the interval lies in the future.
    """
    started_at = datetime.now(UTC)
    lake = Lake(settings.lake_url)
    simulation, tracks, playlist_ids = prepare_simulation(parameters, received_at, settings)
    run = Run(run_id=run_id, job=JOB, started_at=started_at, reference_date=parameters.end.date(), inputs=())
    manifests = _build_manifests(lake, simulation, received_at)
    is_stored = {manifest.input_id for manifest in manifests} <= {
        manifest.input_id for manifest in lake.inputs.find_inputs([ORIGIN])
    }
    error_counts: dict[str, int] = {}
    if is_stored:
        log.info("The lake holds this feed already: %s.", ", ".join(manifest.input_id for manifest in manifests))
    else:
        with open_session(settings, f"{JOB} {run_id}", feed.SPARK_OPTIONS) as spark:
            error_counts = _write_feed(
                spark, simulation, activity_records.make_lookup_tables(spark, tracks, playlist_ids), manifests
            )
    error_rows = [
        {"input_id": manifests[0].input_id, "kind": kind, "row_count": count} for kind, count in error_counts.items()
    ]
    truth = feed.make_truth_tables(simulation)
    truth["injected_error"] = pa.Table.from_pylist(error_rows, to_arrow_schema(STAGED["injected_error"]))
    load_frames(truth, run, settings.warehouse_url)
    # Manifests come last: an input with a manifest is complete, and its truth is published.
    stored_inputs = [lake.inputs.store_manifest(_count_stored_records(manifest)) for manifest in manifests]
    return {
        "population": simulation.population_id,
        **{
            manifest.format: {"input_id": manifest.input_id, "row_count": manifest.row_count}
            for manifest in stored_inputs
        },
    }


def prepare_simulation(
    parameters: Parameters, received_at: datetime, settings: Settings
) -> tuple[Simulation, pd.DataFrame, list[str]]:
    """Return the simulation of some parameters with the warehouse's survey and catalogue.

    :returns: the simulation, the tracks with unknown ones at the end, and the ids of the playlists.
    :raises ActionNeededError: if the warehouse has no catalogue, or the interval lies in the future.
    """
    check_interval(parameters, received_at)
    return build_simulation(parameters, settings)


def check_interval(parameters: Parameters, received_at: datetime) -> None:
    """Check that the interval has ended.

    :raises ActionNeededError: if it has not.
    """
    if parameters.end > received_at + CLOCK_TOLERANCE:
        raise ActionNeededError(
            f"The interval ends on {parameters.end:%Y-%m-%d %H:%M}, which has not come yet: a feed with events of the "
            "future would be rejected. Choose an earlier one."
        )


def build_simulation(parameters: Parameters, settings: Settings) -> tuple[Simulation, pd.DataFrame, list[str]]:
    """Return the simulation of some parameters, as ``prepare_simulation`` does, of any interval.

    :raises ActionNeededError: if the warehouse has no catalogue.
    """
    tracks, playlist_tracks, playlist_ids = read_catalogue(settings.warehouse_url)
    survey = warehouse_reads.read_survey_responses(settings.warehouse_url)
    parameters_with_habits = replace(parameters, habits=habits.from_survey_rows(survey))
    sorted_library = track_library.build_library(tracks, playlist_tracks, feed.UNKNOWN_TRACK_COUNT)
    return Simulation(parameters_with_habits, sorted_library), tracks, playlist_ids


def read_catalogue(url: str) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """Return the tracks and playlists of the warehouse that listeners choose from.

    :returns: tracks with unknown ones at the end, tracks of playlists by index, ids of the playlists.
    """
    tracks = warehouse_reads.read_tracks(url)
    all_playlist_tracks = warehouse_reads.read_playlist_tracks(url)
    track_indexes = pd.Series(range(len(tracks)), index=tracks["recording_key"], dtype="int64")
    known_playlist_tracks = all_playlist_tracks[all_playlist_tracks["recording_key"].isin(track_indexes.index)]
    playlists, playlist_ids = pd.factorize(known_playlist_tracks["playlist_id"])
    playlist_tracks = pd.DataFrame(
        {"playlist": playlists, "track": track_indexes.loc[known_playlist_tracks["recording_key"]].to_numpy()}
    )
    unknown_tracks = track_library.make_unknown_tracks(feed.UNKNOWN_TRACK_COUNT)
    return (
        track_library.append_unknown_tracks(tracks, unknown_tracks),
        playlist_tracks,
        [str(playlist_id) for playlist_id in playlist_ids],
    )


def _build_manifests(lake: Lake, simulation: Simulation, received_at: datetime) -> list[ReceivedInput]:
    """Build the lake's manifests of the events and of the users, without the numbers of records."""
    parameters = simulation.parameters
    contracts = {"user_activity": f"user_activity_{parameters.schema_version}", "user": "user"}
    manifests = []
    for name, contract_name in contracts.items():
        input_id = parameters.compute_input_id(simulation.library.fingerprint, name)
        manifests.append(
            ReceivedInput(
                input_id=input_id,
                origin=ORIGIN,
                name=f"{name}_of_seed_{parameters.seed}",
                format=name,
                encoding="avro",
                delimiter="",
                columns=tuple(field["name"] for field in load_contract(contract_name)["fields"]),
                row_count=0,
                size_bytes=0,
                received_at=received_at.isoformat(),
                url=f"{lake.url}/{ORIGIN}/{input_id}",
            )
        )
    return manifests


def _write_feed(
    spark: SparkSession,
    simulation: Simulation,
    words: activity_records.LookupTables,
    manifests: list[ReceivedInput],
) -> dict[str, int]:
    """Write both inputs, and overwrite the files of an earlier attempt.

    :returns: the number of records with an injected error, by kind.
    """
    record_table = feed.limit_records(spark, simulation)
    written_events = feed.write_events(spark, record_table, words, manifests[0].url)
    row_count = _count_stored_records(manifests[0]).row_count
    if row_count != written_events.record_count:
        raise TryAgainError(
            f"{manifests[0].url} holds {row_count} records, and {written_events.record_count} were written into it."
        )
    write_avro(feed.make_user_records(spark, record_table), "user", manifests[1].url)
    return written_events.injected_errors


def _count_stored_records(manifest: ReceivedInput) -> ReceivedInput:
    """Return the manifest with the number of records in its files and their size."""
    files, path = url_to_fs(manifest.url)
    sizes = [int(files.size(file_path)) for file_path in files.glob(f"{path}/*.avro")]
    return replace(manifest, row_count=count_records(files, manifest.url), size_bytes=sum(sizes))
