"""The frames of the catalogue in a refresh: from all rows, or from those that its news touch.

A refresh follows its news if the state of the last published catalogue is in the lake, was built by the same code under
the same settings, and the news are a small fraction of it. Both ways give the star the same rows.
"""

import logging
from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from etl.formats.contracts import ARTIST_ROW, LATEST_STATE, STAGED, TRACK_ROW
from etl.formats.feature_providers import SERVICES, list_feature_sources
from etl.jobs import api_frames
from etl.jobs.api_frames import ApiFrames
from etl.jobs.catalogue_inputs import FileRows, list_unparsed_inputs, read_file_rows
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
from etl.transform.catalogue.links import NO_HASHES, Hashes, build_row_links
from etl.transform.catalogue.parts import CatalogueParts, select_parts
from etl.transform.catalogue.pipeline import build_from_rows
from etl.transform.catalogue.reconciliation import add_track_identity
from etl.transform.catalogue.source_precedence import source_at_rank
from etl.transform.catalogue.stages import CatalogueRules, checkpoint_to_disk
from etl.transform.catalogue.update import CurrentInputs, LastCatalogue, News, RowLinks, update_catalogue
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
    if new_rows > MAX_NEWS_FRACTION * document.track_count or list_unparsed_inputs(
        lake, [known for known in sources.inputs if known.input_id in document.input_ids]
    ):
        log.info("%d new rows for %d tracks: all rows are reconciled.", new_rows, document.track_count)
        return None
    return document


def build_whole(spark: SparkSession, lake: Lake, sources: RefreshSources, spotify_frames: ApiFrames) -> BuiltCatalogue:
    """Reconcile all rows."""
    files = read_file_rows(spark, lake, [received_input.input_id for received_input in sources.inputs])
    rules = sources.make_rules(spark)
    api_rows = checkpoint_to_disk(add_track_identity(spotify_frames.track_rows))
    frames, reconciled, evidence = build_from_rows(
        files.rows.unionByName(api_rows),
        files.artist_rows.unionByName(spotify_frames.artist_rows),
        spotify_frames.playlists,
        spotify_frames.snapshots,
        spotify_frames.requested_artists,
        spotify_frames.latest_features if sources.has_service else None,
        rules,
    )
    state = StoredState(select_parts(reconciled, evidence), api_rows)
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
    spark: SparkSession, lake: Lake, sources: RefreshSources, spotify_frames: ApiFrames, last: StateDocument
) -> BuiltCatalogue:
    """Reconcile the rows that news touch."""
    rules = sources.make_rules(spark)
    state = read_state(spark, lake.catalogue_states, last)
    current_ids = [received_input.input_id for received_input in sources.inputs]
    added_ids = sorted(set(current_ids) - set(last.input_ids))
    removed_ids = sorted(set(last.input_ids) - set(current_ids))
    files, added, removed = (read_file_rows(spark, lake, ids) for ids in (current_ids, added_ids, removed_ids))
    removed_api_rows, added_api_rows = _find_changed_api_rows(spark, state, spotify_frames, last)
    current_api_rows = state.api_rows
    if spotify_frames.state_run_id != last.api_state_run_id:
        kept = state.api_rows.join(F.broadcast(removed_api_rows.select("track_id")), on="track_id", how="left_anti")
        current_api_rows = kept.select(*state.api_rows.columns).unionByName(added_api_rows)
    last_api = {name: lake.latest_state.read_frame(spark, last.api_state_run_id, name) for name in LATEST_STATE}
    last_api_artists = staged_frames.build_artist_rows(last_api, rules.api_source)
    changed_api_artists = _select_differing(last_api_artists, spotify_frames.artist_rows, ARTIST_ROW.fieldNames())
    changed_features = _select_differing(
        last_api["provider_features"], spotify_frames.latest_features, ["track_id", "source", "measures"]
    )
    columns = ("identity", "track_id", "playlist_id")
    changed_rows = [added.rows, removed.rows, added_api_rows, removed_api_rows]
    news_rows = changed_rows[0].select(*columns)
    for rows in changed_rows[1:]:
        news_rows = news_rows.unionByName(rows.select(*columns))
    named_tracks = spotify_frames.input_keys.where("key_kind = 'track'").select(F.col("key").alias("track_id"))
    news = News(
        rows=checkpoint_to_disk(news_rows),
        artist_rows=changed_api_artists.unionByName(added.artist_rows).unionByName(removed.artist_rows),
        track_ids=checkpoint_to_disk(changed_features.select("track_id").unionByName(named_tracks).distinct()),
        input_ids=added_ids,
    )
    last_files = read_file_rows(spark, lake, list(last.input_ids))
    update = update_catalogue(
        LastCatalogue(
            RowLinks.collect(removed.row_links.unionByName(build_row_links(removed_api_rows))),
            last_files.artist_rows.unionByName(last_api_artists),
            state.parts,
            last.merged_artists,
            collect_decisions(spark.createDataFrame(last.decisions, STAGED["match_decision"])),
        ),
        CurrentInputs(
            files.rows.unionByName(current_api_rows),
            RowLinks.collect(files.row_links.unionByName(build_row_links(current_api_rows))),
            files.artist_rows.unionByName(spotify_frames.artist_rows),
            spotify_frames.playlists,
            spotify_frames.snapshots,
            spotify_frames.requested_artists,
            spotify_frames.latest_features if sources.has_service else None,
        ),
        news,
        rules,
    )
    changes = StoredState(update.parts, update.rows.where("input_id IS NULL").select(*state.api_rows.columns))
    new_state = replace_tracks(state, changes, update.id_hashes)
    return BuiltCatalogue(
        update.frames,
        _select_tracks(new_state.parts, rules),
        added,
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


def _find_changed_api_rows(
    spark: SparkSession, state: StoredState, spotify_frames: ApiFrames, last: StateDocument
) -> tuple[DataFrame, DataFrame]:
    """Return the API's rows about tracks that the last catalogue had and are gone, and those that are new, analysed."""
    if spotify_frames.state_run_id == last.api_state_run_id:
        nothing = state.api_rows.where(F.lit(False))
        return nothing, nothing
    content = F.xxhash64(*TRACK_ROW.fieldNames()).alias("content")
    former, present = state.api_rows.withColumn("content", content), spotify_frames.track_rows
    present = checkpoint_to_disk(present.withColumn("content", content))
    keys = ["track_id", "content"]
    removed = former.join(present.select(*keys), on=keys, how="left_anti").select(*state.api_rows.columns)
    added = present.join(former.select(*keys), on=keys, how="left_anti").select(*TRACK_ROW.fieldNames())
    return checkpoint_to_disk(removed), checkpoint_to_disk(add_track_identity(added))


def _select_differing(former: DataFrame, present: DataFrame, columns: list[str]) -> DataFrame:
    """Return the rows that one of two frames lacks."""
    sides = (former.select(*columns), present.select(*columns))
    return sides[0].exceptAll(sides[1]).unionByName(sides[1].exceptAll(sides[0]))


def _select_tracks(parts: CatalogueParts, rules: CatalogueRules) -> DataFrame:
    return parts.tracks.select(
        "track_id",
        "recording_id",
        "release_date",
        "measures.values.*",
        source_at_rank(F.col("measures.rank"), rules.feature_sources).alias("audio_features_source"),
    )
