"""Where countries are, as the timezone database has it: a name and the chief place of each of their timezones."""

import re
from functools import cache
from importlib.resources import files

import pandas as pd

_PLACE = re.compile(r"([+-])(\d{2})(\d{2})(?:\d{2})?([+-])(\d{3})(\d{2})(?:\d{2})?")


@cache
def country_names() -> dict[str, str]:
    """The name of each country by its ISO 3166-1 alpha-2 code."""
    return {code: name for code, name, *_ in _lines("iso3166.tab")}


@cache
def country_places() -> pd.DataFrame:
    """``country``, its ``name``, ``lat`` and ``lon``; a country's first row is its chief place."""
    rows = [(code, country_names()[code], *_degrees(place)) for code, place, *_ in _lines("zone.tab")]
    return pd.DataFrame(rows, columns=["country", "name", "lat", "lon"])


def country_name(code: str) -> str:
    """What a country is called; the code where it is none of ISO 3166-1."""
    return country_names().get(code, code)


def _lines(name: str) -> list[list[str]]:
    text = (files("tzdata") / "zoneinfo" / name).read_text(encoding="utf-8")
    return [line.split("\t") for line in text.splitlines() if not line.startswith("#")]


def _degrees(place: str) -> tuple[float, float]:
    found = _PLACE.fullmatch(place)
    if found is None:
        raise ValueError(f"{place!r} is no place as zone.tab writes them.")
    lat, lon = int(found[2]) + int(found[3]) / 60, int(found[5]) + int(found[6]) / 60
    return (-lat if found[1] == "-" else lat), (-lon if found[4] == "-" else lon)
