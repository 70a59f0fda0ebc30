"""The year of a growing population's listeners: seasons by hemisphere, and public holidays by country.

Holidays are listed here, and not those of a package, because a seed has to give the same feed in every version.
Those of other calendars than the Gregorian one, such as Eid, Diwali and the lunar new year, are left out.
"""

from datetime import date, timedelta
from functools import cache

import numpy as np
import pandas as pd

from simulator.listeners.hashed_draws import Flags, Floats, Integers
from simulator.listeners.homes import HOMES

SEASON_AMPLITUDE = 0.15
"""How much more than usual is heard at the height of winter, and how much less in summer, beyond the tropics."""
HOLIDAY_FACTOR = 0.7

_HEIGHT_OF_WINTER = 15
"""Days after the begin of the year, in the north."""
_SOUTHERN = frozenset({"AQ", "AR", "AU", "BR", "CL", "NZ", "ZA"})
_TROPICAL = frozenset({"CO", "CR", "FJ", "ID", "KE", "NG", "PE", "PH"})
_EPOCH = date(1970, 1, 1)
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_HOLIDAYS = {
    "AE": "01-01 12-02 12-03",
    "AQ": "01-01 12-25",
    "AR": "01-01 easter-48 easter-47 03-24 04-02 easter-2 05-01 05-25 06-17 06-20 07-09 12-08 12-25",
    "AU": "01-01 01-26 easter-2 easter+1 04-25 12-25 12-26",
    "BR": "01-01 easter-2 04-21 05-01 09-07 10-12 11-02 11-15 11-20 12-25",
    "CA": "01-01 easter-2 05-18>mon 07-01 09-01>mon 10-08>mon 12-25",
    "CL": "01-01 easter-2 easter-1 05-01 05-21 07-16 08-15 09-18 09-19 11-01 12-08 12-25",
    "CO": "01-01 easter-3 easter-2 05-01 07-20 08-07 12-08 12-25",
    "CR": "01-01 easter-3 easter-2 04-11 05-01 07-25 08-15 09-15 12-25",
    "DE": "01-01 easter-2 easter+1 05-01 easter+39 easter+50 10-03 12-25 12-26",
    "EG": "01-07 01-25 04-25 05-01 07-23 10-06",
    "ES": "01-01 01-06 easter-2 05-01 08-15 10-12 11-01 12-06 12-08 12-25",
    "FJ": "01-01 easter-2 easter-1 easter+1 10-10 12-25 12-26",
    "FR": "01-01 easter+1 05-01 05-08 easter+39 easter+50 07-14 08-15 11-01 11-11 12-25",
    "GB": "01-01 easter-2 05-01>mon 05-25>mon 12-25 12-26",
    "GR": "01-01 01-06 03-25 05-01 08-15 10-28 12-25 12-26",
    "ID": "01-01 easter-2 05-01 easter+39 06-01 08-17 12-25",
    "IE": "01-01 02-01>mon 03-17 easter+1 05-01>mon 06-01>mon 08-01>mon 10-25>mon 12-25 12-26",
    "IN": "01-26 08-15 10-02",
    "IT": "01-01 01-06 easter+1 04-25 05-01 06-02 08-15 11-01 12-08 12-25 12-26",
    "JP": "01-01 01-08>mon 02-11 02-23 04-29 05-03 05-04 05-05 07-15>mon 08-11 09-15>mon 10-08>mon 11-03 11-23",
    "KE": "01-01 easter-2 easter+1 05-01 06-01 10-20 12-12 12-25 12-26",
    "KR": "01-01 03-01 05-05 06-06 08-15 10-03 10-09 12-25",
    "MA": "01-01 01-11 05-01 07-30 08-14 08-20 08-21 11-06 11-18",
    "MX": "01-01 02-01>mon 03-15>mon 05-01 09-16 11-15>mon 12-25",
    "NG": "01-01 easter-2 easter+1 05-01 06-12 10-01 12-25 12-26",
    "NL": "01-01 easter+1 04-27 easter+39 easter+50 12-25 12-26",
    "NO": "01-01 easter-3 easter-2 easter+1 05-01 05-17 easter+39 easter+50 12-25 12-26",
    "NP": "01-11 05-01 09-19",
    "NZ": "01-01 01-02 02-06 easter-2 easter+1 04-25 06-01>mon 10-22>mon 12-25 12-26",
    "PE": "01-01 easter-3 easter-2 05-01 06-29 07-28 07-29 08-30 10-08 11-01 12-08 12-25",
    "PH": "01-01 easter-3 easter-2 04-09 05-01 06-12 08-25>mon 11-01 11-30 12-08 12-25 12-30",
    "PL": "01-01 01-06 easter+1 05-01 05-03 easter+60 08-15 11-01 11-11 12-25 12-26",
    "SE": "01-01 01-06 easter-2 easter+1 05-01 easter+39 06-06 06-20>sat 12-25 12-26",
    "TR": "01-01 04-23 05-01 05-19 07-15 08-30 10-29",
    "TW": "01-01 02-28 04-04 10-10",
    "US": "01-01 01-15>mon 02-15>mon 05-25>mon 06-19 07-04 09-01>mon 10-08>mon 11-11 11-22>thu 12-25",
    "ZA": "01-01 03-21 easter-2 easter+1 04-27 05-01 06-16 08-09 09-24 12-16 12-25 12-26",
}
"""By country: a date of each year, the first such weekday on or after a date, or days from Easter Sunday."""


def compute_yearly_factors(homes: Integers, days: Integers) -> Floats:
    """Return how much is heard in the home of each listener (row) on each of some consecutive days (column).

    :param homes: the index in HOMES of each listener and day.
    :param days: days since 1970.
    """
    first_year, last_year = (int(days[end].astype("datetime64[D]").astype(object).year) for end in (0, -1))
    factors = np.concatenate([_compute_factors_of_year(year) for year in range(first_year, last_year + 1)], axis=1)
    columns = days - (date(first_year, 1, 1) - _EPOCH).days
    return np.asarray(factors[homes, columns[None, :]], np.float64)


@cache
def find_holidays(country: str, year: int) -> tuple[date, ...]:
    """Return the public holidays of a country in a year, in order."""
    return tuple(sorted(_find_holiday(rule, year) for rule in _HOLIDAYS[country].split()))


def _find_holiday(rule: str, year: int) -> date:
    if rule.startswith("easter"):
        easter = pd.offsets.Easter().rollforward(pd.Timestamp(year, 1, 1)).date()
        return date.fromordinal(easter.toordinal() + int(rule.removeprefix("easter")))
    month_and_day, _, weekday = rule.partition(">")
    earliest = date.fromisoformat(f"{year}-{month_and_day}")
    return earliest + timedelta(days=(_WEEKDAYS.index(weekday) - earliest.weekday()) % 7 if weekday else 0)


@cache
def _compute_factors_of_year(year: int) -> Floats:
    """Return the factors of each home (row) on each day of a year (column)."""
    first_day, end_day = ((date(number, 1, 1) - _EPOCH).days for number in (year, year + 1))
    signs = np.array([0 if home.country in _TROPICAL else -1 if home.country in _SOUTHERN else 1 for home in HOMES])
    season = np.cos(2 * np.pi * (np.arange(end_day - first_day) - _HEIGHT_OF_WINTER) / 365.25)
    is_holiday: Flags = np.zeros((len(HOMES), end_day - first_day), bool)
    for index, home in enumerate(HOMES):
        is_holiday[index, [(day - date(year, 1, 1)).days for day in find_holidays(home.country, year)]] = True
    seasons = 1 + SEASON_AMPLITUDE * signs[:, None] * season[None, :]
    return np.asarray(seasons * np.where(is_holiday, HOLIDAY_FACTOR, 1.0), np.float64)
