"""The page of forecasts and the parts of other pages shows what the tables have."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from selenium.webdriver import Chrome
from streamlit.testing.v1 import AppTest

from dashboard.warehouse_reader import WarehouseReader, open_reader, sign_in
from etl.database import connect
from tests.dashboard import forecast_rows
from tests.dashboard.dashboard_server import DashboardServer, sign_in_as
from tests.dashboard.test_pages import go_to, query

_ASIA = {"metric": "sessions", "grain": "day", "level": "continent", "segment": "Asia"}
_NEWEST = """
    select target_date, q10, q50, q90 from mart.forecast
    where metric = :metric and grain = :grain and level = :level and segment = :segment
        and as_of_date = (select max(as_of_date) from mart.forecast) and horizon = :horizon
"""


def open_page(dashboard: DashboardServer, module: str = "forecast", kind: str = "analyst") -> AppTest:
    """Return a page as a login sees it."""
    arguments = (dashboard.url, dashboard.names[kind], dashboard.passwords[kind], module)
    app = AppTest.from_function(_draw, args=arguments).run(timeout=60)
    assert not app.exception and not app.error
    return app


def _draw(url: str, name: str, password: str, module: str) -> None:
    from importlib import import_module

    from dashboard.warehouse_reader import sign_in

    import_module(f"dashboard.{module}").PAGE.make_drawer(sign_in(url, name, password))()


def choose(app: AppTest, label: str, value: object) -> None:
    next(box for box in app.selectbox if box.label == label).set_value(value)
    app.run(timeout=60)
    assert not app.exception and not app.error


def read_texts(app: AppTest) -> str:
    elements = [*app.markdown, *app.caption, *app.info, *app.warning, *app.success]
    return "\n".join(element.value for element in elements).replace("\u00a0", " ").replace("\\", "")


def read_expected(dashboard: DashboardServer, horizon: int, **key: str) -> dict[str, str]:
    """Return the quantiles of the newest forecast as the page writes them."""
    series = {"metric": "sessions", "grain": "day", "level": "total", "segment": "", **key}
    row = query(dashboard, _NEWEST, **series, horizon=horizon)[0]
    return {name: f"{row[name]:,.0f}" for name in ("q10", "q50", "q90")}


def test_the_page_says_what_to_expect_on_the_chosen_day(dashboard: DashboardServer) -> None:
    app = open_page(dashboard)
    texts = read_texts(app)
    row = read_expected(dashboard, 1)
    interval = f"80 % between **{row['q10']}** and **{row['q90']}**."
    assert f"Expect **{row['q50']} sessions** on Thursday 5 February 2026, {interval}" in texts
    assert "Made on 5 February 2026 at 14:05 UTC, from all days through Wednesday 4 February 2026." in texts
    assert forecast_rows.REASON in texts and forecast_rows.ANOMALY in texts and "No drift" in texts
    choose(app, "Day", date(2026, 2, 13))
    row = read_expected(dashboard, 9)
    assert f"Expect **{row['q50']} sessions** on Friday 13 February 2026" in read_texts(app)


def test_each_choice_leads_to_its_series(dashboard: DashboardServer) -> None:
    app = open_page(dashboard)
    choose(app, "Of", "continent")
    choose(app, "Which", "Asia")
    row = read_expected(dashboard, 1, level="continent", segment="Asia")
    texts = read_texts(app)
    assert f"Expect **{row['q50']} sessions** in Asia on Thursday" in texts
    assert "The forecasts drift:" in texts and "anomalous" not in texts
    choose(app, "Of", "artist")
    assert "sessions** with [Night](https" in read_texts(app).replace("\u2060", "")
    choose(app, "Of", "listener")
    assert "sessions** of u1 on Thursday" in read_texts(app)
    choose(app, "By", "week")
    assert f"{read_expected(dashboard, 1, grain='week')['q50']} sessions** in the week from Monday" in read_texts(app)
    assert [box.label for box in app.selectbox][-1] == "Week from"


def test_what_is_not_published_is_said_with_the_reason(dashboard: DashboardServer) -> None:
    app = open_page(dashboard)
    choose(app, "What", "active_users")
    choose(app, "By", "week")
    texts = read_texts(app)
    assert forecast_rows.REFUSAL in texts and "days of listening" in texts and "Expect" not in texts


_RETRAINED = """
    insert into mart.forecast_champion (metric, grain, level, made_at, mase, origin_count, better_origin_count, model,
        reason, run_id)
    values ('sessions', 'day', 'total', '2026-02-05 18:00Z', 0.7, 12, 12, 'theta', 'Chosen by the new training.',
        'new');
    insert into mart.forecast (metric, grain, level, segment, as_of_date, target_date, horizon, model, naive, q025, q10,
        q50, q90, q975, run_id, made_at)
    select metric, grain, level, segment, as_of_date, target_date, horizon, 'theta', naive, q025, q10, 5555, 6000, 7000,
        'new', '2026-02-05 18:00Z'
    from mart.forecast
    where metric = 'sessions' and grain = 'day' and level = 'total' and as_of_date = '2026-02-04';
"""
_NEXT_DAY = """
    insert into mart.forecast (metric, grain, level, segment, as_of_date, target_date, horizon, model, naive, q025, q10,
        q50, q90, q975, run_id, made_at)
    select metric, grain, level, segment, as_of_date + 1, target_date + 1, horizon, model, naive, q025, q10, 4444, 6000,
        7000, 'next', made_at + interval '1 day'
    from mart.forecast
    where metric = 'sessions' and grain = 'day' and level = 'total' and run_id = 'forecast-2026-02-04';
"""
_NOT_RETRAINED = """
    delete from mart.forecast where run_id in ('new', 'next');
    delete from mart.forecast_champion where run_id = 'new';
"""


def test_the_model_is_that_of_the_forecast(dashboard: DashboardServer) -> None:
    try:
        with connect(dashboard.url) as connection:
            connection.exec_driver_sql(_RETRAINED)
        texts = read_texts(open_page(dashboard))
        assert "Expect **5,555 sessions**" in texts and "at 18:00 UTC" in texts
        assert "Chosen by the new training." in texts and forecast_rows.REASON not in texts
        with connect(dashboard.url) as connection:
            connection.exec_driver_sql(_NEXT_DAY)  # with the models of the former training, of more levels
        texts = read_texts(open_page(dashboard))
        assert "Expect **4,444 sessions**" in texts
        assert forecast_rows.REASON in texts and "Chosen by the new training." not in texts
        with connect(dashboard.url) as connection:
            connection.exec_driver_sql("update mart.forecast_champion set model = null where run_id = 'new'")
        assert "Expect **4,444 sessions**" in read_texts(open_page(dashboard))
        with connect(dashboard.url) as connection:
            connection.exec_driver_sql("delete from mart.forecast where run_id = 'next'")
        texts = read_texts(open_page(dashboard))
        assert "Chosen by the new training." in texts and "Expect" not in texts
    finally:
        with connect(dashboard.url) as connection:
            connection.exec_driver_sql(_NOT_RETRAINED)


def test_a_series_that_is_not_forecast_is_shown_with_the_reason(dashboard: DashboardServer) -> None:
    add = """
        insert into mart.forecast_series (metric, grain, level, segment, target_date, value)
        select metric, grain, level, 'Oceania', target_date, 1 from mart.forecast_series
        where metric = 'sessions' and grain = 'day' and level = 'continent' and segment = 'Asia';
        insert into mart.forecast_refusal (as_of_date, metric, grain, level, segment, reason)
        values ('2026-02-04', 'sessions', 'day', 'continent', 'Oceania', 'the history is too short (39 days of 112)')
    """
    remove = "delete from mart.forecast_refusal; delete from mart.forecast_series where segment = 'Oceania'"
    with connect(dashboard.url) as connection:
        connection.exec_driver_sql(add)
    try:
        app = open_page(dashboard)
        choose(app, "Of", "continent")
        choose(app, "Which", "Oceania")
        texts = read_texts(app)
        assert "**This series is not forecast.** The history is too short (39 days of 112)." in texts
        assert "Expect" not in texts
        choose(app, "Which", "Asia")
        assert "not forecast" not in read_texts(app)
    finally:
        with connect(dashboard.url) as connection:
            connection.exec_driver_sql(remove)


def test_last_months_forecast_is_compared_with_what_came(dashboard: DashboardServer) -> None:
    as_of_date = forecast_rows.AS_OF_DATE - timedelta(days=28)
    rows = pd.DataFrame(
        query(
            dashboard,
            """
            select f.*, s.value from mart.forecast as f
            inner join mart.forecast_series as s using (metric, grain, level, segment, target_date)
            where metric = 'sessions' and grain = 'day' and level = 'total' and as_of_date = :day
            """,
            day=as_of_date,
        )
    )
    inside = [
        int(rows["value"].between(rows[low], rows[high]).sum()) for low, high in (("q10", "q90"), ("q025", "q975"))
    ]
    errors = [(rows["value"] - rows[name]).abs().mean() for name in ("q50", "naive")]
    texts = read_texts(open_page(dashboard))
    assert (
        f"Forecast from what was known on {as_of_date:%-d %B %Y}. Of 28 days, {inside[0]} came within the 80 %" in texts
    )
    assert f"and {inside[1]} within the 95 % interval" in texts
    assert f"missed by {errors[0]:,.0f} sessions a day on average" in texts and f"by {errors[1]:,.0f}." in texts


def test_accuracy_is_what_the_definition_gives(dashboard: DashboardServer) -> None:
    login = sign_in(dashboard.url, dashboard.names["analyst"], dashboard.passwords["analyst"])
    with open_reader(login) as reader:
        computed = reader.read_table("forecast_accuracy", **_ASIA, days=28).set_index("target_date")
        expected = _compute_accuracy(reader)
    assert len(computed) == forecast_rows.RUNS - 1
    pd.testing.assert_frame_equal(computed[list(expected.columns)], expected.loc[computed.index], check_dtype=False)


def test_a_later_training_promises_nothing_of_earlier_forecasts(dashboard: DashboardServer) -> None:
    login = sign_in(dashboard.url, dashboard.names["analyst"], dashboard.passwords["analyst"])
    with open_reader(login) as reader:
        before = reader.read_table("forecast_accuracy", **_ASIA, days=28)
    later_training = """
        insert into mart.forecast_champion (metric, grain, level, made_at, mase, origin_count, better_origin_count,
            model, reason, run_id)
        select metric, grain, level, '2026-02-06 02:00Z', 0.1, 12, 12, model, 'Chosen again.', 'later'
        from mart.forecast_champion
        where metric = 'sessions' and grain = 'day' and level = 'continent'
    """
    with connect(dashboard.url) as connection:
        connection.exec_driver_sql(later_training)
    try:
        with open_reader(login) as reader:
            after = reader.read_table("forecast_accuracy", **_ASIA, days=28)
    finally:
        with connect(dashboard.url) as connection:
            connection.exec_driver_sql("delete from mart.forecast_champion where run_id = 'later'")
    pd.testing.assert_frame_equal(before, after)
    newest = after.iloc[-1]
    assert newest["backtest_mase"] > 0.5 and newest["backtest_naive_mase"] > 0.5


def _compute_accuracy(reader: WarehouseReader) -> pd.DataFrame:
    """Return the measures of Asia's sessions by target date, computed with numpy from the rows of the tables."""
    values = reader.read_table("forecast_actuals", **_ASIA, limit=10_000).set_index("target_date")["value"].sort_index()
    statement = "select * from mart.forecast where grain = 'day' and level = 'continent' and segment = 'Asia'"
    rows = pd.read_sql(statement, reader._connection)
    rows = rows[rows["target_date"] <= values.index.max()]
    actual = rows["target_date"].map(values)
    scale = {
        day: np.mean([abs(values[d] - values[d - timedelta(days=7)]) for d in values.index[7:] if d <= day])
        for day in rows["as_of_date"].unique()
    }
    scales = rows["as_of_date"].map(scale)
    measured = pd.DataFrame(
        {
            "target_date": rows["target_date"],
            "mase": (actual - rows["q50"]).abs() / scales,
            "naive_mase": (actual - rows["naive"]).abs() / scales,
            "coverage_80": actual.between(rows["q10"], rows["q90"]).astype(float),
            "coverage_95": actual.between(rows["q025"], rows["q975"]).astype(float),
        }
    )
    return measured.groupby("target_date").mean().rolling(28, min_periods=1).mean()


def test_the_newest_run_of_a_day_counts(dashboard: DashboardServer) -> None:
    copy = """
        insert into mart.forecast (metric, grain, level, segment, as_of_date, target_date, horizon, model, q025, q10,
            q50, q90, q975, run_id, made_at)
        select metric, grain, level, segment, as_of_date, target_date, horizon, model, q025, q10, 7777, 8888, 9999,
            'a-later-run', made_at + interval '1 hour'
        from mart.forecast
        where metric = 'sessions' and grain = 'day' and level = 'total'
            and as_of_date = (select max(as_of_date) from mart.forecast)
    """
    with connect(dashboard.url) as connection:
        connection.exec_driver_sql(copy)
    try:
        texts = read_texts(open_page(dashboard))
        assert "Expect **7,777 sessions**" in texts and "and **8,888**." in texts
    finally:
        with connect(dashboard.url) as connection:
            connection.exec_driver_sql("delete from mart.forecast where run_id = 'a-later-run'")


@pytest.mark.parametrize(
    ("kind", "module", "metric", "grain", "level", "segment", "words", "last_value"),
    [
        (
            *("listener", "wrapped", "sessions", "day", "listener", "u1"),
            "sessions** on Thursday 5 February",
            "From your days through 4 February 2026.",
        ),
        (
            *("artist", "artist", "active_users", "week", "published_artist", "1"),
            "listeners** in the week from Monday",
            "Continues your published numbers through the week from Monday 26 January 2026.",
        ),
    ],
)
def test_listeners_and_artists_see_their_own(
    dashboard: DashboardServer,
    kind: str,
    module: str,
    metric: str,
    grain: str,
    level: str,
    segment: str,
    words: str,
    last_value: str,
) -> None:
    key = {"metric": metric, "grain": grain, "level": level, "segment": segment}
    row = query(dashboard, _NEWEST, **key, horizon=1)[0]
    texts = read_texts(open_page(dashboard, module, kind))
    median = f"{row['q50']:,.1f}" if float(str(row["q50"])) < 10 else f"{row['q50']:,.0f}"
    assert f"Expect **{median} {words}" in texts
    assert f"The {grain}s of the newest forecast are over." in texts
    assert last_value in texts


def test_who_is_not_forecast_is_told_so(dashboard: DashboardServer) -> None:
    hide = "update mart.forecast set segment = '{}' where segment = '{}' and level in ('listener', 'published_artist')"
    with connect(dashboard.url) as connection:
        for name in ("u1", "1"):
            connection.exec_driver_sql(hide.format(f"hidden {name}", name))
    try:
        assert "Your next days are not forecast." in read_texts(open_page(dashboard, "wrapped", "listener"))
        assert "Your listeners are not forecast." in read_texts(open_page(dashboard, "artist", "artist"))
    finally:
        with connect(dashboard.url) as connection:
            for name in ("u1", "1"):
                connection.exec_driver_sql(hide.format(name, f"hidden {name}"))


def test_only_the_newest_run_says_what_is_next(dashboard: DashboardServer) -> None:
    later_run = """
        insert into audit.run (run_id, job, started_at, finished_at, result)
        values ('later', 'forecast', now(), now(), 'published');
        insert into audit.forecast_run
        select (jsonb_populate_record(r, '{"run_id": "later", "as_of_date": "2026-02-05", "levels": ["total"]}')).*
        from audit.forecast_run as r
        order by r.as_of_date desc
        limit 1
    """
    try:
        with connect(dashboard.url) as connection:
            connection.exec_driver_sql(later_run)
        assert "Expect **" in read_texts(open_page(dashboard, "wrapped", "listener")), "it forecast the total alone"
        with connect(dashboard.url) as connection:
            levels = "'{listener,published_artist}'"
            connection.exec_driver_sql(f"update audit.forecast_run set levels = {levels} where run_id = 'later'")
        assert "Your next days are not forecast." in read_texts(open_page(dashboard, "wrapped", "listener"))
        assert "Your listeners are not forecast." in read_texts(open_page(dashboard, "artist", "artist"))
    finally:
        with connect(dashboard.url) as connection:
            connection.exec_driver_sql("delete from audit.forecast_run where run_id = 'later'")
            connection.exec_driver_sql("delete from audit.run where run_id = 'later'")


def test_the_browser_draws_the_page(browser: Chrome, dashboard: DashboardServer) -> None:
    sign_in_as(browser, dashboard, "operator")
    page_text = go_to(browser, "Forecast")
    assert f"Expect {read_expected(dashboard, 1)['q50']} sessions on Thursday" in page_text
    assert all(word in page_text for word in ("median", "anomalous", "backtest", "95 % interval"))
