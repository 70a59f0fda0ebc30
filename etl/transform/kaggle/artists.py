"""The formats whose rows are about artists."""

from etl.transform.kaggle import lists, values
from etl.transform.kaggle.values import Field


def artists_1921_2020() -> dict[str, Field]:
    """A row an artist; genres are a Python list literal, followers are written as a decimal number."""
    return {
        "name": values.required_text("name"),
        "artist_id": values.spotify_id("id", is_required=True),
        "popularity": values.whole_number("popularity", 0, 100),
        "followers": values.count("followers"),
        "genres": lists.genres("genres", lists.literal("genres")),
    }


def made_up_artists() -> dict[str, Field]:
    """A row an artist; every field is filled."""
    return {
        "name": values.required_text("name"),
        "artist_id": values.spotify_id("artist_id", is_required=True),
        "popularity": values.whole_number("popularity", 0, 100),
        "followers": values.count("followers"),
        "genres": lists.genres("genres", lists.joined("genres")),
    }
