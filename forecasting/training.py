"""Training: the network, the backtest and the champions of all groups."""

import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa

from forecasting.backtest import list_origins, run_backtest
from forecasting.champion import Champion, choose_champion
from forecasting.errors import TooShortError, report_failure
from forecasting.model_set import ModelSet, needs_network
from forecasting.models.candidates import list_candidates
from forecasting.models.interface import Model, Trainer
from forecasting.network.staged import StagedNetwork
from forecasting.panels import OWN_LEVELS, GroupKey, Panel
from forecasting.settings import Settings
from forecasting.tables import make_scores
from forecasting.validation import Refusals


@dataclass(frozen=True)
class Training:
    """What a training finds.

    :param models: what is published.
    :param champions: by group, also of groups of which nothing is published.
    :param scores: tables of scores.arrow.
    :param failures: what stopped single groups, while others are published.
    """

    models: ModelSet = field(default_factory=ModelSet)
    champions: dict[GroupKey, Champion] = field(default_factory=dict)
    scores: list[pa.Table] = field(default_factory=list)
    failures: dict[GroupKey, str] = field(default_factory=dict)

    def record_failure(self, key: GroupKey, error: Exception, previous_model: str | None = None) -> None:
        """Publish nothing of a group that failed: its champion's reason names the error."""
        text = self.failures[key] = report_failure(key.describe(), error)
        self._withdraw(key, f"Nothing is published: an error stopped it ({text}).", previous_model)

    def record_refusals(self, key: GroupKey, refusals: Refusals, has_others: bool) -> None:
        """Add series that the model cannot forecast to the reason of a champion, if this training chose it."""
        champion = self.champions.get(key)
        if champion and has_others:
            self.champions[key] = replace(champion, reason=f"{champion.reason} Not forecast: {refusals.describe()}.")
        elif champion:
            self._withdraw(key, f"Nothing is published. {refusals.describe()}.")

    def _withdraw(self, key: GroupKey, reason: str, previous_model: str | None = None) -> None:
        champion = self.champions.get(key)
        self.models.names.pop(key, None)
        self.champions[key] = Champion(None, reason, champion.previous_model if champion else previous_model)


@dataclass(frozen=True)
class SeriesGroup:
    """The series of one group that can be forecast, and why others of the group cannot.

    :param lone_segments: (grain, level, segment) in which there is one user; no model is trained on their series.
    """

    panel: Panel
    refusals: Refusals
    lone_segments: Collection[tuple[str, ...]] = ()

    def select_trainable(self) -> Panel:
        """Return the series that a network may be trained on: those of no artist and no single user."""
        key = self.panel.key
        is_shared = [(key.grain, key.level, segment) not in self.lone_segments for segment in self.panel.segments]
        return self.panel.select(np.array(is_shared, dtype=bool) & (key.level not in OWN_LEVELS))


def train(
    groups: Sequence[SeriesGroup],
    horizons: Mapping[str, int],
    seed: int,
    previous_models: Mapping[GroupKey, str],
    settings: Settings,
    fit_network: Trainer | None,
) -> Training:
    """Return the champions of all groups, and the networks that they need, trained on all data.

    A backtest's networks are trained on what was known before the first origin of each block of origins, so its errors
    are those of a network that is weeks or months old; the published network knows all.
    """
    training = Training()
    for grain, horizon in horizons.items():
        grain_groups = [group for group in groups if group.panel.key.grain == grain]
        network = _train_before_origins(grain_groups, horizon, seed, settings, fit_network)
        for group in grain_groups:
            key = group.panel.key
            try:
                _judge_group(training, group, horizon, previous_models.get(key), network, settings)
            except Exception as error:
                training.record_failure(key, error, previous_models.get(key))
        names = [name for key, name in training.models.names.items() if key.grain == grain]
        if fit_network and any(needs_network(name) for name in names):
            training.models.networks[grain] = fit_network(_select_trainable(grain_groups), horizon, seed)
    return training


def _judge_group(
    training: Training,
    group: SeriesGroup,
    horizon: int,
    previous_model: str | None,
    network: Model | None,
    settings: Settings,
) -> None:
    key, remark = group.panel.key, group.refusals.describe()
    if not group.panel.segments:
        training.champions[key] = Champion(None, f"Nothing is published. {remark}.", previous_model)
        return
    panel = _sample_series(group.panel, settings.most_scored_series)
    backtest = run_backtest(panel, list_candidates(panel, network, settings), horizon, settings)
    remark = f"Not forecast: {remark}." if remark else ""
    champion = choose_champion(backtest, previous_model, settings, remark)
    training.champions[key] = champion
    training.scores.append(make_scores(backtest))
    if champion.model:
        training.models.names[key] = champion.model
        training.models.factors[key] = backtest.measure_factors(champion.model)
    sys.stdout.write(f"{key.describe()}: {champion.model or 'nothing'}\n")


def _train_before_origins(
    groups: Sequence[SeriesGroup], horizon: int, seed: int, settings: Settings, fit_network: Trainer | None
) -> Model | None:
    """Return networks that know nothing after the origins that they forecast from; None without enough history.

    The origins are split into blocks, and the network of each is trained on what was known before its first origin.
    """
    panels = [group.panel for group in groups]
    origins = {panel.dates[origin - 1] for panel in panels for origin in list_origins(panel, horizon, settings)}
    trainable = _select_trainable(groups)
    if fit_network is None or not origins or not trainable:
        return None
    stages = []
    for block in np.array_split(sorted(origins), min(settings.network_stages, len(origins))):
        known = [panel.cut(int(np.searchsorted(panel.dates, block[0], side="right"))) for panel in trainable]
        sys.stdout.write(f"Training the network on the {panels[0].key.grain}s until {block[0]}.\n")
        try:
            stages.append((block[0], fit_network([panel for panel in known if panel.values.size], horizon, seed)))
        except TooShortError:
            sys.stdout.write("There is too little history for it.\n")
    return StagedNetwork(stages) if stages else None


def _select_trainable(groups: Sequence[SeriesGroup]) -> list[Panel]:
    return [panel for panel in (group.select_trainable() for group in groups) if panel.values.size]


def _sample_series(panel: Panel, most: int) -> Panel:
    """Return a panel of at most so many series, evenly over their order."""
    count = len(panel.segments)
    if count <= most:
        return panel
    return panel.select(np.linspace(0, count - 1, most).astype(np.intp))
