"""What a refresh makes of the API's answers: rows of the catalogue, and what is staged beside it."""

from dataclasses import dataclass
from functools import reduce

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession

from etl.config import MOCK_API, Settings
from etl.lake import Lake, Received
from etl.schemas import MEMORY, MOCK_SOURCE
from etl.transform.spotify import memory, rows, things

STAGED_NAMES = ("user_record", "account_owner", "fact_track_popularity", "fact_artist_popularity", "refresh_state")

_ORIGIN = "api"


@dataclass(frozen=True)
class Said:
    """Frames for the catalogue (the memory as rows) and for staging (the new answers; ``STAGED_NAMES``, by name)."""

    memory_run_id: str | None
    track_rows: DataFrame
    artist_rows: DataFrame
    asked_artists: DataFrame
    playlists: DataFrame
    snapshots: DataFrame
    linked_aliases: DataFrame
    input_keys: DataFrame
    user_record: DataFrame
    account_owner: DataFrame
    fact_track_popularity: DataFrame
    fact_artist_popularity: DataFrame
    refresh_state: DataFrame
    rejected: DataFrame


def source_of(lake: Lake, settings: Settings) -> str:
    """Return the source of the answers in a lake: "api", or that of the mock API."""
    return MOCK_SOURCE if lake.answered_by(settings.asked_api) == MOCK_API else rows.SOURCE


def read(
    spark: SparkSession,
    lake: Lake,
    run_id: str,
    inputs: list[Received],
    memory_run_id: str | None,
    source: str = rows.SOURCE,
) -> Said:
    """Fold the answers among some inputs into the memory, which then lies in the lake under ``run_id``.

    :param memory_run_id: the run whose memory they are folded into; None begins with an empty one.
    :param source: what ``source_of`` says of the lake.
    """
    answers = [one for one in inputs if one.origin == _ORIGIN]
    lines = lake.read_answers(spark, answers).persist(StorageLevel.DISK_ONLY)
    held = things.things(lines).localCheckpoint(eager=True, storageLevel=StorageLevel.DISK_ONLY)
    tracks, artists, playlists = things.tracks(held), things.artists(held), things.playlists(held)
    before = {name: lake.read_memory(spark, memory_run_id, name) for name in MEMORY}
    told = tracks.accepted.select("track_id").union(before["api_track"].select("track_id"))
    features, profiles = things.of_told_tracks(things.audio_features(held), told), things.profiles(held)
    kinds = [tracks, artists, playlists, features, profiles]
    complete = things.complete_snapshots(lines)
    snapshots = memory.known_snapshots(before["api_playlist"], tracks.accepted, complete)
    if answers:
        snapshots = snapshots.localCheckpoint(eager=True, storageLevel=StorageLevel.DISK_ONLY)
        after = memory.remembered(
            before, tracks.accepted, artists.accepted, playlists.accepted, features.accepted, snapshots
        )
        for name, frame in after.items():
            lake.write_memory(frame, run_id, name)
        memory_run_id = run_id
    remembered = {name: lake.read_memory(spark, memory_run_id, name) for name in MEMORY}
    return Said(
        memory_run_id=memory_run_id,
        track_rows=rows.track_rows(remembered, source),
        artist_rows=rows.artist_rows(remembered, source),
        asked_artists=artists.accepted.select("artist_id"),
        playlists=remembered["api_playlist"],
        snapshots=snapshots,
        linked_aliases=rows.linked_aliases(remembered),
        input_keys=rows.input_keys(kinds),
        user_record=rows.user_record(profiles.accepted),
        account_owner=rows.account_owner(profiles.accepted),
        fact_track_popularity=rows.fact_track_popularity(tracks.accepted),
        fact_artist_popularity=rows.fact_artist_popularity(artists.accepted),
        refresh_state=rows.refresh_state(lines),
        rejected=reduce(DataFrame.unionByName, (one.rejected for one in kinds)),
    )
