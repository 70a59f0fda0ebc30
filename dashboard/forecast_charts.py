"""The chart of a forecast: actual values, the median and two bands."""

import altair as alt
import pandas as pd

from dashboard.figures import Layers, make_time_axis

_HEIGHT = 320
_BANDS = {"95 %": ("q025", "q975"), "80 %": ("q10", "q90")}
_COLORS = {
    "actual": "#3b6fb6",
    "median": "#12805c",
    "80 %": "#7fcf9f",
    "95 %": "#bfe3cd",
    "anomalous": "#b4436c",
}
_LEGEND_COLUMNS = alt.ExprRef("width < 450 ? 3 : 5")
_BAND_OPACITY = 0.75
_ACTUAL_TIP = alt.Tooltip("value:Q", title="actual", format=",.1~f")
_POINT = {"size": 22, "filled": True}


def make_forecast_chart(
    actuals: pd.DataFrame, forecast: pd.DataFrame, anomalous_days: pd.DataFrame | None, title: str
) -> Layers:
    """Return actual values, the median and two bands over time, with anomalous days marked.

    :param actuals: ``target_date`` and ``value``.
    :param forecast: ``target_date``, ``q025``, ``q10``, ``q50``, ``q90`` and ``q975``.
    :param anomalous_days: ``target_date``, ``value``, ``expected`` and ``reason``; None or empty if there are none.
    """
    names, layers = ["actual"], [_make_actual_layer(actuals, title)]
    if not forecast.empty:
        names += ["median", "80 %", "95 %"]
        layers = [*_make_forecast_layers(forecast, title), *layers]
    if anomalous_days is not None and not anomalous_days.empty:
        names.append("anomalous")
        layers.append(_make_anomaly_layer(anomalous_days, title))
    color = alt.Color(
        "what:N",
        title=None,
        scale=alt.Scale(domain=names, range=[_COLORS[name] for name in names]),
        legend=alt.Legend(orient="top", columns=_LEGEND_COLUMNS, symbolType="circle", symbolOpacity=1),
    )
    dates = pd.concat([pd.to_datetime(frame["target_date"]) for frame in (actuals, forecast) if not frame.empty])
    x = alt.X("target_date:T", title=None, axis=make_time_axis(dates, "%-d %b", 10))
    return alt.layer(*(layer.encode(x=x, color=color) for layer in layers)).properties(height=_HEIGHT)


def _make_forecast_layers(forecast: pd.DataFrame, title: str) -> list[alt.Chart]:
    tips = [
        alt.Tooltip("q50:Q", title="median", format=",.1~f"),
        *(
            alt.Tooltip(f"{quantile}:Q", title=f"{name}, {end}", format=",.1~f")
            for name, quantiles in _BANDS.items()
            for quantile, end in zip(quantiles, ("from", "to"), strict=True)
        ),
    ]
    median = _make_base(forecast, "median", tips).mark_line(strokeWidth=2, strokeDash=[5, 3], point=_POINT)
    return [
        *(
            _make_base(forecast, name).mark_area(opacity=_BAND_OPACITY).encode(y=_make_y(low, title), y2=high)
            for name, (low, high) in _BANDS.items()
        ),
        median.encode(y=_make_y("q50", title)),
    ]


def _make_actual_layer(actuals: pd.DataFrame, title: str) -> alt.Chart:
    layer: alt.Chart = (
        _make_base(_add_unknown_dates(actuals), "actual", [_ACTUAL_TIP])
        .mark_line(strokeWidth=2, point=_POINT)
        .encode(y=_make_y("value", title))
    )
    return layer


def _make_anomaly_layer(anomalous_days: pd.DataFrame, title: str) -> alt.Chart:
    tips = [_ACTUAL_TIP, alt.Tooltip("expected:Q", format=",.1~f"), alt.Tooltip("reason:N")]
    layer: alt.Chart = (
        _make_base(anomalous_days, "anomalous", tips)
        .mark_point(size=140, filled=False, strokeWidth=2.5)
        .encode(y=_make_y("value", title))
    )
    return layer


def _make_y(column: str, title: str) -> alt.Y:
    return alt.Y(f"{column}:Q", title=title, axis=alt.Axis(format=",.4~f"))


def _make_base(frame: pd.DataFrame, name: str, tips: list[alt.Tooltip] | None = None) -> alt.Chart:
    """Return a chart of rows with a date, of which ``name`` stands in the legend."""
    dated = frame.assign(target_date=pd.to_datetime(frame["target_date"]))
    date_tip = alt.Tooltip("target_date:T", title="date", format="%a %-d %b %Y")
    chart: alt.Chart = alt.Chart(dated).transform_calculate(what=f"'{name}'").encode(tooltip=[date_tip, *(tips or [])])
    return chart


def _add_unknown_dates(actuals: pd.DataFrame) -> pd.DataFrame:
    """Return the rows in the order of time, with empty ones between that break the line."""
    dates = pd.to_datetime(actuals["target_date"])
    values = actuals.assign(target_date=dates).set_index("target_date")[["value"]].sort_index()
    if len(values) < 2:
        return values.reset_index()
    return values.asfreq(values.index.diff().min()).rename_axis("target_date").reset_index()
