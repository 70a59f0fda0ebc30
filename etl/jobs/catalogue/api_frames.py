"""The frames that a refresh builds from API responses: rows of the catalogue, and further staged frames.

They include responses of services that are asked for audio features alone.
"""

from dataclasses import dataclass
from functools import reduce

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession

from etl.formats.contracts import LATEST_STATE, MOCK_SOURCE
from etl.formats.feature_providers import FORMAT_SUFFIX, ORIGIN
from etl.settings import MOCK_API_NAME, Settings
from etl.storage.inputs import ReceivedInput
from etl.storage.lake import Lake
from etl.transform import provider_features
from etl.transform.spotify import latest_state, resources, staged_frames
from etl.transform.spotify.resources import ParsedResources

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
    latest_features: DataFrame
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
    previous_state = {name: lake.latest_state.read_frame(spark, state_run_id, name) for name in LATEST_STATE}
    parsed = _parse_resources(lines, previous_state["api_track"])
    complete_snapshots = resources.select_complete_snapshots(lines)
    snapshots = latest_state.merge_snapshots(previous_state["api_playlist"], parsed.tracks.accepted, complete_snapshots)
    provider = _parse_provider_inputs(spark, lake, inputs)
    if api_inputs or provider:
        snapshots = snapshots.localCheckpoint(eager=True, storageLevel=StorageLevel.DISK_ONLY)
        _store_latest_state(lake, run_id, previous_state, parsed, snapshots, provider)
        state_run_id = run_id
    current_state = {name: lake.latest_state.read_frame(spark, state_run_id, name) for name in LATEST_STATE}
    provider_frames = [provider] if provider else []
    return ApiFrames(
        state_run_id=state_run_id,
        track_rows=staged_frames.build_track_rows(current_state, source),
        artist_rows=staged_frames.build_artist_rows(current_state, source),
        requested_artists=parsed.artists.accepted.select("artist_id"),
        playlists=current_state["api_playlist"],
        snapshots=snapshots,
        linked_aliases=staged_frames.build_linked_aliases(current_state),
        input_keys=reduce(
            DataFrame.unionByName,
            (provider_features.build_input_keys(frames.features.accepted) for frames in provider_frames),
            staged_frames.build_input_keys(parsed.list_all()),
        ),
        user_record=staged_frames.build_user_record(parsed.profiles.accepted),
        latest_features=current_state["provider_features"],
        account_owner=staged_frames.build_account_owner(parsed.profiles.accepted),
        fact_track_popularity=staged_frames.build_fact_track_popularity(parsed.tracks.accepted),
        fact_artist_popularity=staged_frames.build_fact_artist_popularity(parsed.artists.accepted),
        refresh_state=reduce(
            DataFrame.unionByName,
            (frames.refresh_state for frames in provider_frames),
            staged_frames.build_refresh_state(lines),
        ),
        rejected=reduce(
            DataFrame.unionByName,
            (kind.rejected for kind in (*parsed.list_all(), *(frames.features for frames in provider_frames))),
        ),
    )


@dataclass(frozen=True)
class _ResourceKinds:
    """The resources of all responses, by kind."""

    tracks: ParsedResources
    artists: ParsedResources
    playlists: ParsedResources
    features: ParsedResources
    profiles: ParsedResources

    def list_all(self) -> list[ParsedResources]:
        return [self.tracks, self.artists, self.playlists, self.features, self.profiles]


def _parse_resources(lines: DataFrame, previous_tracks: DataFrame) -> _ResourceKinds:
    """Parse the lines of responses; audio features count only for tracks that a response, or an earlier one, has."""
    exploded_resources = resources.explode_resources(lines).localCheckpoint(
        eager=True, storageLevel=StorageLevel.DISK_ONLY
    )
    tracks = resources.parse_tracks(exploded_resources)
    known_tracks = tracks.accepted.select("track_id").union(previous_tracks.select("track_id"))
    return _ResourceKinds(
        tracks,
        resources.parse_artists(exploded_resources),
        resources.parse_playlists(exploded_resources),
        resources.reject_unknown_tracks(resources.parse_audio_features(exploded_resources), known_tracks),
        resources.parse_profiles(exploded_resources),
    )


def _store_latest_state(
    lake: Lake,
    run_id: str,
    previous_state: dict[str, DataFrame],
    parsed: _ResourceKinds,
    snapshots: DataFrame,
    provider: "_ProviderFrames | None",
) -> None:
    """Store the latest state, updated by responses, under the id of the run."""
    new_state = latest_state.update_latest_state(
        previous_state,
        parsed.tracks.accepted,
        parsed.artists.accepted,
        parsed.playlists.accepted,
        parsed.features.accepted,
        snapshots,
    )
    latest_features = previous_state["provider_features"]
    if provider:
        latest_features = provider_features.update_latest_features(latest_features, provider.features.accepted)
    for name, frame in {**new_state, "provider_features": latest_features}.items():
        lake.latest_state.write_frame(frame, run_id, name)


@dataclass(frozen=True)
class _ProviderFrames:
    """The features in new responses of services for audio features, and the requests for them."""

    features: ParsedResources
    refresh_state: DataFrame


def _parse_provider_inputs(spark: SparkSession, lake: Lake, inputs: list[ReceivedInput]) -> _ProviderFrames | None:
    """Parse the responses of services for audio features among the inputs; None without any."""
    feature_inputs = [received_input for received_input in inputs if received_input.origin == ORIGIN]
    if not feature_inputs:
        return None
    sources = {
        received_input.input_id: received_input.format.removesuffix(FORMAT_SUFFIX) for received_input in feature_inputs
    }
    lines = provider_features.add_source(lake.inputs.read_responses(spark, feature_inputs), sources)
    lines = lines.persist(StorageLevel.DISK_ONLY)
    features = provider_features.parse_features(lines)
    return _ProviderFrames(features, provider_features.build_refresh_state(lines, features.accepted))
