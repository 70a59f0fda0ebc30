"""The making of a feed: listeners who do not exist, what they do, and the truth about them."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pandas as pd
from fsspec.core import url_to_fs
from pyspark.sql import SparkSession

from etl import catalogue_reads
from etl.avro.files import count_records
from etl.config import Settings
from etl.errors import ActionNeededError, TryAgainError
from etl.full_disk import explains_full_disk
from etl.lake import Lake, Received
from etl.limits import CLOCK_TOLERANCE
from etl.load import Run, load
from etl.schemas import STAGED
from etl.schemas.avro import contract
from etl.simulate.listeners import feed, habits, library, records
from etl.simulate.listeners.parameters import DIRT_KINDS, Dirt, Parameters, interval
from etl.spark import session

log = logging.getLogger(__name__)

JOB = "simulate_feed"
ORIGIN = "feed"


def parameters_of(form: Mapping[str, Any], now: datetime) -> Parameters:
    """The parameters that a form or a command line means.

    :param form: users, start, end (ISO 8601; UTC where no offset is given), hours, records, seed, schema_version, mix,
        free_share and the kinds of dirt; what is missing or None takes its default.
    :param now: the end of an interval that has none.
    :raises ActionNeededError: where a value makes no sense.
    """
    given = {name: value for name, value in form.items() if value is not None}
    start, end = interval(_moment(given.get("start")), _moment(given.get("end")), given.get("hours"), now)
    names = ("users", "records", "seed", "schema_version", "mix", "free_share")
    dirt = Dirt(**{kind: given[kind] for kind in DIRT_KINDS if kind in given})
    return Parameters(start=start, end=end, dirt=dirt, **{name: given[name] for name in names if name in given})


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ActionNeededError(f"{text!r} is no time: write it such as 2026-10-01T00:00.") from None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


@explains_full_disk
def simulate_feed(run_id: str, parameters: Parameters, received_at: datetime, settings: Settings) -> dict[str, Any]:
    """Make a feed of events and one of users in the lake, and publish the truth about them.

    The same parameters and catalogue make the same two inputs: what the lake holds already is not made again.

    :param parameters: the survey's habits take the place of theirs.
    :param received_at: with a timezone; the interval must have ended by then, for a feed tells of what has happened.
    :returns: population, input ids and numbers of records.
    :raises ActionNeededError: where the warehouse has no catalogue, or the interval lies in the future.
    """
    if parameters.end > received_at + CLOCK_TOLERANCE:
        raise ActionNeededError(
            f"The interval ends on {parameters.end:%Y-%m-%d %H:%M}, which has not come yet: a feed with events of the "
            "future would be refused. Choose an earlier one."
        )
    started_at = datetime.now(UTC)
    lake = Lake(settings.lake_url)
    tracks, playlist_tracks, playlist_ids = read_catalogue(settings.warehouse_url)
    survey = catalogue_reads.survey(settings.warehouse_url)
    chosen = replace(parameters, habits=habits.from_survey(survey))
    sorted_library = library.library(tracks, playlist_tracks, feed.UNKNOWN_TRACKS)
    simulation = feed.Simulation(chosen, sorted_library)
    run = Run(run_id=run_id, job=JOB, started_at=started_at, reference_date=chosen.end.date(), inputs=())
    notes = _notes(lake, simulation, received_at)
    is_made = {one.input_id for one in notes} <= {one.input_id for one in lake.inputs([ORIGIN])}
    with session(settings, f"{JOB} {run_id}", feed.SPARK_OPTIONS) as spark:
        dirt: dict[str, int] = {}
        if is_made:
            log.info("The lake holds this feed already: %s.", ", ".join(one.input_id for one in notes))
        else:
            dirt = _write(spark, simulation, records.words(spark, tracks, playlist_ids), notes)
        wrong = [(notes[0].input_id, kind, count) for kind, count in dirt.items()]
        truth = {"listener": feed.truth(spark, simulation), "dirt": spark.createDataFrame(wrong, STAGED["dirt"])}
        load(truth, run, settings.warehouse_url)
    # Last: what is noted is complete, and so is the truth about it.
    kept = [lake.note(_counted(one)) for one in notes]
    return {
        "population": simulation.population,
        **{one.format: {"input_id": one.input_id, "row_count": one.row_count} for one in kept},
    }


def read_catalogue(url: str) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """What listeners find in the warehouse.

    :returns: tracks with unknown ones at the end, tracks of playlists by their places, ids of the playlists.
    """
    tracks = catalogue_reads.tracks(url)
    found = catalogue_reads.playlist_tracks(url)
    places = pd.Series(range(len(tracks)), index=tracks["recording_key"], dtype="int64")
    known = found[found["recording_key"].isin(places.index)]
    playlists, playlist_ids = pd.factorize(known["playlist_id"])
    playlist_tracks = pd.DataFrame({"playlist": playlists, "track": places.loc[known["recording_key"]].to_numpy()})
    unknown = library.unknown(feed.UNKNOWN_TRACKS)
    return library.together(tracks, unknown), playlist_tracks, [str(one) for one in playlist_ids]


def _notes(lake: Lake, simulation: feed.Simulation, received_at: datetime) -> list[Received]:
    """What the lake will say of the events and of the users, but for their numbers."""
    chosen = simulation.parameters
    contracts = {"user_activity": f"user_activity_{chosen.schema_version}", "user": "user"}
    notes = []
    for name, contract_name in contracts.items():
        input_id = chosen.input_id(simulation.library.fingerprint, name)
        notes.append(
            Received(
                input_id=input_id,
                origin=ORIGIN,
                name=f"{name}_of_seed_{chosen.seed}",
                format=name,
                encoding="avro",
                delimiter="",
                columns=tuple(field["name"] for field in contract(contract_name)["fields"]),
                row_count=0,
                size_bytes=0,
                received_at=received_at.isoformat(),
                url=f"{lake.url}/{ORIGIN}/{input_id}",
            )
        )
    return notes


def _write(
    spark: SparkSession, simulation: feed.Simulation, words: records.Words, notes: list[Received]
) -> dict[str, int]:
    """Write both inputs, over whatever an earlier try left.

    :returns: how many records are wrong on purpose, by kind.
    """
    within = feed.within_records(spark, simulation)
    written = feed.write_events(spark, within, words, notes[0].url)
    counted = _counted(notes[0]).row_count
    if counted != written.records:
        raise TryAgainError(f"{notes[0].url} holds {counted} records, and {written.records} were written into it.")
    feed.write(feed.users(spark, within), "user", notes[1].url)
    return written.dirt


def _counted(note: Received) -> Received:
    """The note with the number of records that its files hold, and their size."""
    files, path = url_to_fs(note.url)
    sizes = [int(files.size(one)) for one in files.glob(f"{path}/*.avro")]
    return replace(note, row_count=count_records(files, note.url), size_bytes=sum(sizes))
