"""Clusters: the same model in any order, stable numbers, distinct names."""

from datetime import UTC, datetime
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pyspark.sql import DataFrame, SparkSession

from etl.errors import ActionNeededError
from etl.formats.contracts import AUDIO_FEATURES, STAGED
from etl.transform.clusters.assignment import assign_clusters, clear_clusters
from etl.transform.clusters.kmeans import count_recordings, exclude_feature_sources, fit_model, should_refit
from etl.transform.clusters.model import ClusterModel, restore_model
from etl.transform.clusters.naming import name_clusters
from etl.transform.clusters.numbering import assign_initial_numbers, find_optimal_pairs, match_previous_numbers

FITTED_AT = datetime(2026, 11, 1, 3, tzinfo=UTC)
CENTRES = np.array(
    [
        [0.2, 0.1, -30.0, 0.05, 0.9, 0.8, 0.1, 0.1, 70.0],
        [0.8, 0.5, -8.0, 0.05, 0.2, 0.0, 0.1, 0.9, 110.0],
        [0.5, 0.7, -4.0, 0.08, 0.1, 0.1, 0.9, 0.5, 130.0],
        [0.4, 0.95, -5.0, 0.05, 0.0, 0.0, 0.2, 0.3, 180.0],
    ]
)
"""Four groups of synthetic tracks, far apart, in order of energy."""
SPREAD = np.array([0.03, 0.03, 1.0, 0.01, 0.03, 0.03, 0.03, 0.03, 4.0])


def _make_catalogue(per_group: int, groups: list[int] | None = None, seed: int = 1) -> pd.DataFrame:
    """Return synthetic tracks with their group; every third one has a further id of its recording."""
    chance = np.random.default_rng(seed)
    group = np.repeat([0, 1, 2, 3] if groups is None else groups, per_group)
    frame = pd.DataFrame(CENTRES[group] + SPREAD * chance.standard_normal((len(group), 9)), columns=[*AUDIO_FEATURES])
    frame.insert(0, "track_id", [f"id{seed}-{i:05d}" for i in range(len(frame))])
    frame.insert(1, "recording_id", frame.track_id)
    frame["group"] = group
    twins = frame.iloc[::3].assign(track_id=lambda t: t.track_id + "b", tempo=lambda t: t.tempo + 1)
    return pd.concat([frame, twins], ignore_index=True)


def _fit_frame(tracks: DataFrame, count: int = 4, seed: int = 1, previous: ClusterModel | None = None) -> ClusterModel:
    model = fit_model(tracks, count, seed, 300, FITTED_AT, previous)
    assert model is not None
    return model


@pytest.fixture(scope="module")
def catalogue(spark: SparkSession) -> DataFrame:
    return spark.createDataFrame(_make_catalogue(100)).persist()


@pytest.fixture(scope="module")
def model(catalogue: DataFrame) -> ClusterModel:
    return _fit_frame(catalogue)


def test_the_groups_are_found_and_numbered_by_energy(catalogue: DataFrame, model: ClusterModel) -> None:
    assert [c.audio_features_type for c in model.clusters] == [0, 1, 2, 3]
    assert model.centroids == pytest.approx(CENTRES, rel=0.05, abs=0.02)
    assigned = assign_clusters(catalogue, model).toPandas()
    assert (assigned.audio_features_type == assigned.group).all()
    assert (model.catalogue_size, model.sample_size) == (400, 300)
    assert model.inertia == pytest.approx(sum(c.inertia for c in model.clusters))


@pytest.mark.parametrize("partitions", [4, 7])
def test_order_and_partitions_change_no_bit(spark: SparkSession, model: ClusterModel, partitions: int) -> None:
    shuffled = _make_catalogue(100).sample(frac=1, random_state=partitions)
    tracks = spark.createDataFrame(shuffled).repartition(partitions)
    assert _fit_frame(tracks) == model


def test_another_seed_is_another_fit(catalogue: DataFrame, model: ClusterModel) -> None:
    assert _fit_frame(catalogue, seed=2).fit_id != model.fit_id


def test_a_recording_counts_once_by_its_own_track(spark: SparkSession) -> None:
    alone, with_twins = _make_catalogue(20), _make_catalogue(20)
    alone = alone[alone.track_id == alone.recording_id]
    first, second = (_fit_frame(spark.createDataFrame(frame)) for frame in (alone, with_twins))
    assert first == second


def test_a_recording_whose_own_track_lacks_features_is_represented_by_its_smallest_id(spark: SparkSession) -> None:
    frame = _make_catalogue(20)
    ids = frame.track_id[frame.track_id.str.endswith("b")].str[:-1]
    frame.loc[frame.track_id.isin(ids), "energy"] = None
    model = _fit_frame(spark.createDataFrame(frame.replace({np.nan: None}), _make_schema()))
    own = frame[frame.track_id.isin(ids)].assign(energy=0.0)
    of_twins = frame[frame.track_id.str.endswith("b")]
    own[[*AUDIO_FEATURES]] = of_twins.set_index("recording_id").loc[own.track_id, [*AUDIO_FEATURES]].to_numpy()
    alone = pd.concat([frame[~frame.recording_id.isin(ids)], own])
    assert model == _fit_frame(spark.createDataFrame(alone, _make_schema()))
    assert model.catalogue_size == 80


def _make_schema() -> str:
    return "track_id string, recording_id string, " + ", ".join(f"{x} double" for x in AUDIO_FEATURES) + ", group long"


def test_numbers_keep_their_meaning_when_the_catalogue_changes(spark: SparkSession, model: ClusterModel) -> None:
    # The quietest group is now the largest and the seed differs: a first fit would start from other centres.
    changed = spark.createDataFrame(_make_catalogue(60, [3, 2, 0, 0, 1], seed=9))
    again = assign_clusters(changed, _fit_frame(changed, seed=7, previous=model)).toPandas()
    assert (again.audio_features_type == again.group).all()


def test_more_clusters_leave_the_old_numbers_alone(spark: SparkSession) -> None:
    old = _fit_frame(spark.createDataFrame(_make_catalogue(60, [0, 2, 3])), 3)
    grown = spark.createDataFrame(_make_catalogue(60))
    refit = assign_clusters(grown, _fit_frame(grown, 4, previous=old)).toPandas()
    meaning = dict(refit.groupby("group").audio_features_type.first())
    assert meaning == {0: 0, 2: 1, 3: 2, 1: 3}
    assert (refit.audio_features_type == refit.group.map(meaning)).all()


def test_fewer_clusters_keep_the_numbers_they_had(spark: SparkSession, model: ClusterModel) -> None:
    shrunk = spark.createDataFrame(_make_catalogue(60, [1, 3]))
    fewer = _fit_frame(shrunk, 2, previous=model)
    assert [c.audio_features_type for c in fewer.clusters] == [1, 3]
    assigned = assign_clusters(shrunk, fewer).toPandas()
    assert (assigned.audio_features_type == assigned.group).all()


def test_fewer_distinct_points_than_clusters_make_fewer_clusters(
    spark: SparkSession, caplog: pytest.LogCaptureFixture
) -> None:
    frame = pd.DataFrame(CENTRES[[0, 1, 1, 0]], columns=[*AUDIO_FEATURES])
    frame.insert(0, "track_id", list("abcd"))
    frame["recording_id"] = frame.track_id
    model = _fit_frame(spark.createDataFrame(frame), 5)
    assert len(model.clusters) == 2 and model.cluster_count == 5
    assert "2 of 5" in caplog.text
    assert not should_refit(model, 4, 5, 1, 0.2)


def test_one_track_is_one_cluster(spark: SparkSession) -> None:
    tracks = spark.createDataFrame(_make_catalogue(1, [2]).head(1))
    model = _fit_frame(tracks, 2)
    assert [c.name for c in model.clusters] == ["middle of the road"]
    assert assign_clusters(tracks, model).toPandas().audio_features_type.tolist() == [0]


def test_without_features_there_is_no_model(spark: SparkSession) -> None:
    nothing = spark.createDataFrame([("a", "a", *[0.5] * 8, None, 0)], _make_schema())
    assert count_recordings(nothing) == 0
    assert fit_model(nothing, 4, 1, 100, FITTED_AT) is None


@pytest.mark.parametrize(("count", "sample_size"), [(1, 100), (0, 100), (4, 0)])
def test_impossible_requests_are_refused(catalogue: DataFrame, count: int, sample_size: int) -> None:
    with pytest.raises(ActionNeededError, match="at least"):
        fit_model(catalogue, count, 1, sample_size, FITTED_AT)


def test_a_track_that_lacks_one_feature_is_placed_by_the_others(spark: SparkSession, model: ClusterModel) -> None:
    points = _make_catalogue(12)[[*AUDIO_FEATURES]].to_numpy() + 2 * SPREAD * np.random.default_rng(3).standard_normal(
        9
    )
    lacking = np.arange(len(points)) % len(AUDIO_FEATURES)
    distances = (
        model.standardize_points(points)[:, None, :] - model.standardize_points(model.centroids)[None, :, :]
    ) ** 2
    distances[np.arange(len(points)), :, lacking] = 0
    rows = [
        (str(row), "", *[None if place == lacking[row] else float(v) for place, v in enumerate(point)], 7)
        for row, point in enumerate(points)
    ]
    tracks = spark.createDataFrame(rows, _make_schema().replace("group", "audio_features_type"))
    assigned = assign_clusters(tracks, model)
    assert assigned.columns == tracks.columns
    actual = {int(row["track_id"]): row["audio_features_type"] for row in assigned.collect()}
    assert actual == dict(enumerate(distances.sum(axis=2).argmin(axis=1).tolist()))


def test_a_track_that_lacks_more_is_in_no_cluster(spark: SparkSession, model: ClusterModel) -> None:
    whole = CENTRES[1].tolist()
    rows = [("all", "", *whole, 3), ("two", "", None, *whole[1:8], None, 3), ("none", "", *[None] * 9, 3)]
    tracks = spark.createDataFrame(rows, _make_schema().replace("group", "audio_features_type"))
    actual = {row["track_id"]: row["audio_features_type"] for row in assign_clusters(tracks, model).collect()}
    assert actual == {"all": 1, "two": None, "none": None}


def test_of_equally_near_clusters_the_smaller_number_wins(catalogue: DataFrame, model: ClusterModel) -> None:
    twin = model.clusters[2].centroid
    same = tuple(
        type(c)(c.audio_features_type, c.name, twin if c.audio_features_type else c.centroid, 0.0)
        for c in model.clusters
    )
    tied = restore_model(vars(model), [{**vars(c), **dict(zip(AUDIO_FEATURES, c.centroid, strict=True))} for c in same])
    assert set(assign_clusters(catalogue, tied).toPandas().audio_features_type) == {0, 1}


def test_a_model_survives_the_warehouse(spark: SparkSession, model: ClusterModel) -> None:
    frames = model.to_staged_frames(spark)
    assert {name: frame.schema for name, frame in frames.items()} == {name: STAGED[name] for name in frames}
    # Sessions run in UTC; collect returns naive times of the local timezone, the warehouse aware ones.
    fit_row, *_ = [row.asDict() for row in frames["cluster_fit"].drop("fitted_at").collect()]
    cluster_rows = [row.asDict() for row in frames["dim_audio_cluster"].collect()]
    assert restore_model({**fit_row, "fitted_at": FITTED_AT}, list(reversed(cluster_rows))) == model


def test_a_fit_says_whose_features_it_is_of(spark: SparkSession, catalogue: DataFrame) -> None:
    model = fit_model(catalogue, 4, 1, 100, FITTED_AT, feature_origin="files")
    assert model
    frames = {name: [row.asDict() for row in frame.collect()] for name, frame in model.to_staged_frames(spark).items()}
    (stored,) = frames["cluster_fit"]
    again = restore_model(stored, frames["dim_audio_cluster"])
    assert not should_refit(again, 400, 4, 1, 0.2, "files") and should_refit(again, 400, 4, 1, 0.2)


def test_when_to_fit_anew(model: ClusterModel) -> None:
    assert should_refit(None, 1, 4, 1, 0.2)
    assert not should_refit(None, 0, 4, 1, 0.2)
    assert not should_refit(model, 480, 4, 1, 0.2)
    assert should_refit(model, 481, 4, 1, 0.2)
    assert not should_refit(model, 320, 4, 1, 0.2)
    assert should_refit(model, 319, 4, 1, 0.2)
    assert should_refit(model, 400, 5, 1, 0.2)
    assert should_refit(model, 400, 4, 2, 0.2)
    assert should_refit(model, 400, 4, 1, 0.2, "files")


@given(
    st.integers(1, 4)
    .flatmap(lambda rows: st.integers(1, 4).map(lambda columns: (rows, columns)))
    .flatmap(lambda shape: arrays(np.float64, shape, elements=st.integers(0, 9).map(float)))
)
def test_pairs_cost_the_least(cost: np.ndarray) -> None:
    pairs = find_optimal_pairs(cost)
    wide = cost if cost.shape[0] <= cost.shape[1] else cost.T
    least = min(sum(wide[i, j] for i, j in enumerate(p)) for p in permutations(range(wide.shape[1]), wide.shape[0]))
    assert sum(cost[pair] for pair in pairs) == least
    assert len({i for i, _ in pairs}) == len({j for _, j in pairs}) == len(pairs) == min(cost.shape)


def test_free_numbers_are_filled_first() -> None:
    points = np.eye(9)
    assert match_previous_numbers(points[:4], points[2:4], [0, 3]) == [2, 1, 0, 3]


def test_equal_energies_are_told_apart_by_the_other_features() -> None:
    points = np.zeros((3, 9))
    points[:, 0] = [2, 0, 1]
    assert assign_initial_numbers(points) == [2, 0, 1]


@given(arrays(np.float64, (6, 9), elements=st.sampled_from([-2.0, -0.6, -0.1, 0.0, 0.1, 0.6, 2.0])))
def test_names_differ(centroids: np.ndarray) -> None:
    names = name_clusters(centroids)
    assert len(set(names)) == 6 and all(names)


@pytest.mark.parametrize(
    ("traits", "name"),
    [
        ({}, "middle of the road"),
        ({"energy": 0.4}, "middle of the road"),
        ({"energy": -0.9, "acousticness": 1.2}, "acoustic, calm"),
        ({"speechiness": 6.7, "acousticness": 1.2}, "spoken"),
        ({"energy": 1.0, "tempo": 1.1, "loudness": 0.9, "liveness": 0.8}, "fast, energetic, loud"),
    ],
)
def test_a_name_says_what_stands_out(traits: dict[str, float], name: str) -> None:
    assert name_clusters(np.array([[traits.get(feature, 0.0) for feature in AUDIO_FEATURES]])) == [name]


def test_clusters_that_are_alike_get_further_words() -> None:
    centroids = np.zeros((3, 9))
    centroids[:, 1] = -1.0
    centroids[1, 8] = 0.2
    assert name_clusters(centroids) == ["calm", "calm, fast", "calm, undanceable"]


def test_features_of_one_source_can_be_kept_out(spark: SparkSession) -> None:
    rows = [("a", "api", 1), ("b", "tracks_by_genre", 2), ("c", None, None), ("d", "made_up", 3)]
    tracks = spark.createDataFrame(rows, "track_id string, audio_features_source string, audio_features_type int")
    assert {row.track_id for row in exclude_feature_sources(tracks, "api").collect()} == {"b", "c", "d"}
    numbers = {row.track_id: row.audio_features_type for row in clear_clusters(tracks, "api").collect()}
    assert numbers == {"a": None, "b": 2, "c": None, "d": 3}
