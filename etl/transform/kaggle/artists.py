"""The formats with one artist a row: the column of ``ARTIST_ROW`` that each field fills."""

from etl.transform.kaggle import fields, list_fields
from etl.transform.kaggle.fields import Field, FieldMappings


def map_artists_1921_2020() -> dict[str, Field]:
    """Map a format with one artist a row; genres are a Python list literal, followers a decimal number."""
    return {
        "name": fields.required_text("name"),
        "artist_id": fields.spotify_id("id", is_required=True),
        "popularity": fields.whole_number("popularity", 0, 100),
        "followers": fields.item_count("followers"),
        "genres": list_fields.genre_names("genres", list_fields.parse_list_literal("genres")),
    }


def map_synthetic_artists() -> dict[str, Field]:
    """Map the synthetic catalogue's artists: one a row, every field filled."""
    return {
        "name": fields.required_text("name"),
        "artist_id": fields.spotify_id("artist_id", is_required=True),
        "popularity": fields.whole_number("popularity", 0, 100),
        "followers": fields.item_count("followers"),
        "genres": list_fields.genre_names("genres", list_fields.split_text("genres")),
    }


FIELD_MAPPINGS: FieldMappings = {
    "artists_1921_2020": map_artists_1921_2020,
    "made_up_artists": map_synthetic_artists,
}
