"""The steps of a refresh of the catalogue: plan, transform, fit, load.

Each step stores its results in the lake, under the id of the run, so that the next step can be run again by itself.
"""

import logging
from dataclasses import asdict
from datetime import UTC, date, datetime
from functools import reduce
from typing import Any

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType

from etl import database
from etl.engines.spark import empty_frame, open_session, options_for_size
from etl.formats.contracts import ARTIST_ROW, CATALOGUE, MOCK_SOURCE, STAGED, SURVEY_ROW, TRACK_ROW
from etl.formats.kaggle.file_formats import FORMATS
from etl.formats.tabular import read_rows
from etl.jobs import api_frames
from etl.load import Run, RunInput, load_frames
from etl.settings import Settings
from etl.storage.full_disk import report_full_disk
from etl.storage.inputs import ReceivedInput
from etl.storage.lake import Lake
from etl.transform import responses
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
def plan_refresh(run_id: str, job: str, reference_date: date, is_forced: bool, settings: Settings) -> int:
    """Choose the inputs of a run, and store the plan for the next steps.

    :param reference_date: the day of the run.
    :param is_forced: whether to process the current inputs even if none is new.
    :returns: the number of inputs; 0 if there is nothing to do.
    """
    started_at = datetime.now(UTC)
    lake = Lake(settings.lake_url)
    file_inputs = list_current_inputs(lake)
    with database.connect(settings.warehouse_url) as connection:
        published_until = database.get_last_published_at(connection)
        published = database.list_published_input_ids(connection)
        state_run_id = database.get_latest_state_run_id(connection)
        if state_run_id and not lake.latest_state.has_frames(state_run_id):
            log.warning(
                "The latest API state of run %s is missing: it is rebuilt from all API responses.", state_run_id
            )
            state_run_id = None
        api_inputs = [
            received_input
            for received_input in lake.inputs.find_inputs(["api"])
            if state_run_id is None or received_input.input_id not in published
        ]
        planned_inputs = [*file_inputs, *api_inputs]
        new_inputs = [received_input for received_input in planned_inputs if received_input.input_id not in published]
        has_aged = database.has_release_after_bounds(connection, reference_date)
        if not planned_inputs or not (new_inputs or has_aged or is_forced):
            database.record_nothing_new(connection, run_id, job, started_at)
            return 0
    plan_document = {
        "job": job,
        "started_at": started_at.isoformat(),
        "reference_date": reference_date.isoformat(),
        "inputs": [asdict(received_input) for received_input in planned_inputs],
        "memory_run_id": state_run_id,
        "published_until": published_until.isoformat(),
    }
    lake.checkpoints.write_document(run_id, "plan", plan_document)
    log.info(
        "%d inputs, %d of them new: %s",
        len(planned_inputs),
        len(new_inputs),
        ", ".join(received_input.name for received_input in new_inputs) or "none",
    )
    return len(planned_inputs)


def list_current_inputs(lake: Lake) -> list[ReceivedInput]:
    """Return the newest version of each Kaggle file, by format and name; without any, the synthetic catalogue's."""
    newest_inputs = {
        (received_input.format, received_input.name): received_input
        for received_input in lake.inputs.find_inputs(["kaggle"]) or lake.inputs.find_inputs(["made_up"])
    }
    return sorted(newest_inputs.values(), key=lambda received_input: received_input.input_id)


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
        spotify_frames = api_frames.build_api_frames(spark, lake, run_id, inputs, plan["memory_run_id"], api_source)
        accepted = {kind: union_accepted(spark, results_by_kind[kind], schema) for kind, schema in _ROW_SCHEMAS.items()}
        frames = pipeline.build_catalogue(
            accepted["track"].unionByName(spotify_frames.track_rows),
            accepted["artist"].unionByName(spotify_frames.artist_rows),
            spotify_frames.playlists,
            spotify_frames.snapshots,
            spotify_frames.requested_artists,
            api_source,
        )
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
        frames["dim_track"] = newness.add_newness_score(tracks, bounds).select(*STAGED["dim_track"].fieldNames())
        for name in _CATALOGUE_FRAMES:
            lake.checkpoints.write_frame(frames[name], run_id, name)
            log.info("Wrote the frame %s.", name)
    months = [bounds.oldest_month.isoformat(), bounds.newest_month.isoformat()] if bounds else None
    lake.checkpoints.write_document(run_id, "newness", {"bounds": months})
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
    options = options_for_size(lake.checkpoints.get_size_bytes(run_id, ["dim_track"]))
    with open_session(settings, f"fit_clusters {run_id}", options) as spark:
        tracks = lake.checkpoints.read_frame(spark, run_id, "dim_track", STAGED["dim_track"])
        feature_origin = settings.cluster_features_from
        if feature_origin == "files":
            tracks = kmeans.exclude_feature_sources(tracks, "api", MOCK_SOURCE)
        recording_count = kmeans.count_recordings(tracks)
        is_needed = kmeans.should_refit(
            stored_model, recording_count, chosen_count, chosen_seed, settings.cluster_refit_fraction, feature_origin
        )
        fitted_at = datetime.fromisoformat(plan["started_at"])
        model = None
        if is_needed or cluster_count:
            model = kmeans.fit_model(
                tracks, chosen_count, chosen_seed, settings.cluster_sample_size, fitted_at, stored_model, feature_origin
            )
        frames = model.to_staged_frames(spark) if model else {}
        for name, frame in frames.items():
            lake.checkpoints.write_frame(frame, run_id, name)
    lake.checkpoints.write_document(run_id, "fit", {"is_new": bool(frames)})
    if not model:
        return f"The stored clusters still fit the {recording_count} recordings with audio features."
    return f"{len(model.clusters)} clusters fitted on {model.sample_size} of {recording_count} recordings."


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
        if model:
            frames["dim_track"] = assign_clusters(frames["dim_track"], model)
            if settings.cluster_features_from == "files":
                frames["dim_track"] = clear_clusters(frames["dim_track"], "api", MOCK_SOURCE)
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
