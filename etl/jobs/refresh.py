"""The steps of a refresh: plan, transform, fit, load.

What one step leaves for the next lies in the lake under the id of the run, so that each can be run again by itself.
"""

import logging
from dataclasses import asdict
from datetime import UTC, date, datetime
from functools import reduce
from typing import Any

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType

from etl import warehouse
from etl.config import Settings
from etl.formats import FORMATS
from etl.full_disk import explains_full_disk
from etl.jobs import spotify_answers as spotify
from etl.lake import Lake, Received
from etl.load import Run, RunInput, load
from etl.schemas import ARTIST_ROW, CATALOGUE, MOCK_SOURCE, STAGED, SURVEY_ROW, TRACK_ROW
from etl.spark import session
from etl.tabular import read_rows
from etl.transform import catalogue, clusters, newness, responses
from etl.transform.cluster_model import ClusterModel, from_rows
from etl.transform.kaggle import parse
from etl.transform.parsed import Parsed

log = logging.getLogger(__name__)

_ROW_SCHEMAS = {"track": TRACK_ROW, "artist": ARTIST_ROW, "survey_response": SURVEY_ROW}
_FIT_FRAMES = ("cluster_fit", "dim_audio_cluster")
_CATALOGUE_FRAMES = tuple(name for name in CATALOGUE if name not in _FIT_FRAMES)


@explains_full_disk
def plan_refresh(run_id: str, job: str, reference_date: date, is_forced: bool, settings: Settings) -> int:
    """Decide what a run works on, and note it for the steps to come.

    :param reference_date: the day that the run stands for.
    :param is_forced: work through the current inputs also where none is new.
    :returns: how many inputs the run takes; 0 where there is nothing to do.
    """
    started_at = datetime.now(UTC)
    lake = Lake(settings.lake_url)
    files = current_inputs(lake)
    with warehouse.connect(settings.warehouse_url) as connection:
        published_until = warehouse.published_until(connection)
        published = warehouse.published_inputs(connection)
        memory_run_id = warehouse.current_memory(connection)
        if memory_run_id and not lake.has_memory(memory_run_id):
            log.warning(
                "The memory of the API's answers (%s) is gone: it is made anew from all of them.", memory_run_id
            )
            memory_run_id = None
        answers = [one for one in lake.inputs(["api"]) if memory_run_id is None or one.input_id not in published]
        current = [*files, *answers]
        new = [one for one in current if one.input_id not in published]
        has_aged = warehouse.has_release_after_bounds(connection, reference_date)
        if not current or not (new or has_aged or is_forced):
            warehouse.record_nothing_new(connection, run_id, job, started_at)
            return 0
    note = {
        "job": job,
        "started_at": started_at.isoformat(),
        "reference_date": reference_date.isoformat(),
        "inputs": [asdict(one) for one in current],
        "memory_run_id": memory_run_id,
        "published_until": published_until.isoformat(),
    }
    lake.write_note(run_id, "plan", note)
    log.info("%d inputs, %d of them new: %s", len(current), len(new), ", ".join(one.name for one in new) or "none")
    return len(current)


def current_inputs(lake: Lake) -> list[Received]:
    """The version of each Kaggle file that came last, by format and name; made-up ones where there are no others."""
    newest = {(one.format, one.name): one for one in lake.inputs(["kaggle"]) or lake.inputs(["made_up"])}
    return sorted(newest.values(), key=lambda one: one.input_id)


@explains_full_disk
def transform_catalogue(run_id: str, settings: Settings) -> dict[str, int]:
    """Read the planned inputs, reconcile them and score newness; leaves frames of ``STAGED`` in the lake.

    :returns: rows by input.
    """
    lake = Lake(settings.lake_url)
    plan = lake.read_note(run_id, "plan")
    inputs = _inputs(plan)
    with session(settings, f"transform_catalogue {run_id}") as spark:
        parsed = parse_files(spark, inputs)
        api_source = spotify.source_of(lake, settings)
        said = spotify.read(spark, lake, run_id, inputs, plan["memory_run_id"], api_source)
        accepted = {kind: union(spark, parsed[kind], schema) for kind, schema in _ROW_SCHEMAS.items()}
        frames = catalogue.build(
            accepted["track"].unionByName(said.track_rows),
            accepted["artist"].unionByName(said.artist_rows),
            said.playlists,
            said.snapshots,
            said.asked_artists,
            api_source,
        )
        answers = responses.build(accepted["survey_response"])
        frames["survey_response"] = answers["survey_response"]
        frames["input_key"] = frames["input_key"].unionByName(answers["input_key"]).unionByName(said.input_keys)
        frames["track_alias"] = frames["track_alias"].unionByName(said.linked_aliases)
        frames |= {name: getattr(said, name) for name in spotify.STAGED_NAMES}
        frames["rejected_row"] = reduce(
            DataFrame.unionByName, (one.rejected for kind in parsed.values() for one in kind), said.rejected
        )
        tracks = frames["dim_track"].persist(StorageLevel.DISK_ONLY)
        bounds = newness.bounds(tracks, date.fromisoformat(plan["reference_date"]))
        frames["dim_track"] = newness.score(tracks, bounds).select(*STAGED["dim_track"].fieldNames())
        for name in _CATALOGUE_FRAMES:
            lake.write_frame(frames[name], run_id, name)
            log.info("%s is ready.", name)
    months = [bounds.oldest_month.isoformat(), bounds.newest_month.isoformat()] if bounds else None
    lake.write_note(run_id, "newness", {"bounds": months})
    lake.write_note(run_id, "memory", {"run_id": said.memory_run_id})
    return {one.name: one.row_count for one in inputs}


@explains_full_disk
def fit_clusters(run_id: str, settings: Settings, cluster_count: int | None = None, seed: int | None = None) -> str:
    """Fit the audio clusters where it is time to, or where a count is given; leaves the fit in the lake.

    :param cluster_count: how many; None keeps that of the stored fit, or takes the setting, and fits only where the
        catalogue has changed enough.
    :returns: a sentence that says what was done.
    """
    lake = Lake(settings.lake_url)
    plan = lake.read_note(run_id, "plan")
    stored = _stored_model(settings)
    count = cluster_count or (stored.cluster_count if stored else settings.cluster_count)
    chosen_seed = seed if seed is not None else (stored.seed if stored else settings.cluster_seed)
    with session(settings, f"fit_clusters {run_id}") as spark:
        tracks = lake.read_frame(spark, run_id, "dim_track", STAGED["dim_track"])
        features_from = settings.cluster_features_from
        if features_from == "files":
            tracks = clusters.without_features_of(tracks, "api", MOCK_SOURCE)
        size = clusters.catalogue_size(tracks)
        is_needed = clusters.needs_refit(stored, size, count, chosen_seed, settings.cluster_refit_share, features_from)
        fitted_at = datetime.fromisoformat(plan["started_at"])
        model = None
        if is_needed or cluster_count:
            model = clusters.fit(
                tracks, count, chosen_seed, settings.cluster_sample_size, fitted_at, stored, features_from
            )
        frames = model.staged(spark) if model else {}
        for name, frame in frames.items():
            lake.write_frame(frame, run_id, name)
    lake.write_note(run_id, "fit", {"is_new": bool(frames)})
    if not model:
        return f"The stored clusters still fit the {size} recordings with audio features."
    return f"{len(model.clusters)} clusters fitted on {model.sample_size} of {size} recordings."


@explains_full_disk
def load_catalogue(run_id: str, settings: Settings) -> dict[str, int]:
    """Give each track its cluster, then stage, check and publish.

    :returns: rows written by table; empty where every row was there already.
    """
    lake = Lake(settings.lake_url)
    plan, bounds = lake.read_note(run_id, "plan"), lake.read_note(run_id, "newness")["bounds"]
    is_new_fit = lake.read_note(run_id, "fit")["is_new"]
    run = Run(
        run_id=run_id,
        job=plan["job"],
        started_at=datetime.fromisoformat(plan["started_at"]),
        reference_date=date.fromisoformat(plan["reference_date"]),
        inputs=tuple(_run_input(one) for one in _inputs(plan)),
        memory_run_id=lake.read_note(run_id, "memory")["run_id"],
        published_until=datetime.fromisoformat(plan["published_until"]),
        newness_bounds=(date.fromisoformat(bounds[0]), date.fromisoformat(bounds[1])) if bounds else None,
    )
    names = _CATALOGUE_FRAMES + (_FIT_FRAMES if is_new_fit else ())
    with session(settings, f"load_catalogue {run_id}") as spark:
        frames = {name: lake.read_frame(spark, run_id, name, STAGED[name]) for name in names}
        model = _fitted_model(frames) if is_new_fit else _stored_model(settings)
        if model:
            frames["dim_track"] = clusters.assign(frames["dim_track"], model)
            if settings.cluster_features_from == "files":
                frames["dim_track"] = clusters.unassigned(frames["dim_track"], "api", MOCK_SOURCE)
        return load(frames, run, settings.warehouse_url)


def _run_input(one: Received) -> RunInput:
    encoding = one.encoding if one.origin == "kaggle" else None
    return RunInput(one.input_id, one.origin, one.name, one.format, one.row_count, encoding, one.remarks)


def _inputs(plan: dict[str, Any]) -> list[Received]:
    return [Received.from_note(one) for one in plan["inputs"]]


def parse_files(spark: SparkSession, inputs: list[Received]) -> dict[str, list[Parsed]]:
    """The rows of files, by the kind of thing that they tell of: track, artist, survey_response."""
    parsed: dict[str, list[Parsed]] = {kind: [] for kind in _ROW_SCHEMAS}
    for known in FORMATS.values():
        of_format = [one for one in inputs if one.format == known.name]
        if of_format:
            parsed[known.kind].append(parse(read_rows(spark, of_format, known), known))
    return parsed


def union(spark: SparkSession, parsed: list[Parsed], schema: StructType) -> DataFrame:
    """The accepted rows of several files; none where there is no file."""
    return reduce(DataFrame.unionByName, (one.accepted for one in parsed), spark.createDataFrame([], schema))


def _stored_model(settings: Settings) -> ClusterModel | None:
    with warehouse.connect(settings.warehouse_url) as connection:
        stored = warehouse.current_fit(connection)
    return from_rows(*stored) if stored else None


def _fitted_model(frames: dict[str, DataFrame]) -> ClusterModel:
    fit, found = ([row.asDict() for row in frames[name].collect()] for name in _FIT_FRAMES)
    return from_rows(fit[0], found)
