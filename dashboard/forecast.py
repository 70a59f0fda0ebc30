"""The page of forecasts: what to expect, how good earlier forecasts were, and days that were anomalous."""

import pandas as pd
import streamlit as st

from dashboard.figures import make_line_chart, show_chart
from dashboard.forecast_charts import make_forecast_chart
from dashboard.forecast_words import (
    GRAINS,
    LEVELS,
    MEASURED_DAYS,
    METRICS,
    MIN_TARGETS,
    Series,
    describe_age,
    describe_drift,
    describe_expectation,
    describe_last_forecast,
    describe_period,
    find_next_target,
)
from dashboard.page import Page, escape_markdown, format_number, show_nothing_yet, show_table
from dashboard.warehouse_reader import Login, WarehouseReader

_LEAST_DAYS = 112
"""Days without which nothing is forecast 28 days ahead: etl.jobs.forecasts decides, a test compares."""
_SHOWN_VALUES = {"day": 84, "week": 52}
_COMPARED = {"day": "28 days", "week": "4 weeks"}
_FORECAST_COLUMNS = {
    "target_date": "date",
    "q50": "median",
    "q10": "80 % from",
    "q90": "80 % to",
    "q025": "95 % from",
    "q975": "95 % to",
    "naive": "repeating the last week",
}
_MODEL_COLUMNS = {
    "model": "model",
    "mase": "MASE",
    "naive_mase": "of repeating the last week",
    "coverage_80": "within 80 %",
    "coverage_95": "within 95 %",
    "origins": "origins",
}


def _draw_page(login: Login, reader: WarehouseReader) -> None:
    st.title("Forecast")
    groups = reader.read_table("forecast_groups")
    groups = groups[groups["level"].isin(LEVELS)]
    history = reader.read_table("forecast_history").iloc[0]
    if groups.empty:
        show_nothing_yet(
            f"There is no forecast yet. The marts have {_describe_history(history)}.",
            f"The DAG forecast makes one every day after build_marts, from {_LEAST_DAYS} known days on; bin/forecast"
            " makes one now, or says what is missing.",
        )
        return
    group = _choose_group(groups)
    series = _choose_series(reader, group)
    forecast = pd.DataFrame() if series is None else _read_forecast(reader, series, group)
    if pd.isna(group["model"]) and forecast.empty:
        show_nothing_yet("Nothing is published here.", _escape_sentence(group["reason"]))
        st.caption(f"The marts have {_describe_history(history)}.")
    if series is None:
        return
    actuals = reader.read_table("forecast_actuals", **series.key, limit=_SHOWN_VALUES[series.grain])
    anomalous = reader.read_table("anomalous_days", **series.key)
    if not forecast.empty:
        _draw_sentence(series, forecast, history)
    elif pd.notna(group["model"]):
        show_nothing_yet("This series is not forecast.", _describe_refusal(reader, series))
    _draw_values(series, actuals, forecast, anomalous)
    if not forecast.empty:
        champion = _read_champion(reader, series, forecast.iloc[0], group)
        st.markdown(f"**The model.** {_escape_sentence(champion['reason'])}")
        _draw_table(forecast)
        _draw_past_forecast(reader, series, anomalous)
        _draw_accuracy(reader, series, champion, anomalous)


def _read_forecast(reader: WarehouseReader, series: Series, group: pd.Series) -> pd.DataFrame:
    """Return the newest forecast; none if a later training found no model to publish."""
    forecast = reader.read_table("forecast", **series.key)
    is_withdrawn = pd.isna(group["model"]) and not (forecast["made_at"] > group["made_at"]).any()
    return forecast.iloc[:0] if is_withdrawn else forecast


def _read_champion(reader: WarehouseReader, series: Series, newest: pd.Series, group: pd.Series) -> pd.Series:
    """Return the choice of the model that has made a forecast, which need not be that of the last training."""
    of_forecast = {name: newest[name] for name in ("model", "made_at", "run_id")}
    champions = reader.read_table("forecast_champion", **series.key, **of_forecast)
    return group if champions.empty else champions.iloc[0]


def _describe_history(history: pd.Series) -> str:
    if not history["days"]:
        return "no day of listening"
    days = f"{format_number(history['days'])} day{'s' if history['days'] > 1 else ''} of listening"
    return f"{days}, from {history['first_date']:%-d %B %Y} to {history['newest_date']:%-d %B %Y}"


def _choose_group(groups: pd.DataFrame) -> pd.Series:
    """Return the chosen row of ``groups``: each choice offers what the ones before it leave."""
    metric_column, grain_column, level_column = st.columns(3)
    with metric_column:
        metrics = [metric for metric in METRICS if metric in set(groups["metric"])]
        metric = st.selectbox("What", metrics, format_func=lambda name: METRICS[name])
    groups = groups[groups["metric"] == metric]
    with grain_column:
        grains = [grain for grain in GRAINS if grain in set(groups["grain"])]
        grain = st.selectbox("By", grains, format_func=lambda name: name)
    groups = groups[groups["grain"] == grain]
    with level_column:
        levels = [level for level in LEVELS if level in set(groups["level"])]
        level = st.selectbox("Of", levels, format_func=lambda name: LEVELS[name])
    return groups[groups["level"] == level].iloc[0]


def _choose_series(reader: WarehouseReader, group: pd.Series) -> Series | None:
    key = {"metric": group["metric"], "grain": group["grain"], "level": group["level"]}
    segments = reader.read_table("forecast_segments", **key)
    if segments.empty:
        return None
    names = dict(zip(segments["segment"], segments["name"], strict=True))
    segment = (
        "" if group["level"] == "total" else st.selectbox("Which", list(names), format_func=lambda key: names[key])
    )
    return Series(**key, segment=segment, name=names.get(segment, segment))


def _describe_refusal(reader: WarehouseReader, series: Series) -> str:
    refusals = reader.read_table("forecast_refusal", **series.key)
    if refusals.empty:
        return "The last run did not have this series."
    reason = str(refusals["reason"].iloc[0])
    return _escape_sentence(f"{reason[0].upper()}{reason[1:]}.")


def _escape_sentence(text: object) -> str:
    return escape_markdown(text).replace(" %", "\u00a0%")


def _draw_sentence(series: Series, forecast: pd.DataFrame, history: pd.Series) -> None:
    newest = forecast.iloc[0]
    st.caption(
        f"Made on {newest['made_at']:%-d %B %Y at %H:%M} UTC, from all days through"
        f" {newest['as_of_date']:%A %-d %B %Y}."
    )
    age = describe_age(newest["as_of_date"], history["newest_date"])
    if age:
        st.warning(age, icon=":material/history:")
    sentence_column, target_column = st.columns([3, 1], vertical_alignment="center")
    with target_column:
        target_dates = list(forecast["target_date"])
        label = "Week from" if series.grain == "week" else "Day"
        next_target = find_next_target(series.grain, forecast) or 0
        target_date = st.selectbox(label, target_dates, next_target, format_func=lambda day: f"{day:%a %-d %b %Y}")
    with sentence_column:
        target = forecast[forecast["target_date"] == target_date].iloc[0]
        st.markdown(f"#### {describe_expectation(series, target)}")


def _draw_values(series: Series, actuals: pd.DataFrame, forecast: pd.DataFrame, anomalous: pd.DataFrame) -> None:
    if actuals.empty:
        return
    shown = anomalous[anomalous["target_date"] >= actuals["target_date"].min()]
    show_chart(
        make_forecast_chart(actuals, forecast, shown, series.unit),
        f"Actual values, and the forecast with its 80 % and 95 % intervals: {series.unit} by {series.grain}.",
    )
    if not shown.empty:
        st.markdown("**Anomalous.**\n" + "\n".join(f"- {_escape_sentence(reason)}" for reason in shown["reason"]))


def _draw_table(forecast: pd.DataFrame) -> None:
    with st.expander("All figures"):
        show_table(
            forecast[list(_FORECAST_COLUMNS)].rename(columns=_FORECAST_COLUMNS),
            **{name: "%.1f" for column, name in _FORECAST_COLUMNS.items() if column != "target_date"},
        )


def _draw_past_forecast(reader: WarehouseReader, series: Series, anomalous: pd.DataFrame) -> None:
    st.subheader("Last month's forecast, and what came")
    past = reader.read_table("forecast_past", **series.key)
    if past.empty:
        show_nothing_yet(
            f"No forecast of this series is old enough: {_COMPARED[series.grain]} of it must have come.",
            "The first one is compared when they have.",
        )
        return
    as_of_date = past["as_of_date"].iloc[0]
    st.markdown(f"Forecast from what was known on {as_of_date:%-d %B %Y}. {describe_last_forecast(series, past)}")
    shown = anomalous[anomalous["target_date"].isin(set(past["target_date"]))]
    show_chart(
        make_forecast_chart(past, past, shown, series.unit),
        "Last month's forecast with its intervals, and the values that came.",
    )


def _draw_accuracy(reader: WarehouseReader, series: Series, champion: pd.Series, anomalous: pd.DataFrame) -> None:
    st.subheader("Accuracy")
    accuracy = reader.read_table("forecast_accuracy", **series.key, days=MEASURED_DAYS[series.grain])
    models = reader.read_table("forecast_models", **series.key, run_id=champion["run_id"])
    drift = describe_drift(series, accuracy, list(anomalous["target_date"]))
    if drift.is_drifting is None:
        st.info(drift.message, icon=":material/hourglass_empty:")
    elif drift.is_drifting:
        st.warning(drift.message, icon=":material/trending_down:")
    else:
        st.success(drift.message, icon=":material/check:")
    measurable = accuracy[accuracy["targets"] >= MIN_TARGETS[series.grain]]
    if not measurable.empty:
        _draw_measures(measurable, describe_period(series.grain))
    if not models.empty:
        with st.expander("The models in the backtest"):
            shown = models[list(_MODEL_COLUMNS)].rename(columns=_MODEL_COLUMNS)
            show_table(
                shown, **dict.fromkeys(shown.columns[1:3], "%.3f"), **dict.fromkeys(shown.columns[3:5], "percent")
            )


def _draw_measures(accuracy: pd.DataFrame, period: str) -> None:
    error_column, coverage_column = st.columns(2)
    with error_column:
        st.caption(f"Mean error (MASE) over {period}: less is better.")
        names = {"mase": "forecast", "naive_mase": "last week again", "backtest_mase": "backtest"}
        show_chart(
            make_line_chart(accuracy, "target_date", names, "MASE", "%-d %b"),
            f"The error of the forecasts over {period}, that of repeating the last week, and that of the backtest.",
        )
    with coverage_column:
        st.caption(f"Values within the intervals over {period}: 80 % and 95 % are right.")
        names = {"coverage_80": "80 % interval", "coverage_95": "95 % interval"}
        percent = accuracy[list(names)] * 100
        show_chart(
            make_line_chart(accuracy.assign(**percent), "target_date", names, "% of values", "%-d %b"),
            f"The percentage of the values within the 80 % and the 95 % interval over {period}.",
        )


PAGE = Page(
    "Forecast",
    ":material/trending_up:",
    "forecast",
    (("mart.forecast", "mart.forecast_series", "mart.forecast_champion", "mart.active_users"),),
    _draw_page,
)
