"""The frames of the catalogue in a refresh: from all rows, or from those that its news touch.

A refresh follows its news if the state of the last published catalogue is in the lake, was built by the same code under
the same settings, and the news are a small fraction of it. Both ways give the star the same rows.
"""

import logging
from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from etl.formats.contracts import LATEST_STATE, STAGED
from etl.formats.feature_providers import SERVICES, list_feature_sources
from etl.jobs import api_frames
from etl.jobs.api_frames import ApiFrames
from etl.jobs.catalogue_inputs import FileRows, read_file_rows
from etl.jobs.catalogue_news import RefreshRows, find_api_rows, find_news
from etl.jobs.catalogue_state import (
    MAX_SEGMENTS,
    StateDocument,
    StoredState,
    make_state_id,
    read_state,
    read_state_document,
    replace_tracks,
    write_state,
)
from etl.settings import Settings
from etl.storage.catalogue_states import compute_code_version
from etl.storage.inputs import ReceivedInput
from etl.storage.lake import Lake
from etl.transform.catalogue.decisions import collect_decisions
from etl.transform.catalogue.links import NO_HASHES, Hashes
from etl.transform.catalogue.parts import CatalogueParts, select_parts
from etl.transform.catalogue.pipeline import build_from_rows
from etl.transform.catalogue.reconciliation import add_track_identity
from etl.transform.catalogue.source_precedence import source_at_rank
from etl.transform.catalogue.stages import CatalogueRules, checkpoint_to_disk
from etl.transform.catalogue.update import update_catalogue
from etl.transform.catalogue.update_inputs import CurrentInputs, LastCatalogue
from etl.transform.spotify import staged_frames

log = logging.getLogger(__name__)

MAX_NEWS_FRACTION = 0.2
"""With more news, as a fraction of the catalogue's tracks, all rows are reconciled."""


@dataclass(frozen=True)
class RefreshSources:
    """What a refresh reads: its plan, its inputs, and the settings that rows depend on."""

    plan: dict[str, Any]
    inputs: list[ReceivedInput]
    rules_settings: dict[str, Any]

    @property
    def has_service(self) -> bool:
        """Whether a service is asked for audio features alone."""
        return bool(self.rules_settings["has_service"])

    def make_rules(self, spark: SparkSession) -> CatalogueRules:
        """Return the rules of the catalogue."""
        decisions = collect_decisions(spark.createDataFrame(self.plan["decisions"], STAGED["match_decision"]))
        settings = self.rules_settings
        return CatalogueRules(settings["api_source"], tuple(settings["feature_sources"]), decisions)


@dataclass(frozen=True)
class BuiltCatalogue:
    """The frames of a catalogue or of its changes; ``tracks`` of the whole catalogue, for what depends on all of them.

    ``tracks``: track_id, recording_id, release_date, the measures and audio_features_source. ``new_inputs`` are the
    rows of the files that are staged. ``updated_state_id``: as ``Run`` has it.
    """

    frames: dict[str, DataFrame]
    tracks: DataFrame
    new_inputs: FileRows
    updated_state_id: str | None
    state: StoredState
    changes: StoredState
    id_hashes: Hashes
    merged_artists: list[str]


def read_sources(plan: dict[str, Any], inputs: list[ReceivedInput], lake: Lake, settings: Settings) -> RefreshSources:
    """Return what a refresh reads."""
    rules_settings = {
        "code": compute_code_version(),
        "api_source": api_frames.get_api_source(lake, settings),
        "feature_sources": list(list_feature_sources(settings.features.providers)),
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
    files = read_file_rows(spark, lake, [received_input.input_id for received_input in sources.inputs])
    rules = sources.make_rules(spark)
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
    return BuiltCatalogue(
        frames,
        _select_tracks(state.parts, rules),
        files,
        None,
        state,
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
    rules = sources.make_rules(spark)
    state = read_state(spark, lake.catalogue_states, document)
    input_ids = [received_input.input_id for received_input in sources.inputs]
    rows = RefreshRows(
        read_file_rows(spark, lake, list(document.input_ids)),
        read_file_rows(spark, lake, input_ids),
        read_file_rows(spark, lake, sorted(set(input_ids) - set(document.input_ids))),
        read_file_rows(spark, lake, sorted(set(document.input_ids) - set(input_ids))),
        *find_api_rows(state.api_rows, spotify_frames, document),
    )
    last_api = {name: lake.latest_state.read_frame(spark, document.api_state_run_id, name) for name in LATEST_STATE}
    last_api_artists = staged_frames.build_artist_rows(last_api, rules.api_source)
    last = LastCatalogue(
        rows.collect_removed_links(),
        rows.last_files.artist_rows.unionByName(last_api_artists),
        state.parts,
        document.merged_artists,
        collect_decisions(spark.createDataFrame(document.decisions, STAGED["match_decision"])),
    )
    current = CurrentInputs(
        rows.files.rows.unionByName(rows.api_rows),
        rows.collect_links(),
        rows.files.artist_rows.unionByName(spotify_frames.artist_rows),
        spotify_frames.playlists,
        spotify_frames.snapshots,
        spotify_frames.requested_artists,
        spotify_frames.latest_features if sources.has_service else None,
    )
    news = find_news(rows, last_api_artists, last_api["provider_features"], spotify_frames)
    update = update_catalogue(last, current, news, rules)
    changes = StoredState(update.parts, update.rows.where("input_id IS NULL").select(*state.api_rows.columns))
    new_state = replace_tracks(state, changes, update.id_hashes)
    return BuiltCatalogue(
        update.frames,
        _select_tracks(new_state.parts, rules),
        rows.added_files,
        sources.plan["catalogue_state_id"],
        new_state,
        changes,
        update.id_hashes,
        list(update.merged_artists),
    )


def store_state(
    lake: Lake,
    run_id: str,
    sources: RefreshSources,
    built: BuiltCatalogue,
    last: StateDocument | None,
    api_state_run_id: str | None,
    bounds: list[str] | None,
) -> str:
    """Store the state of a built catalogue for the next refresh; return its id."""
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
        bounds=bounds,
        track_count=built.tracks.count(),
    )
    state, id_hashes = (built.state, NO_HASHES) if is_whole else (built.changes, built.id_hashes)
    write_state(lake.catalogue_states, state_id, state, id_hashes, document)
    return state_id


def _select_tracks(parts: CatalogueParts, rules: CatalogueRules) -> DataFrame:
    return parts.tracks.select(
        "track_id",
        "recording_id",
        "release_date",
        "measures.values.*",
        source_at_rank(F.col("measures.rank"), rules.feature_sources).alias("audio_features_source"),
    )
