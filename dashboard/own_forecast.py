"""The parts of the pages Wrapped and Artist that show listeners and artists what to expect of their own."""

import pandas as pd
import streamlit as st

from dashboard.figures import show_chart
from dashboard.forecast_charts import make_forecast_chart
from dashboard.forecast_words import GRAINS, METRICS, Series, describe_expectation, describe_week, find_next_target
from dashboard.page import show_nothing_yet
from dashboard.warehouse_reader import Login, WarehouseReader

_LISTENER_VIEWS = ("mart.my_forecast", "mart.my_forecast_series")
_ARTIST_VIEW = "mart.my_artist_forecast"


def draw_own_forecast(login: Login, reader: WarehouseReader) -> None:
    """Draw the forecast of a listener's own days, where the login reads it."""
    if not login.can_read(*_LISTENER_VIEWS):
        return
    st.subheader("Your next days")
    forecast, actuals = reader.read_table("my_forecast"), reader.read_table("my_forecast_series")
    metrics = [metric for metric in METRICS if metric in set(forecast["metric"])]
    if not metrics:
        show_nothing_yet(
            "Your next days are not forecast.",
            "It takes weeks of regular listening, and a model that is better than repeating your last week.",
        )
        return
    metric = st.segmented_control(
        "What", metrics, default=metrics[0], format_func=lambda name: METRICS[name], required=True
    )
    series = Series(str(metric), "day", "total", "", "")
    forecast, actuals = (frame[frame["metric"] == metric] for frame in (forecast, actuals))
    _draw_sentence(series, forecast)
    show_chart(
        make_forecast_chart(actuals, forecast, None, METRICS[series.metric]),
        f"Your {METRICS[series.metric]} by day, and what to expect in the next weeks.",
    )
    st.caption(f"From your days through {forecast['as_of_date'].iloc[0]:%-d %B %Y}.")


def draw_artist_forecast(login: Login, reader: WarehouseReader, weeks: pd.DataFrame) -> None:
    """Draw the forecast of an artist's own listeners by week, where the login reads it.

    :param weeks: the published weeks of the artist, with ``week_start`` and ``listeners``.
    """
    if not login.can_read(_ARTIST_VIEW):
        return
    st.subheader("Listeners to expect")
    forecast = reader.read_table("my_artist_forecast")
    if forecast.empty:
        show_nothing_yet(
            "Your listeners are not forecast.",
            "It takes enough published weeks, and a model that is better than repeating the last week.",
        )
        return
    series = Series("active_users", "week", "published_artist", "", "")
    _draw_sentence(series, forecast)
    actuals = weeks.rename(columns={"week_start": "target_date", "listeners": "value"})
    show_chart(
        make_forecast_chart(actuals, forecast, None, "listeners"),
        "Your published listeners by week, and what to expect in the next weeks.",
    )
    last_week = describe_week(forecast["last_published_week"].iloc[0])
    st.caption(
        f"Continues your published numbers through {last_week}. The model, and how wide the intervals are, come from"
        " what is known of several artists and of all users together."
    )


def _draw_sentence(series: Series, forecast: pd.DataFrame) -> None:
    next_target = find_next_target(series.grain, forecast)
    if next_target is None:
        st.info(f"The {GRAINS[series.grain]} of the newest forecast are over.", icon=":material/history:")
    st.markdown(describe_expectation(series, forecast.iloc[next_target or 0]))
