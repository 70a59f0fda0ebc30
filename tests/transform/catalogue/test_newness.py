"""Newness: whole months on the scale from the catalogue's oldest to its newest."""

from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import DataFrame, SparkSession

from etl.transform.catalogue.newness import ReleaseBounds, add_newness_score, compute_release_bounds

REFERENCE = date(2026, 11, 1)


def _create_track_frame(spark: SparkSession, dates: list[date | None]) -> DataFrame:
    return spark.createDataFrame(list(enumerate(dates)), "number int, release_date date").withColumnRenamed(
        "number", "track_number"
    )


def _compute_scores(spark: SparkSession, dates: list[date | None], reference: date = REFERENCE) -> list[float | None]:
    tracks = _create_track_frame(spark, dates)
    scored = add_newness_score(tracks, compute_release_bounds(tracks, reference)).orderBy("track_number").collect()
    return [row["newness_score"] for row in scored]


def test_the_oldest_month_is_0_the_newest_1_and_the_middle_a_half(spark: SparkSession) -> None:
    assert _compute_scores(spark, [date(2000, 1, 31), date(2001, 1, 1), date(2002, 1, 15), None]) == [
        0.0,
        0.5,
        1.0,
        None,
    ]


def test_days_of_one_month_are_alike(spark: SparkSession) -> None:
    first, last = _compute_scores(spark, [date(2001, 1, 1), date(2001, 1, 31), date(2000, 1, 1), date(2002, 1, 1)])[:2]
    assert first == last


def test_implausible_dates_stay_out_of_the_bounds_and_are_clamped(spark: SparkSession) -> None:
    dates = [date(1066, 1, 1), date(1899, 12, 31), date(1900, 1, 1), date(2026, 11, 1), date(2026, 12, 24)]
    assert compute_release_bounds(_create_track_frame(spark, dates), REFERENCE) == ReleaseBounds(
        date(1900, 1, 1), date(2026, 11, 1)
    )
    assert _compute_scores(spark, dates) == [0.0, 0.0, 0.0, 1.0, 1.0]


def test_the_bounds_are_first_days(spark: SparkSession) -> None:
    dates = [date(1999, 12, 31), date(2020, 2, 29)]
    assert compute_release_bounds(_create_track_frame(spark, dates), REFERENCE) == ReleaseBounds(
        date(1999, 12, 1), date(2020, 2, 1)
    )


def test_a_catalogue_of_one_month_is_all_new(spark: SparkSession) -> None:
    assert _compute_scores(spark, [date(2020, 2, 1), date(2020, 2, 29), date(1066, 1, 1), date(2066, 1, 1)]) == [
        1,
        1,
        0,
        1,
    ]


@pytest.mark.parametrize("dates", [[], [None], [date(1066, 1, 1), None]])
def test_without_a_plausible_date_there_are_no_bounds_and_no_scores(
    spark: SparkSession, dates: list[date | None]
) -> None:
    assert compute_release_bounds(_create_track_frame(spark, dates), REFERENCE) is None
    assert _compute_scores(spark, dates) == [None] * len(dates)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(dates=st.lists(st.dates(date(1890, 1, 1), date(2026, 11, 1)), min_size=1, max_size=30))
def test_scores_follow_the_formula_whatever_the_reference_date(spark: SparkSession, dates: list[date]) -> None:
    def age(day: date, reference: date) -> int:
        return (reference.year - day.year) * 12 + reference.month - day.month

    plausible = [age(day, REFERENCE) for day in dates if day.year >= 1900]
    scores = _compute_scores(spark, dates)
    assert scores == _compute_scores(spark, dates, date(2030, 5, 5))
    if not plausible:
        assert scores == [None] * len(dates)
        return
    least, greatest = min(plausible), max(plausible)
    for day, given_score in zip(dates, scores, strict=True):
        if least == greatest:
            expected = float(age(day, REFERENCE) <= least)
        else:
            expected = max(0.0, 1 - (age(day, REFERENCE) - least) / (greatest - least))
        assert given_score == pytest.approx(expected, abs=1e-12)
