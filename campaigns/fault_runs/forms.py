"""How many faults of which kinds a campaign injects: its short form and its long form."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from etl.extract.spotify.http_session import HttpLimits
from simulator.jobs import mock_api
from simulator.mock_api.scenario import COMMON_FAULTS, FAULT_KINDS

BASE_SCENARIO = "popularity_drift = 0\n"
_FAULT_RATE_TEMPLATE = """
[faults]
rate = {rate}
seed = {seed}
last_night = {last_night}
seconds = {seconds}
kinds = {kinds}
"""
_PAUSES = {"playlist_items": 25, "saved_tracks": 900}
"""Seconds of an additional pause that the third call of an endpoint gets, on each simulated day."""
_PAUSE_TEMPLATE = """
[[fault]]
night = {night}
endpoint = "{endpoint}"
nth = 3
kind = "rate_limited"
seconds = {seconds}
"""


@dataclass(frozen=True)
class CampaignForm:
    """The number and the kinds of faults. ``every`` is the number of days published together,
    ``daily_calls_by_mode`` the maximum number of catalogue calls a day; ``rate`` is the fraction of calls with a
    fault, ``weights`` is the relative frequency of some kinds; a slow response takes ``slow_s``, and ``limits`` are
    the timeouts."""

    nights: int
    every: int
    account_count: int
    daily_calls_by_mode: Mapping[str, int]
    rate: float
    weights: Mapping[str, int]
    slow_s: float
    limits: HttpLimits


SHORT_FORM = CampaignForm(
    nights=20,
    every=10,
    account_count=mock_api.MOCK_ACCOUNT_COUNT,
    daily_calls_by_mode={"development": 100, "extended": 40},
    rate=0.3,
    weights={},
    slow_s=3,
    limits=HttpLimits(),
)
LONG_FORM = CampaignForm(
    nights=60,
    every=60,
    account_count=8,
    daily_calls_by_mode={"development": 60, "extended": 40},
    rate=0.5,
    # A slow response takes real time, so these are rarer.
    weights={**dict.fromkeys(COMMON_FAULTS, 20), "slow": 5, "expired_token": 5},
    slow_s=1.2,
    limits=replace(HttpLimits(), read_s=1),
)


def make_fault_scenario(form: CampaignForm, seed: int) -> str:
    """Return a scenario with the faults of the simulated days."""
    kinds = [kind for kind in FAULT_KINDS for _ in range(form.weights.get(kind, 1))]
    last_day = form.nights - 1
    by_rate = _FAULT_RATE_TEMPLATE.format(
        rate=form.rate, seed=seed, last_night=last_day, seconds=form.slow_s, kinds=kinds
    )
    pauses = [
        _PAUSE_TEMPLATE.format(night=day, endpoint=endpoint, seconds=seconds)
        for day in range(form.nights)
        for endpoint, seconds in _PAUSES.items()
    ]
    return "".join([*pauses, by_rate])
