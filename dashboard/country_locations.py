"""Locations of countries in the timezone database: a name and the chief location of each of their timezones."""

from functools import cache

import pandas as pd

from etl.formats import geography
from etl.formats.geography import get_country_names


@cache
def read_country_locations() -> pd.DataFrame:
    """Return ``country``, its ``name``, ``lat`` and ``lon``; a country's first row is its chief location."""
    rows = [
        (code, get_country_names()[code], *location)
        for code, locations in geography.read_country_locations().items()
        for location in locations
    ]
    return pd.DataFrame(rows, columns=["country", "name", "lat", "lon"])


def get_country_name(code: str) -> str:
    """Return a country's name, or the code if ISO 3166-1 does not have it."""
    return get_country_names().get(code, code)
