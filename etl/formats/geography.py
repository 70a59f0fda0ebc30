"""Countries by their ISO 3166-1 codes, the continent and location of each, and timezones.

Country names come from the table of the timezone database (the package tzdata). No small maintained library has the
continents, so this module lists them: a country belongs to the continent of its capital.
"""

import re
from functools import cache
from importlib.resources import files
from zoneinfo import available_timezones

_COORDINATES = re.compile(r"([+-])(\d{2})(\d{2})(?:\d{2})?([+-])(\d{3})(\d{2})(?:\d{2})?")

_COUNTRIES_BY_CONTINENT = {
    "Africa": (
        "AO BF BI BJ BW CD CF CG CI CM CV DJ DZ EG EH ER ET GA GH GM GN GQ GW IO KE KM LR LS LY MA MG ML MR "
        "MU MW MZ NA NE NG RE RW SC SD SH SL SN SO SS ST SZ TD TF TG TN TZ UG YT ZA ZM ZW"
    ),
    "Antarctica": "AQ BV GS HM",
    "Asia": (
        "AE AF AM AZ BD BH BN BT CC CN CX CY GE HK ID IL IN IQ IR JO JP KG KH KP KR KW KZ LA LB LK MM MN MO "
        "MV MY NP OM PH PK PS QA SA SG SY TH TJ TL TM TR TW UZ VN YE"
    ),
    "Europe": (
        "AD AL AT AX BA BE BG BY CH CZ DE DK EE ES FI FO FR GB GG GI GR HR HU IE IM IS IT JE LI LT LU LV MC "
        "MD ME MK MT NL NO PL PT RO RS RU SE SI SJ SK SM UA VA"
    ),
    "North America": (
        "AG AI AW BB BL BM BQ BS BZ CA CR CU CW DM DO GD GL GP GT HN HT JM KN KY LC MF MQ MS MX NI PA PM PR "
        "SV SX TC TT US VC VG VI"
    ),
    "Oceania": "AS AU CK FJ FM GU KI MH MP NC NF NR NU NZ PF PG PN PW SB TK TO TV UM VU WF WS",
    "South America": "AR BO BR CL CO EC FK GF GY PE PY SR UY VE",
}

CONTINENTS: dict[str, str] = {
    country: continent for continent, countries in _COUNTRIES_BY_CONTINENT.items() for country in countries.split()
}
"""The continent of each country, by its ISO 3166-1 alpha-2 code."""


@cache
def get_country_names() -> dict[str, str]:
    """Return the usual English name of each country, by its code."""
    return {code: name for code, name, *_ in read_timezone_table("iso3166.tab")}


@cache
def read_country_locations() -> dict[str, tuple[tuple[float, float], ...]]:
    """Return latitude and longitude in degrees of the chief location of each timezone of each country, by its code.

    A country's first location is its chief one.
    """
    locations: dict[str, tuple[tuple[float, float], ...]] = {}
    for code, coordinates, *_ in read_timezone_table("zone.tab"):
        locations[code] = (*locations.get(code, ()), _parse_coordinates(coordinates))
    return locations


def _parse_coordinates(coordinates: str) -> tuple[float, float]:
    match = _COORDINATES.fullmatch(coordinates)
    if match is None:
        raise ValueError(f"{coordinates!r} is no location as zone.tab writes them.")
    latitude, longitude = int(match[2]) + int(match[3]) / 60, int(match[5]) + int(match[6]) / 60
    return (-latitude if match[1] == "-" else latitude), (-longitude if match[4] == "-" else longitude)


def read_timezone_table(name: str) -> list[list[str]]:
    """Return the lines of a table of the timezone database, each as a list of fields."""
    text = files("tzdata").joinpath("zoneinfo", name).read_text(encoding="utf-8")
    return [line.split("\t") for line in text.splitlines() if not line.startswith("#")]


@cache
def get_timezones() -> tuple[str, ...]:
    """Return the IANA timezone names with a region, and UTC.

    Names without a region ("EST", "Factory") are not supported everywhere, or are ambiguous.
    """
    return tuple(sorted({name for name in available_timezones() if "/" in name} | {"UTC"}))
