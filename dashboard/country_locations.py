"""Locations of countries in the timezone database: a name and the chief location of each of their timezones."""

import re
from functools import cache

import pandas as pd

from etl.formats.geography import get_country_names, read_timezone_table

_COORDINATES = re.compile(r"([+-])(\d{2})(\d{2})(?:\d{2})?([+-])(\d{3})(\d{2})(?:\d{2})?")


@cache
def read_country_locations() -> pd.DataFrame:
    """Return ``country``, its ``name``, ``lat`` and ``lon``; a country's first row is its chief location."""
    rows = [
        (code, get_country_names()[code], *_parse_coordinates(coordinates))
        for code, coordinates, *_ in read_timezone_table("zone.tab")
    ]
    return pd.DataFrame(rows, columns=["country", "name", "lat", "lon"])


def get_country_name(code: str) -> str:
    """Return a country's name, or the code if ISO 3166-1 does not have it."""
    return get_country_names().get(code, code)


def _parse_coordinates(coordinates: str) -> tuple[float, float]:
    match = _COORDINATES.fullmatch(coordinates)
    if match is None:
        raise ValueError(f"{coordinates!r} is no place as zone.tab writes them.")
    lat, lon = int(match[2]) + int(match[3]) / 60, int(match[5]) + int(match[6]) / 60
    return (-lat if match[1] == "-" else lat), (-lon if match[4] == "-" else lon)
