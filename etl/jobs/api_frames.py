"""The frames that a refresh builds from API responses: rows of the catalogue, and further staged frames."""

from dataclasses import dataclass
from functools import reduce

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession

from etl.formats.contracts import LATEST_STATE, MOCK_SOURCE
from etl.settings import MOCK_API_NAME, Settings
from etl.storage.inputs import ReceivedInput
from etl.storage.lake import Lake
from etl.transform.spotify import latest_state, resources, staged_frames

STAGED_NAMES = ("user_record", "account_owner", "fact_track_popularity", "fact_artist_popularity", "refresh_state")

_API_ORIGIN = "api"


@dataclass(frozen=True)
class ApiFrames:
    """Frames for the catalogue, from the latest state, and for staging (``STAGED_NAMES``), from new responses."""

    state_run_id: str | None
    track_rows: DataFrame
    artist_rows: DataFrame
    requested_artists: DataFrame
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


def get_api_source(lake: Lake, settings: Settings) -> str:
    """Return the source of the responses in a lake: "api", or that of the mock API."""
    return MOCK_SOURCE if lake.inputs.resolve_api_name(settings.api_name) == MOCK_API_NAME else staged_frames.SOURCE


def build_api_frames(
    spark: SparkSession,
    lake: Lake,
    run_id: str,
    inputs: list[ReceivedInput],
    state_run_id: str | None,
    source: str = staged_frames.SOURCE,
) -> ApiFrames:
    """Update the latest state by the API responses among the inputs, and store it in the lake under ``run_id``.

    :param state_run_id: the run whose latest state is updated; None begins with an empty state.
    :param source: the result of ``get_api_source``.
    """
    api_inputs = [received_input for received_input in inputs if received_input.origin == _API_ORIGIN]
    lines = lake.inputs.read_responses(spark, api_inputs).persist(StorageLevel.DISK_ONLY)
    exploded_resources = resources.explode_resources(lines).localCheckpoint(
        eager=True, storageLevel=StorageLevel.DISK_ONLY
    )
    tracks, artists, playlists = (
        resources.parse_tracks(exploded_resources),
        resources.parse_artists(exploded_resources),
        resources.parse_playlists(exploded_resources),
    )
    previous_state = {name: lake.latest_state.read_frame(spark, state_run_id, name) for name in LATEST_STATE}
    known_tracks = tracks.accepted.select("track_id").union(previous_state["api_track"].select("track_id"))
    features, profiles = (
        resources.reject_unknown_tracks(resources.parse_audio_features(exploded_resources), known_tracks),
        resources.parse_profiles(exploded_resources),
    )
    resource_kinds = [tracks, artists, playlists, features, profiles]
    complete_snapshots = resources.select_complete_snapshots(lines)
    snapshots = latest_state.merge_snapshots(previous_state["api_playlist"], tracks.accepted, complete_snapshots)
    if api_inputs:
        snapshots = snapshots.localCheckpoint(eager=True, storageLevel=StorageLevel.DISK_ONLY)
        new_state = latest_state.update_latest_state(
            previous_state, tracks.accepted, artists.accepted, playlists.accepted, features.accepted, snapshots
        )
        for name, frame in new_state.items():
            lake.latest_state.write_frame(frame, run_id, name)
        state_run_id = run_id
    current_state = {name: lake.latest_state.read_frame(spark, state_run_id, name) for name in LATEST_STATE}
    return ApiFrames(
        state_run_id=state_run_id,
        track_rows=staged_frames.build_track_rows(current_state, source),
        artist_rows=staged_frames.build_artist_rows(current_state, source),
        requested_artists=artists.accepted.select("artist_id"),
        playlists=current_state["api_playlist"],
        snapshots=snapshots,
        linked_aliases=staged_frames.build_linked_aliases(current_state),
        input_keys=staged_frames.build_input_keys(resource_kinds),
        user_record=staged_frames.build_user_record(profiles.accepted),
        account_owner=staged_frames.build_account_owner(profiles.accepted),
        fact_track_popularity=staged_frames.build_fact_track_popularity(tracks.accepted),
        fact_artist_popularity=staged_frames.build_fact_artist_popularity(artists.accepted),
        refresh_state=staged_frames.build_refresh_state(lines),
        rejected=reduce(DataFrame.unionByName, (parsed.rejected for parsed in resource_kinds)),
    )
