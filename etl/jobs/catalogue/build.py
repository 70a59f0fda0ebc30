"""The frames of the catalogue in a refresh: from all rows, or from those that its news touch.

A refresh follows its news if the state of the last published catalogue is in the lake, was built by the same code under
the same settings, and the news are a small fraction of it. Both ways give the star the same rows.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from etl.formats.contracts import LATEST_STATE
from etl.formats.feature_providers import SERVICES, list_feature_sources
from etl.jobs.catalogue.api_frames import ApiFrames, get_api_source
from etl.jobs.catalogue.inputs import FileRows, read_file_rows, read_row_links
from etl.jobs.catalogue.news import RefreshRows, find_api_rows, find_news
from etl.jobs.catalogue.state import (
    MAX_SEGMENTS,
    StateDocument,
    StateReader,
    StoredState,
    finish_state,
    list_state_frames,
    make_state_id,
    read_state_document,
    replace_tracks,
)
from etl.jobs.catalogue.summary import CatalogueSummary, summarise_tracks, summarise_update
from etl.settings import Settings
from etl.storage import parquet_frames
from etl.storage.catalogue_states import compute_code_version
from etl.storage.inputs import ReceivedInput
from etl.storage.lake import Lake
from etl.transform.catalogue.decisions import parse_decisions
from etl.transform.catalogue.links import NO_HASHES, Hashes, NameLinks
from etl.transform.catalogue.parts import select_parts
from etl.transform.catalogue.pipeline import build_from_rows
from etl.transform.catalogue.reconciliation import add_track_identity
from etl.transform.catalogue.source_precedence import source_at_rank
from etl.transform.catalogue.stages import CatalogueRules, checkpoint_to_disk
from etl.transform.catalogue.update import update_catalogue
from etl.transform.catalogue.update_inputs import CurrentInputs, LastCatalogue, RowLinks
from etl.transform.spotify import staged_frames

log = logging.getLogger(__name__)

MAX_NEWS_FRACTION = 0.2
"""With more news, as a fraction of the catalogue's tracks, all rows are reconciled."""
MAX_COLLECTED = 20_000
"""The frames of an update of so many tracks, keys and ids are collected and written by this process."""


@dataclass(frozen=True)
class RefreshSources:
    """What a refresh reads: its plan, its inputs, and the settings that rows depend on."""

    plan: dict[str, Any]
    inputs: list[ReceivedInput]
    rules_settings: dict[str, Any]

    @property
    def reference_date(self) -> date:
        """The day of the run."""
        return date.fromisoformat(self.plan["reference_date"])

    @property
    def input_ids(self) -> list[str]:
        """The ids of the inputs."""
        return [received_input.input_id for received_input in self.inputs]

    @property
    def features_from(self) -> str:
        """The setting ``cluster_features_from``."""
        return str(self.rules_settings["cluster_features_from"])

    @property
    def has_service(self) -> bool:
        """Whether a service is asked for audio features alone."""
        return bool(self.rules_settings["has_service"])

    def make_rules(self) -> CatalogueRules:
        """Return the rules of the catalogue."""
        decisions = parse_decisions(self.plan["decisions"])
        settings = self.rules_settings
        return CatalogueRules(settings["api_source"], tuple(settings["feature_sources"]), decisions)


@dataclass(frozen=True)
class BuiltCatalogue:
    """The frames of a catalogue or of its changes; ``tracks`` of the whole catalogue, for what depends on all of them.

    ``tracks``: track_id, recording_id, release_date, the measures and audio_features_source. ``new_inputs`` are the
    rows of the files that are staged. ``updated_state_id``: as ``Run`` has it. ``get_state`` returns the whole state.
    """

    frames: dict[str, DataFrame]
    tracks: DataFrame
    summary: CatalogueSummary
    new_inputs: FileRows
    updated_state_id: str | None
    get_state: Callable[[], StoredState]
    changes: StoredState
    id_hashes: Hashes
    merged_artists: list[str]


def read_sources(plan: dict[str, Any], inputs: list[ReceivedInput], lake: Lake, settings: Settings) -> RefreshSources:
    """Return what a refresh reads."""
    rules_settings = {
        "code": compute_code_version(),
        "api_source": get_api_source(lake, settings),
        "feature_sources": list(list_feature_sources(settings.features.providers)),
        "cluster_features_from": settings.cluster_features_from,
        "has_service": any(provider in SERVICES for provider in settings.features.providers),
    }
    return RefreshSources(plan, inputs, rules_settings)


def find_last_state(sources: RefreshSources, lake: Lake) -> StateDocument | None:
    """Return the state that the refresh may go on from; None if it must reconcile all rows."""
    plan = sources.plan
    document = read_state_document(lake.catalogue_states, plan["catalogue_state_id"])
    if document is None or plan["is_forced"]:
        return None
    is_same = document.settings == sources.rules_settings and document.api_state_run_id == plan["memory_run_id"]
    has_rows = set(document.input_ids) <= lake.catalogue_states.find_parsed_inputs().keys()
    if not (is_same and has_rows):
        log.info("The state of the last catalogue does not fit: all rows are reconciled.")
        return None
    new_rows = sum(
        received_input.row_count
        for received_input in sources.inputs
        if received_input.input_id not in document.input_ids
    )
    if new_rows > MAX_NEWS_FRACTION * document.track_count:
        log.info("%d new rows for %d tracks: all rows are reconciled.", new_rows, document.track_count)
        return None
    return document


def build_whole(spark: SparkSession, lake: Lake, sources: RefreshSources, spotify_frames: ApiFrames) -> BuiltCatalogue:
    """Reconcile all rows."""
    files = read_file_rows(spark, lake, sources.input_ids)
    rules = sources.make_rules()
    rows = checkpoint_to_disk(files.rows.unionByName(add_track_identity(spotify_frames.track_rows)))
    frames, reconciled, evidence = build_from_rows(
        rows,
        files.artist_rows.unionByName(spotify_frames.artist_rows),
        spotify_frames.playlists,
        spotify_frames.snapshots,
        spotify_frames.requested_artists,
        spotify_frames.latest_features if sources.has_service else None,
        rules,
    )
    state = StoredState(select_parts(reconciled, evidence), rows.where("input_id IS NULL"))
    # Only the audio features of a service are compared with the tracks again.
    tracks = _select_tracks(state.parts.tracks, rules).persist(StorageLevel.DISK_ONLY)
    return BuiltCatalogue(
        frames,
        tracks,
        summarise_tracks(tracks, sources.reference_date, sources.features_from),
        files,
        None,
        lambda: state,
        state,
        NO_HASHES,
        list(reconciled.merged_artists),
    )


def build_update(
    spark: SparkSession, lake: Lake, sources: RefreshSources, spotify_frames: ApiFrames, document: StateDocument
) -> BuiltCatalogue:
    """Reconcile the rows that news touch.

    :param document: the result of ``find_last_state``.
    """
    rules = sources.make_rules()
    reader = StateReader(spark, lake.catalogue_states, document)
    state = reader.read_state()
    rows = _read_rows(spark, lake, sources, spotify_frames, document, state)
    last_api = {name: lake.latest_state.read_frame(spark, document.api_state_run_id, name) for name in LATEST_STATE}
    last_api_artists = staged_frames.build_artist_rows(last_api, rules.api_source)
    last = LastCatalogue(
        RowLinks(*reader.read_links("row_links")),
        NameLinks(*reader.read_links("credit_links")),
        NameLinks(*reader.read_links("album_links")),
        rows.last_files.artist_rows.unionByName(last_api_artists),
        state.parts,
        reader.read_parts,
        document.merged_artists,
        parse_decisions(document.decisions),
    )
    current = CurrentInputs(
        rows.files.rows.unionByName(rows.api_rows),
        partial(rows.read_rows, spark, lake),
        RowLinks(*read_row_links(lake, sources.input_ids)),
        rows.files.artist_rows.unionByName(spotify_frames.artist_rows),
        spotify_frames.playlists,
        spotify_frames.snapshots,
        spotify_frames.requested_artists,
        spotify_frames.latest_features if sources.has_service else None,
    )
    news = find_news(rows, last_api_artists, last_api["provider_features"], spotify_frames)
    update = update_catalogue(last, current, news, rules)
    changes = StoredState(update.parts, update.rows.where("input_id IS NULL").select(*state.api_rows.columns))
    former_tracks = update.former_parts.filter_frame("tracks", update.id_hashes)
    unchanged_tracks = state.parts.filter_frame("tracks", update.id_hashes, is_inside=False)
    changed_tracks = _select_tracks(update.parts.tracks, rules)
    return BuiltCatalogue(
        update.frames,
        _select_tracks(unchanged_tracks, rules).unionByName(changed_tracks),
        summarise_update(
            (document.track_count, document.recording_count),
            _select_tracks(former_tracks, rules),
            changed_tracks,
            changed_tracks.select("release_date").unionByName(reader.read_release_dates(update.id_hashes)),
            sources.reference_date,
            sources.features_from,
        ),
        rows.added_files,
        sources.plan["catalogue_state_id"],
        partial(replace_tracks, state, changes, update.id_hashes),
        changes,
        update.id_hashes,
        list(update.merged_artists),
    )


def _read_rows(
    spark: SparkSession,
    lake: Lake,
    sources: RefreshSources,
    spotify_frames: ApiFrames,
    document: StateDocument,
    state: StoredState,
) -> RefreshRows:
    input_ids, last_input_ids = set(sources.input_ids), set(document.input_ids)
    return RefreshRows(
        read_file_rows(spark, lake, list(document.input_ids)),
        read_file_rows(spark, lake, sources.input_ids),
        read_file_rows(spark, lake, sorted(input_ids - last_input_ids)),
        read_file_rows(spark, lake, sorted(last_input_ids - input_ids)),
        *find_api_rows(state.api_rows, spotify_frames, document),
    )


def write_frames(
    lake: Lake,
    run_id: str,
    staged_frames: dict[str, DataFrame],
    sources: RefreshSources,
    built: BuiltCatalogue,
    last: StateDocument | None,
    api_state_run_id: str | None,
) -> str:
    """Store the staged frames of a built catalogue, and its state for the next refresh.

    :returns: the id of the state.
    """
    state_id = make_state_id(run_id)
    segments = list(last.segments) if last and built.updated_state_id else []
    is_whole = not segments or len(segments) >= MAX_SEGMENTS
    document = StateDocument(
        segments=[state_id] if is_whole else [*segments, state_id],
        settings=sources.rules_settings,
        input_ids=[
            received_input.input_id
            for received_input in sources.inputs
            if received_input.origin in ("kaggle", "made_up")
        ],
        api_state_run_id=api_state_run_id,
        decisions=sources.plan["decisions"],
        merged_artists=built.merged_artists,
        bounds=built.summary.list_months(),
        track_count=built.summary.track_count,
        recording_count=built.summary.recording_count,
    )
    state, id_hashes = (built.get_state(), NO_HASHES) if is_whole else (built.changes, built.id_hashes)
    states, is_small = lake.catalogue_states, built.updated_state_id is not None and len(id_hashes) < MAX_COLLECTED
    staged = {lake.checkpoints.get_folder_url(run_id, name): frame for name, frame in staged_frames.items()}
    stored = {states.get_frame_url(state_id, name): frame for name, frame in list_state_frames(state).items()}
    parquet_frames.write_frames(staged, is_small)
    parquet_frames.write_frames(stored, is_small and not is_whole)
    finish_state(states, state_id, id_hashes, document)
    return state_id


def _select_tracks(tracks: DataFrame, rules: CatalogueRules) -> DataFrame:
    return tracks.select(
        "track_id",
        "recording_id",
        "release_date",
        "measures.values.*",
        source_at_rank(F.col("measures.rank"), rules.feature_sources).alias("audio_features_source"),
    )
