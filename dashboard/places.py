"""Where countries are, as the timezone database has it: a name and the chief place of each of their timezones."""

import re
from functools import cache

import pandas as pd

from etl.places import country_names, zone_table

_PLACE = re.compile(r"([+-])(\d{2})(\d{2})(?:\d{2})?([+-])(\d{3})(\d{2})(?:\d{2})?")


@cache
def country_places() -> pd.DataFrame:
    """``country``, its ``name``, ``lat`` and ``lon``; a country's first row is its chief place."""
    rows = [(code, country_names()[code], *_degrees(place)) for code, place, *_ in zone_table("zone.tab")]
    return pd.DataFrame(rows, columns=["country", "name", "lat", "lon"])


def country_name(code: str) -> str:
    """What a country is called; the code where it is none of ISO 3166-1."""
    return country_names().get(code, code)


def _degrees(place: str) -> tuple[float, float]:
    found = _PLACE.fullmatch(place)
    if found is None:
        raise ValueError(f"{place!r} is no place as zone.tab writes them.")
    lat, lon = int(found[2]) + int(found[3]) / 60, int(found[5]) + int(found[6]) / 60
    return (-lat if found[1] == "-" else lat), (-lon if found[4] == "-" else lon)
