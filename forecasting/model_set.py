"""The published models with their calibration, in memory and as files."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from forecasting.errors import WrongInputError
from forecasting.files import CALIBRATION, read_table, write_table
from forecasting.models.average import list_parts
from forecasting.models.interface import TrainedModel
from forecasting.panels import FloatArray, GroupKey
from forecasting.tables import QUANTILE_COLUMNS

_CALIBRATION_FILE = "calibration.arrow"


@dataclass(frozen=True)
class ModelSet:
    """The result of a training, which the runs until the next one use.

    :param names: of the published model, by group.
    :param factors: of its intervals, by group, shape (buckets, quantiles).
    :param networks: by grain, where a published model needs one.
    """

    names: dict[GroupKey, str] = field(default_factory=dict)
    factors: dict[GroupKey, FloatArray] = field(default_factory=dict)
    networks: dict[str, TrainedModel] = field(default_factory=dict)


def save_models(folder: Path, models: ModelSet, horizons: Mapping[str, int]) -> list[str]:
    """Write a model set into a folder; return the names of the files.

    :param horizons: steps that the models were trained and calibrated for, by grain.
    """
    folder.mkdir(exist_ok=True)  # without its parents: an erasure that removes the run's folder stays complete
    rows = [
        {
            **key._asdict(),
            **{"model": name, "horizon": horizons[key.grain], "bucket": bucket},
            **dict(zip(QUANTILE_COLUMNS, values, strict=True)),
        }
        for key, name in models.names.items()
        for bucket, values in enumerate(models.factors[key].tolist())
    ]
    for grain, network in models.networks.items():
        path = _get_network_path(folder, grain)
        temporary = path.with_name(f".{path.name}")
        network.save(temporary)
        temporary.replace(path)
    write_table(folder / _CALIBRATION_FILE, pa.Table.from_pylist(rows, schema=CALIBRATION))
    return [_CALIBRATION_FILE, *(_get_network_path(folder, grain).name for grain in models.networks)]


def load_models(folder: Path, horizons: Mapping[str, int], load_network: Callable[[Path], TrainedModel]) -> ModelSet:
    """Return the model set of a folder.

    :param horizons: steps to forecast, by grain.
    :raises WrongInputError: a file is missing or damaged, or the models were made for fewer steps.
    """
    table = read_table(folder / _CALIBRATION_FILE, CALIBRATION).sort_by("bucket")
    names: dict[GroupKey, str] = {}
    factors: dict[GroupKey, list[list[float]]] = {}
    for row in table.to_pylist():
        key = GroupKey(row["metric"], row["grain"], row["level"])
        if row["horizon"] < horizons[key.grain]:
            raise WrongInputError(
                f"The models in {folder} forecast {row['horizon']} {key.grain}s, not {horizons[key.grain]}."
            )
        names[key] = row["model"]
        factors.setdefault(key, []).append([row[name] for name in QUANTILE_COLUMNS])
    networks = {}
    for grain in sorted({key.grain for key, name in names.items() if needs_network(name)}):
        networks[grain] = load_network(_get_network_path(folder, grain))
    return ModelSet(names, {key: np.array(rows) for key, rows in factors.items()}, networks)


def needs_network(name: str) -> bool:
    """Return whether a published model is, or averages, the network."""
    return "network" in list_parts(name)


def _get_network_path(folder: Path, grain: str) -> Path:
    return folder / f"network_{grain}.npz"
