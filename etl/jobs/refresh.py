"""The steps of a refresh of the catalogue that follow its plan: transform, fit, load.

Each step stores its results in the lake, under the id of the run, so that the next step can be run again by itself.
"""

import logging
from datetime import date, datetime
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

from etl import database
from etl.database.run_records import lock_for_run
from etl.engines.small_frames import make_frame
from etl.engines.spark import is_small_input, open_lazy_session, open_session, options_for_size
from etl.formats.contracts import CATALOGUE, STAGED
from etl.formats.feature_providers import list_cluster_exclusions
from etl.jobs.catalogue.api_frames import STAGED_NAMES, ApiFrames, build_api_frames
from etl.jobs.catalogue.build import (
    BuiltCatalogue,
    RefreshSources,
    build_update,
    build_whole,
    find_last_state,
    read_sources,
    write_frames,
)
from etl.jobs.catalogue.inputs import parse_new_inputs
from etl.jobs.catalogue.state import StateDocument
from etl.jobs.catalogue.summary import select_fitted_tracks
from etl.load import Run, RunInput, load_frames_under_lock
from etl.settings import Settings
from etl.storage.full_disk import report_full_disk
from etl.storage.inputs import ReceivedInput
from etl.storage.lake import Lake
from etl.transform import provider_features, responses
from etl.transform.catalogue import newness
from etl.transform.clusters import kmeans
from etl.transform.clusters.assignment import assign_clusters, clear_clusters
from etl.transform.clusters.model import ClusterModel, restore_model

log = logging.getLogger(__name__)

_FIT_FRAMES = ("cluster_fit", "dim_audio_cluster")
_CLUSTERED_FRAMES = ("dim_track", "provider_features")
_CATALOGUE_FRAMES = tuple(name for name in CATALOGUE if name not in _FIT_FRAMES)


@report_full_disk
def transform_catalogue(run_id: str, settings: Settings) -> dict[str, int]:
    """Read the planned inputs, reconcile them, score newness, and store the frames of ``STAGED`` in the lake.

    Only what the news touch is reconciled, if the last catalogue left its state.

    :returns: the rows of each input, by its name.
    """
    lake = Lake(settings.lake_url)
    plan = lake.checkpoints.read_document(run_id, "plan")
    inputs = _load_planned_inputs(plan)
    sources = read_sources(plan, inputs, lake, settings)
    last = find_last_state(sources, lake)
    if last is None or not _store_frames(run_id, lake, sources, last, settings):
        _store_frames(run_id, lake, sources, None, settings)
    return {received_input.name: received_input.row_count for received_input in inputs}


def _store_frames(
    run_id: str, lake: Lake, sources: RefreshSources, last: StateDocument | None, settings: Settings
) -> bool:
    """Store the frames of the whole catalogue, or of what has changed since its last state.

    :returns: False, and no frame is stored, if all rows have changed: by other bounds of newness or other clusters.
    """
    plan, inputs = sources.plan, sources.inputs
    options = options_for_size(_estimate_size(lake, sources, last))
    with open_session(settings, f"transform_catalogue {run_id}", options) as spark:
        parse_new_inputs(spark, lake, inputs)
        spotify_frames = build_api_frames(
            spark, lake, run_id, inputs, plan["memory_run_id"], sources.rules_settings["api_source"]
        )
        if last:
            built = build_update(spark, lake, sources, spotify_frames, last)
        else:
            built = build_whole(spark, lake, sources, spotify_frames)
        months, recording_count = built.summary.list_months(), built.summary.recording_count
        if last and ((last.bounds is None) != (months is None) or _should_refit(recording_count, settings)):
            log.info("Newness or clusters of all tracks change: all rows are reconciled.")
            return False
        frames = _complete_frames(spark, sources, built, spotify_frames)
        frames["dim_track"] = newness.add_newness_score(frames["dim_track"], built.summary.bounds)
        if last:
            # Clusters of an update are not fitted again, so that the load needs no session of its own.
            model = _load_stored_model(settings)
            frames |= {name: _assign_clusters(frames[name], model, settings) for name in _CLUSTERED_FRAMES}
        staged_frames = {name: frames[name].select(*STAGED[name].fieldNames()) for name in _CATALOGUE_FRAMES}
        state_id = write_frames(lake, run_id, staged_frames, sources, built, last, spotify_frames.state_run_id)
    lake.checkpoints.write_document(run_id, "newness", {"bounds": months})
    lake.checkpoints.write_document(run_id, "recordings", {"count": recording_count})
    lake.checkpoints.write_document(run_id, "memory", {"run_id": spotify_frames.state_run_id})
    document = {"state_id": state_id, "updated_state_id": built.updated_state_id, "has_clusters": last is not None}
    lake.checkpoints.write_document(run_id, "catalogue", document)
    return True


def _estimate_size(lake: Lake, sources: RefreshSources, last: StateDocument | None) -> int:
    """Return the bytes of the inputs that a session reads as a whole."""
    new_inputs = sources.inputs
    if last:
        new_inputs = [received_input for received_input in new_inputs if received_input.input_id not in last.input_ids]
    size_bytes = sum(received_input.size_bytes for received_input in new_inputs)
    return size_bytes + lake.latest_state.get_size_bytes(sources.plan["memory_run_id"])


def _complete_frames(
    spark: SparkSession, sources: RefreshSources, built: BuiltCatalogue, spotify_frames: ApiFrames
) -> dict[str, DataFrame]:
    """Return the frames of ``STAGED`` that a refresh loads; the cluster fit is not among them."""
    frames = dict(built.frames)
    columns = STAGED["match_decision"].fieldNames()
    decisions = [dict(zip(columns, row, strict=True)) for row in sources.plan["decisions"]]
    frames["match_decision"] = make_frame(spark, decisions, STAGED["match_decision"])
    survey_frames = responses.build_survey_frames(built.new_inputs.survey_rows)
    frames["survey_response"] = survey_frames["survey_response"]
    frames["input_key"] = (
        frames["input_key"].unionByName(survey_frames["input_key"]).unionByName(spotify_frames.input_keys)
    )
    frames["track_alias"] = frames["track_alias"].unionByName(spotify_frames.linked_aliases)
    frames |= {name: getattr(spotify_frames, name) for name in STAGED_NAMES}
    frames["rejected_row"] = built.new_inputs.rejected.unionByName(spotify_frames.rejected)
    frames["provider_features"] = provider_features.select_for_unstaged_tracks(
        spotify_frames.latest_features, built.tracks, tuple(sources.rules_settings["feature_sources"])
    )
    return frames


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
    has_all_tracks = lake.checkpoints.read_document(run_id, "catalogue")["updated_state_id"] is None
    if cluster_count or (
        has_all_tracks
        and kmeans.should_refit(
            stored_model, recording_count, chosen_count, chosen_seed, settings.cluster_refit_fraction, origin
        )
    ):
        options = options_for_size(lake.checkpoints.get_size_bytes(run_id, ["dim_track"]))
        fitted_at = datetime.fromisoformat(plan["started_at"])
        with open_session(settings, f"fit_clusters {run_id}", options) as spark:
            tracks = lake.checkpoints.read_frame(spark, run_id, "dim_track", STAGED["dim_track"])
            model = kmeans.fit_model(
                select_fitted_tracks(tracks, settings.cluster_features_from),
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


def _should_refit(recording_count: int, settings: Settings) -> bool:
    """Return whether the catalogue has changed so much that the clusters are fitted again."""
    model = _load_stored_model(settings)
    chosen_count = model.cluster_count if model else settings.cluster_count
    chosen_seed = model.seed if model else settings.cluster_seed
    fraction, origin = settings.cluster_refit_fraction, settings.cluster_features_from
    return kmeans.should_refit(model, recording_count, chosen_count, chosen_seed, fraction, origin)


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
    catalogue = lake.checkpoints.read_document(run_id, "catalogue")
    run = Run(
        run_id=run_id,
        job=plan["job"],
        started_at=datetime.fromisoformat(plan["started_at"]),
        reference_date=date.fromisoformat(plan["reference_date"]),
        inputs=tuple(_build_run_input(document) for document in _load_planned_inputs(plan)),
        state_run_id=lake.checkpoints.read_document(run_id, "memory")["run_id"],
        last_published_at=datetime.fromisoformat(plan["published_until"]),
        newness_bounds=(date.fromisoformat(bounds[0]), date.fromisoformat(bounds[1])) if bounds else None,
        catalogue_state_id=catalogue["state_id"],
        updated_state_id=catalogue["updated_state_id"],
    )
    names = _CATALOGUE_FRAMES + (_FIT_FRAMES if is_new_fit else ())
    size_bytes = lake.checkpoints.get_size_bytes(run_id, names)
    model = _load_fitted_model(lake, run_id) if is_new_fit else _load_stored_model(settings)
    needs_clusters = model is not None and (is_new_fit or not catalogue["has_clusters"])
    options = options_for_size(size_bytes)
    with (
        lock_for_run(run, settings.warehouse_url) as connection,
        open_lazy_session(settings, f"load_catalogue {run_id}", options) as open_spark,
    ):
        frames: dict[str, DataFrame | pa.Table] = {}
        for name in names:
            if needs_clusters and name in _CLUSTERED_FRAMES:
                frame = lake.checkpoints.read_frame(open_spark(), run_id, name, STAGED[name])
                frames[name] = _assign_clusters(frame, model, settings)
            elif is_small_input(size_bytes):
                frames[name] = lake.checkpoints.read_table(run_id, name, STAGED[name])
            else:
                frames[name] = lake.checkpoints.read_frame(open_spark(), run_id, name, STAGED[name])
        return load_frames_under_lock(connection, frames, run, settings.warehouse_url)


def _assign_clusters(tracks: DataFrame, model: ClusterModel | None, settings: Settings) -> DataFrame:
    """Return tracks with their clusters; without a model they have none."""
    if model is None:
        return tracks
    return clear_clusters(assign_clusters(tracks, model), *list_cluster_exclusions(settings.cluster_features_from))


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


def _load_stored_model(settings: Settings) -> ClusterModel | None:
    with database.connect(settings.warehouse_url) as connection:
        stored = database.get_current_cluster_fit(connection)
    return restore_model(*stored) if stored else None


def _load_fitted_model(lake: Lake, run_id: str) -> ClusterModel:
    fit, clusters = (lake.checkpoints.read_table(run_id, name, STAGED[name]).to_pylist() for name in _FIT_FRAMES)
    return restore_model(fit[0], clusters)
