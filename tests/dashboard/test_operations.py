"""The page Operations shows what the tables have."""

import pandas as pd
from streamlit.testing.v1 import AppTest

from etl.database import connect
from tests.dashboard.dashboard_server import DashboardServer
from tests.dashboard.test_forecast import read_texts

_ADD = """
insert into audit.refresh_state (kind, id, asked_at, is_found)
select 'reccobeats', 't' || n, '2026-02-07 03:00Z', n <= 6 from generate_series(1, 8) as n;
update warehouse.dim_track set audio_features_source = 'reccobeats' where track_key between 1 and 3;
"""
_REMOVE = """
delete from audit.refresh_state where kind = 'reccobeats';
update warehouse.dim_track set audio_features_source = null where audio_features_source = 'reccobeats';
"""


def open_operations(dashboard: DashboardServer) -> AppTest:
    """Return the page as an operator sees it; its one error message is that of the failed run."""
    arguments = (dashboard.url, dashboard.names["operator"], dashboard.passwords["operator"])
    app = AppTest.from_function(_draw, args=arguments).run(timeout=60)
    assert not app.exception
    assert [error.value.split(":")[0] for error in app.error] == ["The newest run failed"]
    return app


def _draw(url: str, name: str, password: str) -> None:
    from dashboard.operations import PAGE
    from dashboard.warehouse_reader import sign_in

    PAGE.make_drawer(sign_in(url, name, password))()


def test_match_rates_of_providers_are_shown(dashboard: DashboardServer) -> None:
    assert "No track has audio features yet." in read_texts(open_operations(dashboard))
    with connect(dashboard.url) as connection:
        connection.exec_driver_sql(_ADD)
    try:
        app = open_operations(dashboard)
        tables: list[pd.DataFrame] = [element.value for element in app.dataframe]
        (providers,) = [table for table in tables if "match rate" in table]
        (row,) = providers.to_dict("records")
        assert (row["provider"], row["requested"], row["found"], row["used"]) == ("reccobeats", 8, 6, 3)
        assert row["match rate"] == 0.75 and 0 < row["fraction of tracks"] < 1
    finally:
        with connect(dashboard.url) as connection:
            connection.exec_driver_sql(_REMOVE)
