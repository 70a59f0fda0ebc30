"""The files of a run: a request and series in, results out. A file appears complete or not at all."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from forecasting.errors import RemovedRunError, WrongInputError

_KEY = [("metric", pa.string()), ("grain", pa.string()), ("level", pa.string())]
_SERIES_KEY = [*_KEY, ("segment", pa.string())]
SERIES = pa.schema([*_SERIES_KEY, ("target_date", pa.date32()), ("value", pa.float64())])
FORECASTS = pa.schema(
    [
        *_SERIES_KEY,
        ("as_of_date", pa.date32()),
        ("target_date", pa.date32()),
        ("horizon", pa.int16()),
        ("model", pa.string()),
        *((name, pa.float64()) for name in ("naive", "q025", "q10", "q50", "q90", "q975")),
    ]
)
SCORES = pa.schema(
    [
        *_SERIES_KEY,
        ("model", pa.string()),
        ("origin_date", pa.date32()),
        *((name, pa.float64()) for name in ("mase", "naive_mase", "wql", "coverage_80", "coverage_95")),
    ]
)
CHAMPIONS = pa.schema(
    [
        *_KEY,
        ("model", pa.string()),
        ("previous_model", pa.string()),
        ("relative_to_naive", pa.float64()),
        ("origin_count", pa.int32()),
        ("better_origin_count", pa.int32()),
        *((name, pa.float64()) for name in ("mase", "coverage_80", "coverage_95")),
        ("reason", pa.string()),
    ]
)
CALIBRATION = pa.schema(
    [
        *_KEY,
        ("model", pa.string()),
        ("horizon", pa.int16()),
        ("bucket", pa.int16()),
        *((name, pa.float64()) for name in ("q025", "q10", "q50", "q90", "q975")),
    ]
)
"""Factors of the champions' intervals, by part of the horizon: a model file, for the runs until the next training."""
ANOMALIES = pa.schema(
    [
        *_SERIES_KEY,
        ("target_date", pa.date32()),
        *((name, pa.float64()) for name in ("value", "expected", "score")),
        ("reason", pa.string()),
    ]
)
REFUSALS = pa.schema([*_SERIES_KEY, ("reason", pa.string())])


@dataclass(frozen=True)
class Request:
    """What a run is asked to do.

    :param as_of_date: the last complete day; the series hold nothing later.
    :param horizons: steps to forecast by grain: days, weeks.
    :param champions: rows of champions.arrow of the last training.
    :param models_folder: of the last training, or None.
    """

    as_of_date: date
    horizons: Mapping[str, int]
    seed: int
    is_training_due: bool
    champions: Sequence[Mapping[str, Any]] = ()
    models_folder: Path | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


def read_request(folder: Path) -> Request:
    """Return the request of a run; raise WrongInputError if it is incomplete."""
    path = folder / "request.json"
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        models_folder = fields.get("models_folder")
        return Request(
            as_of_date=date.fromisoformat(fields["as_of_date"]),
            horizons={grain: int(fields["horizons"][grain]) for grain in ("day", "week")},
            seed=int(fields["seed"]),
            is_training_due=bool(fields["is_training_due"]),
            champions=fields.get("champions") or (),
            models_folder=Path(models_folder) if models_folder else None,
            settings=fields.get("settings") or {},
        )
    except FileNotFoundError as error:
        raise RemovedRunError(folder) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WrongInputError(f"{path} is not a valid request ({type(error).__name__}: {error}).") from error


def read_table(path: Path, schema: pa.Schema) -> pa.Table:
    """Return a table; raise WrongInputError if it is no Arrow file or lacks a column."""
    try:
        with pa.memory_map(str(path)) as source:
            table = pa.ipc.open_file(source).read_all()
        return table.select(schema.names).cast(schema)
    except (OSError, KeyError, pa.ArrowInvalid) as error:
        raise WrongInputError(f"{path} is not a valid table ({type(error).__name__}: {error}).") from error


def write_table(path: Path, table: pa.Table) -> None:
    """Write a table as an Arrow file; raise RemovedRunError if the folder is no longer there."""
    temporary = path.with_name(f".{path.name}")
    try:
        with pa.OSFile(str(temporary), "wb") as target, pa.ipc.new_file(target, table.schema) as writer:
            writer.write_table(table)
        temporary.replace(path)
    except FileNotFoundError as error:
        raise RemovedRunError(path.parent) from error


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON object."""
    temporary = path.with_name(f".{path.name}")
    temporary.write_text(json.dumps(content, indent=2, sort_keys=True, allow_nan=False) + "\n", encoding="utf-8")
    temporary.replace(path)
