"""The steps of the forecasts: plan a run, run the program, load its results.

The program `forecasting` runs in an environment of its own, between the plan and the load.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from etl.database import connect, fetch_rows, record_nothing_new
from etl.database.run_records import Run, lock_for_run, record_failure, record_published, record_start
from etl.engines.forecast_program import ensure_environment, run_program
from etl.errors import CheckFailedError, EtlError
from etl.jobs.marts import JOB as MARTS_JOB
from etl.load import forecasts
from etl.settings import Settings
from etl.storage.forecast_files import ForecastFiles
from etl.storage.full_disk import report_full_disk

log = logging.getLogger(__name__)

JOB = "forecast"
HISTORY_DAYS = 84
"""Days of history, beside as many as are forecast, without which the program refuses all series."""

_RESULTS = {
    "forecast": "forecasts",
    "score": "scores",
    "champion": "champions",
    "anomaly": "anomalies",
    "refusal": "refusals",
}
_GROUP = ("metric", "grain", "level")
_RUN = "select started_at, reference_date from audit.run where run_id = :run_id"
_QUANTILES = ("q025", "q10", "q50", "q90", "q975")


@dataclass(frozen=True)
class ForecastOptions:
    """What an operator can choose: how far ahead, for which levels, with which seed, and whether to train now."""

    horizon_days: int = forecasts.Scope.horizon_days
    horizon_weeks: int = forecasts.Scope.horizon_weeks
    levels: tuple[str, ...] = forecasts.LEVELS
    seed: int = 7
    is_retraining: bool = False


@dataclass(frozen=True)
class ForecastPlan:
    """What a run is going to do, in words; without a ``folder`` there is nothing to do."""

    message: str
    folder: Path | None = None


def is_forecast_due(settings: Settings, now: datetime) -> bool:
    """Return whether a day has been completed since the last run; False if a run has started today, however it ended.

    On the day of the first build of marts no first forecast is due: a first start fetches no libraries of forecasts. It
    costs little, as it is called after each build of the marts.
    """
    with connect(settings.warehouse_url) as connection:
        if forecasts.has_started_since(connection, JOB, now.date()):
            return False
        closed_date = forecasts.find_last_closed_date(connection, now)
        last_date = forecasts.find_last_date(connection)
        if closed_date is None or last_date is not None:
            return closed_date is not None and last_date is not None and closed_date > last_date
        first_build = forecasts.find_first_start(connection, MARTS_JOB)
        if first_build is not None and first_build.astimezone(UTC).date() >= now.date():
            return False
        return forecasts.find_known_days(connection, now).count >= HISTORY_DAYS + ForecastOptions().horizon_days


@report_full_disk
def plan_forecast(
    run_id: str, options: ForecastOptions, known_at: datetime, is_requested: bool, settings: Settings
) -> ForecastPlan:
    """Write the series of a run and what is to be done with them, and make the program's environment if it is missing.

    :param known_at: the time of the run: days that were not over by then are left out.
    :param is_requested: forecast also if no day has been completed since the last run.
    :raises EtlError: as ``run_records.lock_for_run`` and ``forecast_program.ensure_environment`` do.
    """
    run = Run(run_id, JOB, datetime.now(UTC), known_at.astimezone(UTC).date(), ())
    files = ForecastFiles(settings.state_dir, settings.lake_url)
    # Under the lock, so that no series of a user who is being erased is written after the erasure.
    with lock_for_run(run, settings.warehouse_url) as connection:
        if not record_start(connection, run):
            return ForecastPlan(f"The run {run_id} is already published.")
        connection.commit()
        known_days = forecasts.find_known_days(connection, known_at)
        last_date = None if is_requested else forecasts.find_last_date(connection)
        refusal = _find_reason_against(known_days, HISTORY_DAYS + options.horizon_days, last_date)
        if refusal or known_days.last_date is None:
            record_nothing_new(connection, run_id, JOB, run.started_at)
            connection.commit()
            return ForecastPlan(refusal)
        series = forecasts.read_series(connection, options.levels, settings.forecast.series_limit)
        scope = forecasts.Scope(options.levels, options.horizon_days, options.horizon_weeks)
        training = forecasts.find_last_training(connection, scope)
        champions = forecasts.list_champions(connection, training)
        groups = set(zip(*(series[name].to_pylist() for name in _GROUP), strict=True))
        has_new_groups = bool(groups - {tuple(row[name] for name in _GROUP) for row in champions})
        has_models = training is not None and files.has_models(training.model_path)
        is_training, reason = _decide_training(
            training, known_days.last_date, has_models, has_new_groups, options, settings.forecast.training_days
        )
        request = {
            "as_of_date": known_days.last_date,
            "horizons": {"day": options.horizon_days, "week": options.horizon_weeks},
            "seed": options.seed,
            "is_training_due": is_training,
            "champions": champions,
            "models_folder": training.model_path if training and not is_training else None,
            "settings": {},
            "levels": list(options.levels),
        }
        folder = files.write_request(run_id, request, series)
    with close_failed_run(run_id, settings):
        ensure_environment(settings.state_dir)
    series_count = series.group_by(["metric", "grain", "level", "segment"]).aggregate([]).num_rows
    return ForecastPlan(
        f"{series_count:,} series of {known_days.count:,} known days until {known_days.last_date}; {reason}.", folder
    )


def run_forecast(folder: Path, settings: Settings) -> None:
    """Run the program on a planned run; Airflow does so itself, by its means for other interpreters.

    :raises EtlError: if the program fails, with its message.
    """
    run_program(folder, settings.state_dir)


@contextmanager
def close_failed_run(run_id: str, settings: Settings) -> Iterator[None]:
    """Record a failure outside the lock of the warehouse, also an interruption, and remove the run's folder.

    Not for steps that Airflow repeats from the folder.
    """
    started_at = datetime.now(UTC)
    try:
        yield
    except BaseException as error:
        ForecastFiles(settings.state_dir, settings.lake_url).drop_run(run_id)
        message = str(error) if isinstance(error, EtlError) else f"{type(error).__name__}: see the log of the run"
        with suppress(EtlError), connect(settings.warehouse_url) as connection:
            record_failure(connection, run_id, JOB, started_at, message)
        raise


@report_full_disk
def load_forecast(run_id: str, settings: Settings) -> dict[str, int]:
    """Publish the results of a run, all at once, and store the models of a training in the lake.

    :returns: the number of rows, by table; empty if the run was already published.
    :raises CheckFailedError: if the results are not what was requested; nothing is published.
    :raises EtlError: as ``run_records.lock_for_run`` does.
    """
    run = _read_run(run_id, settings)
    files = ForecastFiles(settings.state_dir, settings.lake_url)
    with lock_for_run(run, settings.warehouse_url) as connection:
        if not record_start(connection, run):
            log.info("The run %s is already published.", run_id)
            files.drop_run(run_id)  # a load that was killed after its commit left it
            return {}
        connection.commit()
        request, outcome = files.read_document(run_id, "request"), files.read_document(run_id, "run")
        tables = {name: files.read_results(run_id, file) for name, file in _RESULTS.items()}
        tables["series"] = files.read_results(run_id, "series")
        _check_results(tables, request)
        tables["forecast"] = _replace_nan(tables["forecast"], ("naive",))
        tables["score"] = _replace_nan(tables["score"], ("mase", "naive_mase", "wql", "coverage_80", "coverage_95"))
        model_path = files.store_models(run_id) if outcome["is_training"] else None
        metadata = {**outcome, "as_of_date": request["as_of_date"]}
        scope = forecasts.Scope(request["levels"], request["horizons"]["day"], request["horizons"]["week"])
        counts = forecasts.publish_forecasts(connection, run_id, metadata, model_path, scope, tables)
        record_published(connection, run)
        connection.commit()
    files.drop_run(run_id)
    for name, count in counts.items():
        log.info("Wrote %d rows of %s.", count, name)
    return counts


def _read_run(run_id: str, settings: Settings) -> Run:
    """Return a run as it was planned: it counts for the day on which it began, though it may end on the next."""
    with connect(settings.warehouse_url) as connection:
        rows = fetch_rows(connection, _RUN, run_id=run_id)
    now = datetime.now(UTC)
    started_at, reference_date = (rows[0]["started_at"], rows[0]["reference_date"]) if rows else (None, None)
    return Run(
        run_id,
        JOB,
        started_at if isinstance(started_at, datetime) else now,
        reference_date if isinstance(reference_date, date) else now.date(),
        (),
    )


def _find_reason_against(known_days: forecasts.KnownDays, least_days: int, last_date: date | None) -> str:
    """Return why nothing is forecast; empty if something is.

    :param last_date: of the last run, after which a day must have become known; None if that does not matter.
    """
    if known_days.count < least_days:
        return (
            f"Not enough history: {known_days.count} of {least_days} days are known. A day is known once it is over in"
            " the last timezone and later events have come."
        )
    if last_date is None or known_days.last_date is None or known_days.last_date > last_date:
        return ""
    return f"Nothing new: the forecasts know all days until {last_date}, and no later day is complete."


def _decide_training(
    training: forecasts.Training | None,
    as_of_date: date,
    has_models: bool,
    has_new_groups: bool,
    options: ForecastOptions,
    training_days: int,
) -> tuple[bool, str]:
    """Return whether a run trains, and why."""
    if options.is_retraining:
        return True, "training, as requested"
    if training is None:
        return True, "training for the first time with these levels and horizons"
    if not has_models:
        return True, "training, as the models were removed"
    if has_new_groups:
        return True, "training, as there are new groups of series"
    if (as_of_date - training.as_of_date).days >= training_days:
        return True, f"training, as the last one was as of {training.as_of_date}"
    return False, f"with the models of {training.as_of_date}"


def _check_results(tables: Mapping[str, pa.Table], request: Mapping[str, Any]) -> None:
    """Raise an error if the forecasts are not what was requested, or their quantiles are not in order."""
    forecast = tables["forecast"]
    unknown_keys = _list_keys(forecast) - _list_keys(tables["series"])
    if unknown_keys:
        raise CheckFailedError(f"The forecasts are about series that were not requested: {_name_series(unknown_keys)}.")
    if set(forecast["as_of_date"].to_pylist()) - {date.fromisoformat(request["as_of_date"])}:
        raise CheckFailedError(f"The forecasts are not as of {request['as_of_date']}, as requested.")
    for lower, upper in pairwise(_QUANTILES):
        is_ordered = pc.less_equal(forecast[lower], forecast[upper])  # NaN is not
        is_valid = pc.and_(is_ordered, pc.and_(pc.is_finite(forecast[lower]), pc.is_finite(forecast[upper])))
        wrong_keys = _list_keys(forecast.filter(pc.invert(pc.fill_null(is_valid, False))))
        if wrong_keys:
            raise CheckFailedError(
                f"The forecasts have a {lower} above {upper}, or one that is not a number, in"
                f" {_name_series(wrong_keys)}."
            )


def _list_keys(table: pa.Table) -> set[tuple[str, ...]]:
    return set(zip(*(table[name].to_pylist() for name in (*_GROUP, "segment")), strict=True))


def _name_series(keys: set[tuple[str, ...]]) -> str:
    """Return some series in words, such as "sessions by day, continent Europe"; messages stay, so they name no user."""
    names = [
        f"{metric} by {grain}, {level} {'' if level == 'listener' else segment}".rstrip()
        for metric, grain, level, segment in sorted(keys)
    ]
    return "; ".join(names[:3]) + (f" and {len(names) - 3} more series" if len(names) > 3 else "")


def _replace_nan(table: pa.Table, names: tuple[str, ...]) -> pa.Table:
    for name in names:
        index, column = table.schema.get_field_index(name), table[name]
        is_number = pc.is_finite(column)
        table = table.set_column(index, table.schema.field(name), pc.if_else(is_number, column, None))
    return table
