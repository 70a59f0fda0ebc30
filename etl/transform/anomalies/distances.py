"""The least possible distance between two countries, as a Spark column."""

import json
from functools import cache
from math import cos, radians, sin

from pyspark.sql import Column
from pyspark.sql import functions as F

from etl.formats.geography import read_country_locations

_EARTH_RADIUS_KM = 6371.0
_LOCATIONS_TYPE = "map<string, array<struct<x: double, y: double, z: double>>>"


def compute_distance_km(country: Column, other_country: Column) -> Column:
    """Return the distance between the nearest chief locations of the timezones of two countries, km.

    NULL if the timezone database does not know a country.
    """
    # The optimizer folds the constant once; an array of it by country would be rebuilt for every row.
    locations = F.from_json(F.lit(_format_locations()), _LOCATIONS_TYPE)
    points, other_points = F.try_element_at(locations, country), F.try_element_at(locations, other_country)
    nearest_cosine = F.aggregate(
        points,
        F.lit(-1.0),
        lambda nearest, point: F.greatest(
            nearest,
            F.aggregate(
                other_points,
                F.lit(-1.0),
                lambda largest, other_point: F.greatest(
                    largest,
                    point["x"] * other_point["x"] + point["y"] * other_point["y"] + point["z"] * other_point["z"],
                ),
            ),
        ),
    )
    return F.when(
        points.isNotNull() & other_points.isNotNull(), _EARTH_RADIUS_KM * F.acos(F.least(nearest_cosine, F.lit(1.0)))
    )


@cache
def _format_locations() -> str:
    """Return the locations of all countries as points on the unit sphere, as JSON."""
    return json.dumps(
        {
            country: [_to_unit_sphere(*location) for location in locations]
            for country, locations in read_country_locations().items()
        }
    )


def _to_unit_sphere(latitude: float, longitude: float) -> dict[str, float]:
    phi, theta = radians(latitude), radians(longitude)
    return {"x": cos(phi) * cos(theta), "y": cos(phi) * sin(theta), "z": sin(phi)}
