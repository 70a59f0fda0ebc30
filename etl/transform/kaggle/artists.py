"""The formats whose rows are about artists."""

from etl.transform.kaggle import fields, list_fields
from etl.transform.kaggle.fields import Field


def map_artists_1921_2020() -> dict[str, Field]:
    """A row an artist; genres are a Python list literal, followers are written as a decimal number."""
    return {
        "name": fields.required_text("name"),
        "artist_id": fields.spotify_id("id", is_required=True),
        "popularity": fields.whole_number("popularity", 0, 100),
        "followers": fields.item_count("followers"),
        "genres": list_fields.genre_names("genres", list_fields.parse_list_literal("genres")),
    }


def map_synthetic_artists() -> dict[str, Field]:
    """A row an artist; every field is filled."""
    return {
        "name": fields.required_text("name"),
        "artist_id": fields.spotify_id("artist_id", is_required=True),
        "popularity": fields.whole_number("popularity", 0, 100),
        "followers": fields.item_count("followers"),
        "genres": list_fields.genre_names("genres", list_fields.split_text("genres")),
    }
