"""The anomaly rules find simulated anomalies, and leave harmless listeners alone: a small form of the benchmark."""

from dataclasses import replace
from datetime import datetime, timedelta

import pandas as pd
import pytest
from pyspark.sql import SparkSession

from benchmarks._simulated_marts import fill_marts
from benchmarks.anomalies import list_anomalous_users, make_event_frame, report_quality
from etl.database import connect
from etl.load.anomalies import find_nightly_anomalies, merge_stream_findings
from etl.transform.anomalies.user_hours import find_user_hour_anomalies
from simulator.listeners.simulation import Simulation
from tests.load.star_frames import select_rows
from tests.simulator.listeners.small_library import TRACKS, make_simulation

USERS, SEED = 1_500, 7
EVALUATED = timedelta(days=3)


@pytest.fixture
def simulation() -> Simulation:
    return make_simulation(USERS, 12, seed=SEED, anomalous_share=0.03, lookalike_share=0.05)


def _to_ms(timestamp: datetime) -> int:
    return round(timestamp.timestamp() * 1000)


def test_rules_find_most_anomalies_and_few_others(
    spark: SparkSession, warehouse_url: str, simulation: Simulation
) -> None:
    end = simulation.parameters.end
    recent = Simulation(replace(simulation.parameters, start=end - EVALUATED), simulation.library)
    findings = [row.asDict() for row in find_user_hour_anomalies(make_event_frame(spark, recent, TRACKS)).collect()]
    with connect(warehouse_url) as connection:
        fill_marts(connection, simulation, _to_ms(end - 2 * EVALUATED))
    with connect(warehouse_url) as connection:
        find_nightly_anomalies(connection, (end - EVALUATED).date(), end.date() - timedelta(days=1))
        merge_stream_findings(connection, findings)
    kinds = list_anomalous_users(recent)
    assert len(kinds) > 35 and kinds.nunique() == 7
    found = pd.DataFrame(select_rows(warehouse_url, "select user_id, rule, score, combined_score from mart.anomaly"))
    assert found["rule"].nunique() >= 7
    precision, recall = report_quality(found, kinds, USERS)
    assert precision >= 0.9 and recall >= 0.8
