"""One run: from the request to the results."""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa

from forecasting.anomalies import AnomalousDay, find_anomalous_days
from forecasting.conformal import apply_factors, list_buckets
from forecasting.errors import FailedGroupsError, WrongInputError, report_failure
from forecasting.files import (
    FORECASTS,
    SCORES,
    SERIES,
    Request,
    read_request,
    read_table,
    write_json,
    write_table,
)
from forecasting.model_set import load_models, save_models
from forecasting.models.average import forecast_all
from forecasting.models.candidates import list_published
from forecasting.models.naive import SeasonalNaive
from forecasting.network import fit_network, load_network
from forecasting.panels import OWN_LEVELS, FloatArray, GroupKey, Panel, build_panels
from forecasting.provenance import hash_code, hash_series, list_versions
from forecasting.settings import Settings, parse_settings
from forecasting.tables import make_anomalies, make_champions, make_forecasts, make_refusals
from forecasting.training import SeriesGroup, Training, train
from forecasting.validation import Refusals, find_lone_segments, find_refusals, find_repeated_series, validate_series


def run_request(folder: Path) -> None:
    """Read the request and the series of a folder, and write the results into it.

    run.json is the last file: where it is, the results are complete.
    """
    (folder / "run.json").unlink(missing_ok=True)
    seconds: dict[str, float] = {}
    with _measure(seconds, "read"):
        request = read_request(folder)
        settings = parse_settings(request.settings)
        series = read_table(folder / "series.arrow", SERIES)
        validate_series(series, request.as_of_date)
        groups = _select_series(series, request, settings)
    with _measure(seconds, "train"):
        training, is_training = _obtain_training(groups, request, settings)
    with _measure(seconds, "forecast"):
        series_count = sum(len(group.panel.segments) + len(group.refusals.reasons) for group in groups)
        forecasts = [_forecast_group(group, training, request) for group in groups]
        _check_failures(groups, training)
    with _measure(seconds, "anomalies"):
        anomalies = list(_find_anomalies(groups, settings))
    with _measure(seconds, "write"):
        write_table(folder / "forecasts.arrow", pa.concat_tables([FORECASTS.empty_table(), *forecasts]))
        write_table(folder / "scores.arrow", pa.concat_tables([SCORES.empty_table(), *training.scores]))
        write_table(folder / "champions.arrow", make_champions(training.champions if is_training else {}))
        write_table(folder / "anomalies.arrow", make_anomalies(anomalies))
        refusals = make_refusals((group.panel.key, group.refusals) for group in groups)
        write_table(folder / "refusals.arrow", refusals)
        model_files = save_models(folder / "models", training.models, request.horizons) if is_training else []
    write_json(
        folder / "run.json",
        {
            "data_hash": hash_series(series),
            "seed": request.seed,
            "versions": list_versions(),
            "code_version": hash_code(),
            "settings": vars(settings),
            "series_count": series_count - refusals.num_rows,
            "refused_count": refusals.num_rows,
            "is_training": is_training,
            "seconds": seconds,
            "processor_seconds": round(time.process_time(), 3),
            "model_files": model_files,
        },
    )


def _select_series(series: pa.Table, request: Request, settings: Settings) -> list[SeriesGroup]:
    """Return the groups with the series that can be forecast."""
    groups = []
    repeated = find_repeated_series(series)
    panels = build_panels(series, request.as_of_date)
    lone = find_lone_segments(panels)
    for panel in panels:
        refusals = find_refusals(panel, request.horizons[panel.key.grain], settings, repeated)
        is_valid = np.array([name not in refusals.reasons for name in panel.segments], dtype=bool)
        groups.append(SeriesGroup(panel.select(is_valid), refusals, lone))
        if refusals.reasons:
            sys.stdout.write(f"{panel.key.describe()}: not forecast: {refusals.describe()}.\n")
    return groups


def _obtain_training(groups: Sequence[SeriesGroup], request: Request, settings: Settings) -> tuple[Training, bool]:
    """Return the last training, or a new one if it is due or the last one's files are gone; and whether it is new."""
    if not request.is_training_due and request.models_folder:
        try:
            return Training(load_models(request.models_folder, request.horizons, load_network)), False
        except WrongInputError as error:
            sys.stdout.write(f"{error} The models are trained again.\n")
    previous = {
        GroupKey(row["metric"], row["grain"], row["level"]): row["model"] for row in request.champions if row["model"]
    }
    return train(groups, request.horizons, request.seed, previous, settings, fit_network), True


def _forecast_group(group: SeriesGroup, training: Training, request: Request) -> pa.Table:
    """Return the forecasts of a group; of one that fails, nothing."""
    key = group.panel.key
    name = training.models.names.get(key)
    if name is None or not group.panel.segments:
        return FORECASTS.empty_table()
    try:
        panel, quantiles = _forecast_quantiles(group, name, training, request.horizons[key.grain])
        naive = SeasonalNaive().forecast(panel, request.horizons[key.grain]).median
        return make_forecasts(panel, request.as_of_date, name, naive, quantiles)
    except Exception as error:
        training.record_failure(key, error)
        return FORECASTS.empty_table()


def _forecast_quantiles(group: SeriesGroup, name: str, training: Training, horizon: int) -> tuple[Panel, FloatArray]:
    """Return the quantiles of the series of which the model says numbers; the others are refused."""
    panel, key = group.panel, group.panel.key
    published = list_published(name, training.models.networks.get(key.grain))
    forecast = forecast_all(panel, published, horizon)[name]
    buckets = list_buckets(horizon, panel.steps_per_week)
    quantiles = apply_factors(forecast, training.models.factors[key], buckets)
    is_number = np.asarray(np.isfinite(quantiles).all(axis=(1, 2)))
    if not is_number.all():
        refusals = Refusals(dict.fromkeys(panel.select(~is_number).segments, "the model gives no number"))
        group.refusals.reasons.update(refusals.reasons)
        training.record_refusals(key, refusals, has_others=bool(is_number.any()))
        sys.stdout.write(f"{key.describe()}: not forecast: {refusals.describe()}.\n")
    return panel.select(is_number), quantiles[is_number]


def _find_anomalies(groups: Sequence[SeriesGroup], settings: Settings) -> Iterator[tuple[GroupKey, list[AnomalousDay]]]:
    for group in groups:
        key = group.panel.key
        if key.grain == "day" and key.level not in OWN_LEVELS:
            try:
                yield key, find_anomalous_days(group.panel, settings.anomaly_threshold)
            except Exception as error:
                report_failure(f"The search for anomalous days of {key.describe()}", error)


def _check_failures(groups: Sequence[SeriesGroup], training: Training) -> None:
    """Raise FailedGroupsError if all groups that have series failed."""
    keys = [group.panel.key for group in groups if group.panel.segments]
    if keys and set(keys) <= training.failures.keys():
        raise FailedGroupsError(
            f"All {len(keys)} groups of series failed; {keys[0].describe()}: {training.failures[keys[0]]}"
        )


@contextmanager
def _measure(seconds: dict[str, float], stage: str) -> Iterator[None]:
    """Record the seconds of a block."""
    start = time.perf_counter()
    yield
    seconds[stage] = round(time.perf_counter() - start, 3)
