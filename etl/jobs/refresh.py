"""The steps of a refresh of the catalogue that follow its plan: transform, fit, load.

Each step stores its results in the lake, under the id of the run, so that the next step can be run again by itself.
"""

import logging
from datetime import date, datetime
from functools import reduce
from typing import Any

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType

from etl import database
from etl.engines.spark import empty_frame, open_session, options_for_size
from etl.formats.contracts import ARTIST_ROW, CATALOGUE, STAGED, SURVEY_ROW, TRACK_ROW
from etl.formats.feature_providers import SERVICES, list_cluster_exclusions, list_feature_sources
from etl.formats.kaggle.file_formats import FORMATS
from etl.formats.tabular import read_rows
from etl.jobs import api_frames
from etl.load import Run, RunInput, load_frames
from etl.settings import Settings
from etl.storage.full_disk import report_full_disk
from etl.storage.inputs import ReceivedInput
from etl.storage.lake import Lake
from etl.transform import provider_features, responses
from etl.transform.catalogue import newness, pipeline
from etl.transform.clusters import kmeans
from etl.transform.clusters.assignment import assign_clusters, clear_clusters
from etl.transform.clusters.model import ClusterModel, restore_model
from etl.transform.kaggle import parse_rows
from etl.transform.validation import ValidationResult

log = logging.getLogger(__name__)

_ROW_SCHEMAS = {"track": TRACK_ROW, "artist": ARTIST_ROW, "survey_response": SURVEY_ROW}
_FIT_FRAMES = ("cluster_fit", "dim_audio_cluster")
_CATALOGUE_FRAMES = tuple(name for name in CATALOGUE if name not in _FIT_FRAMES)


@report_full_disk
def transform_catalogue(run_id: str, settings: Settings) -> dict[str, int]:
    """Read the planned inputs, reconcile them, score newness, and store the frames of ``STAGED`` in the lake.

    :returns: the rows of each input, by its name.
    """
    lake = Lake(settings.lake_url)
    plan = lake.checkpoints.read_document(run_id, "plan")
    inputs = _load_planned_inputs(plan)
    size_bytes = sum(received_input.size_bytes for received_input in inputs)
    size_bytes += lake.latest_state.get_size_bytes(plan["memory_run_id"])
    with open_session(settings, f"transform_catalogue {run_id}", options_for_size(size_bytes)) as spark:
        results_by_kind = parse_files(spark, inputs)
        api_source = api_frames.get_api_source(lake, settings)
        feature_sources = list_feature_sources(settings.features.providers)
        has_service = any(provider in SERVICES for provider in settings.features.providers)
        spotify_frames = api_frames.build_api_frames(spark, lake, run_id, inputs, plan["memory_run_id"], api_source)
        accepted = {kind: union_accepted(spark, results_by_kind[kind], schema) for kind, schema in _ROW_SCHEMAS.items()}
        match_decisions = spark.createDataFrame(plan["decisions"], STAGED["match_decision"])
        frames = pipeline.build_catalogue(
            accepted["track"].unionByName(spotify_frames.track_rows),
            accepted["artist"].unionByName(spotify_frames.artist_rows),
            spotify_frames.playlists,
            spotify_frames.snapshots,
            spotify_frames.requested_artists,
            api_source,
            spotify_frames.latest_features if has_service else None,
            feature_sources,
            match_decisions,
        )
        frames["match_decision"] = match_decisions
        survey_frames = responses.build_survey_frames(accepted["survey_response"])
        frames["survey_response"] = survey_frames["survey_response"]
        frames["input_key"] = (
            frames["input_key"].unionByName(survey_frames["input_key"]).unionByName(spotify_frames.input_keys)
        )
        frames["track_alias"] = frames["track_alias"].unionByName(spotify_frames.linked_aliases)
        frames |= {name: getattr(spotify_frames, name) for name in api_frames.STAGED_NAMES}
        frames["rejected_row"] = reduce(
            DataFrame.unionByName,
            (result.rejected for kind in results_by_kind.values() for result in kind),
            spotify_frames.rejected,
        )
        tracks = frames["dim_track"].persist(StorageLevel.DISK_ONLY)
        bounds = newness.compute_release_bounds(tracks, date.fromisoformat(plan["reference_date"]))
        frames["provider_features"] = provider_features.select_for_unstaged_tracks(
            spotify_frames.latest_features, tracks, feature_sources
        )
        frames["dim_track"] = newness.add_newness_score(tracks, bounds).select(*STAGED["dim_track"].fieldNames())
        for name in _CATALOGUE_FRAMES:
            lake.checkpoints.write_frame(frames[name], run_id, name)
            log.info("Wrote the frame %s.", name)
        # The next step counts here, so that it needs no session of its own for clusters that still fit.
        recording_count = kmeans.count_recordings(_select_fitted_tracks(tracks, settings))
    months = [bounds.oldest_month.isoformat(), bounds.newest_month.isoformat()] if bounds else None
    lake.checkpoints.write_document(run_id, "newness", {"bounds": months})
    lake.checkpoints.write_document(run_id, "recordings", {"count": recording_count})
    lake.checkpoints.write_document(run_id, "memory", {"run_id": spotify_frames.state_run_id})
    return {received_input.name: received_input.row_count for received_input in inputs}


@report_full_disk
def fit_clusters(run_id: str, settings: Settings, cluster_count: int | None = None, seed: int | None = None) -> str:
    """Fit the audio clusters if the stored fit is outdated or a count is given, and store the fit in the lake.

    :param cluster_count: the number of clusters; None: that of the stored fit, or the setting, and clusters are fitted
        only if the catalogue has changed enough.
    :returns: a message with the outcome.
    """
    lake = Lake(settings.lake_url)
    plan = lake.checkpoints.read_document(run_id, "plan")
    stored_model = _load_stored_model(settings)
    chosen_count = cluster_count or (stored_model.cluster_count if stored_model else settings.cluster_count)
    chosen_seed = seed if seed is not None else (stored_model.seed if stored_model else settings.cluster_seed)
    recording_count = lake.checkpoints.read_document(run_id, "recordings")["count"]
    origin, model = settings.cluster_features_from, None
    if cluster_count or kmeans.should_refit(
        stored_model, recording_count, chosen_count, chosen_seed, settings.cluster_refit_fraction, origin
    ):
        options = options_for_size(lake.checkpoints.get_size_bytes(run_id, ["dim_track"]))
        fitted_at = datetime.fromisoformat(plan["started_at"])
        with open_session(settings, f"fit_clusters {run_id}", options) as spark:
            tracks = lake.checkpoints.read_frame(spark, run_id, "dim_track", STAGED["dim_track"])
            model = kmeans.fit_model(
                _select_fitted_tracks(tracks, settings),
                chosen_count,
                chosen_seed,
                settings.cluster_sample_size,
                fitted_at,
                stored_model,
                origin,
            )
            for name, frame in (model.to_staged_frames(spark) if model else {}).items():
                lake.checkpoints.write_frame(frame, run_id, name)
    lake.checkpoints.write_document(run_id, "fit", {"is_new": model is not None})
    if not model:
        return f"The stored clusters still fit the {recording_count} recordings with audio features."
    return f"{len(model.clusters)} clusters fitted on {model.sample_size} of {recording_count} recordings."


def _select_fitted_tracks(tracks: DataFrame, settings: Settings) -> DataFrame:
    """Return the tracks that clusters are fitted to."""
    exclusions = list_cluster_exclusions(settings.cluster_features_from)
    return kmeans.exclude_feature_sources(tracks, *exclusions) if exclusions else tracks


@report_full_disk
def load_catalogue(run_id: str, settings: Settings) -> dict[str, int]:
    """Assign each track to its cluster, then stage, check and publish.

    :returns: rows written, by table; empty if nothing has changed.
    """
    lake = Lake(settings.lake_url)
    plan, bounds = (
        lake.checkpoints.read_document(run_id, "plan"),
        lake.checkpoints.read_document(run_id, "newness")["bounds"],
    )
    is_new_fit = lake.checkpoints.read_document(run_id, "fit")["is_new"]
    run = Run(
        run_id=run_id,
        job=plan["job"],
        started_at=datetime.fromisoformat(plan["started_at"]),
        reference_date=date.fromisoformat(plan["reference_date"]),
        inputs=tuple(_build_run_input(document) for document in _load_planned_inputs(plan)),
        state_run_id=lake.checkpoints.read_document(run_id, "memory")["run_id"],
        last_published_at=datetime.fromisoformat(plan["published_until"]),
        newness_bounds=(date.fromisoformat(bounds[0]), date.fromisoformat(bounds[1])) if bounds else None,
    )
    names = _CATALOGUE_FRAMES + (_FIT_FRAMES if is_new_fit else ())
    options = options_for_size(lake.checkpoints.get_size_bytes(run_id, names))
    with open_session(settings, f"load_catalogue {run_id}", options) as spark:
        frames = {name: lake.checkpoints.read_frame(spark, run_id, name, STAGED[name]) for name in names}
        model = _restore_fitted_model(frames) if is_new_fit else _load_stored_model(settings)
        exclusions = list_cluster_exclusions(settings.cluster_features_from)
        if model:
            for name in ("dim_track", "provider_features"):
                frames[name] = clear_clusters(assign_clusters(frames[name], model), *exclusions)
        return load_frames(frames, run, settings.warehouse_url)


def _build_run_input(received_input: ReceivedInput) -> RunInput:
    encoding = received_input.encoding if received_input.origin == "kaggle" else None
    return RunInput(
        received_input.input_id,
        received_input.origin,
        received_input.name,
        received_input.format,
        received_input.row_count,
        encoding,
        received_input.remarks,
    )


def _load_planned_inputs(plan: dict[str, Any]) -> list[ReceivedInput]:
    return [ReceivedInput.from_manifest(document) for document in plan["inputs"]]


def parse_files(spark: SparkSession, inputs: list[ReceivedInput]) -> dict[str, list[ValidationResult]]:
    """Parse the rows of Kaggle files, by kind of row: track, artist, survey_response."""
    results_by_kind: dict[str, list[ValidationResult]] = {kind: [] for kind in _ROW_SCHEMAS}
    for file_format in FORMATS.values():
        format_inputs = [received_input for received_input in inputs if received_input.format == file_format.name]
        if format_inputs:
            results_by_kind[file_format.kind].append(
                parse_rows(read_rows(spark, format_inputs, file_format), file_format)
            )
    return results_by_kind


def union_accepted(spark: SparkSession, results: list[ValidationResult], schema: StructType) -> DataFrame:
    """Return the accepted rows of several files; an empty frame without files."""
    return reduce(DataFrame.unionByName, (result.accepted for result in results), empty_frame(spark, schema))


def _load_stored_model(settings: Settings) -> ClusterModel | None:
    with database.connect(settings.warehouse_url) as connection:
        stored = database.get_current_cluster_fit(connection)
    return restore_model(*stored) if stored else None


def _restore_fitted_model(frames: dict[str, DataFrame]) -> ClusterModel:
    fit, cluster_rows = ([row.asDict() for row in frames[name].collect()] for name in _FIT_FRAMES)
    return restore_model(fit[0], cluster_rows)
