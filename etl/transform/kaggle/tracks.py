"""The formats with one track a row: the column of ``TRACK_ROW`` that each field fills."""

from etl.formats.contracts import AUDIO_FEATURES
from etl.transform.kaggle import fields, list_fields
from etl.transform.kaggle.fields import Field, FieldMappings

_UNIT_INTERVAL_FEATURES = tuple(feature for feature in AUDIO_FEATURES if feature not in ("loudness", "tempo"))


def map_tracks_by_genre() -> dict[str, Field]:
    """Map a format with one (track, genre) a row, without release dates."""
    return {
        "name": fields.required_text("track_name"),
        "artist_names": list_fields.artist_names("artists", list_fields.split_text("artists")),
        "track_id": fields.spotify_id("track_id", is_required=True),
        "duration_ms": fields.duration_ms("duration_ms"),
        "album_name": fields.optional_text("album_name"),
        "explicit": fields.boolean_flag("explicit"),
        "popularity": fields.whole_number("popularity", 0, 100),
        "genres": list_fields.single_item_list("track_genre"),
        **_map_measures(),
        "time_signature": _time_signature(),
    }


def map_tracks_1921_2020() -> dict[str, Field]:
    """Map a format with one track a row, with artist ids and release dates, without albums and genres."""
    names = list_fields.artist_names("artists", list_fields.parse_list_literal("artists"))
    date, precision = fields.release_date("release_date")
    return {
        "name": fields.required_text("name"),
        "artist_names": names,
        "artist_ids": fields.spotify_ids("id_artists", list_fields.parse_list_literal("id_artists"), names.value),
        "track_id": fields.spotify_id("id", is_required=True),
        "duration_ms": fields.duration_ms("duration_ms"),
        "release_date": date,
        "release_date_precision": precision,
        "explicit": fields.boolean_flag("explicit"),
        "popularity": fields.whole_number("popularity", 0, 100),
        **_map_measures(),
        "time_signature": _time_signature(),
    }


def map_playlist_songs() -> dict[str, Field]:
    """Map a format with one (track, playlist) a row; the track takes the playlist's genre, but not its subgenre."""
    date, precision = fields.release_date("track_album_release_date")
    return {
        "name": fields.required_text("track_name"),
        "artist_names": list_fields.artist_names("track_artist", list_fields.split_text("track_artist")),
        "track_id": fields.spotify_id("track_id", is_required=True),
        "duration_ms": fields.duration_ms("duration_ms"),
        "album_id": fields.spotify_id("track_album_id"),
        "album_name": fields.optional_text("track_album_name"),
        "release_date": date,
        "release_date_precision": precision,
        "popularity": fields.whole_number("track_popularity", 0, 100),
        "genres": list_fields.single_item_list("playlist_genre"),
        **_map_playlist(),
        **_map_measures(),
    }


def map_top_2000s() -> dict[str, Field]:
    """Map a format with one track a row, without ids; audio features are percentages, durations seconds."""
    date, precision = fields.release_date("Year")
    percentage_columns = ("Danceability", "Energy", "Speechiness", "Acousticness", "Liveness", "Valence")
    return {
        "name": fields.required_text("Title"),
        "artist_names": list_fields.artist_names("Artist", list_fields.split_text("Artist")),
        "duration_ms": fields.duration_ms("Length (Duration)", milliseconds_in_unit=1000),
        "release_date": date,
        "release_date_precision": precision,
        "popularity": fields.whole_number("Popularity", 0, 100),
        "genres": list_fields.single_item_list("Top Genre"),
        **{column.lower(): fields.decimal_number(column, 0, 100, scale=100) for column in percentage_columns},
        "loudness": _loudness_db("Loudness (dB)"),
        "tempo": _tempo_bpm("Beats Per Minute (BPM)"),
    }


def map_synthetic_tracks() -> dict[str, Field]:
    """Map the synthetic catalogue: one (track, playlist) a row, or one track without playlist; all fields filled."""
    names = list_fields.artist_names("artist_names", list_fields.split_text("artist_names"))
    date, precision = fields.release_date("release_date")
    return {
        "name": fields.required_text("name"),
        "artist_names": names,
        "artist_ids": fields.spotify_ids("artist_ids", list_fields.split_text("artist_ids"), names.value),
        "track_id": fields.spotify_id("track_id", is_required=True),
        "duration_ms": fields.duration_ms("duration_ms"),
        "album_id": fields.spotify_id("album_id"),
        "album_name": fields.optional_text("album_name"),
        "release_date": date,
        "release_date_precision": precision,
        "explicit": fields.boolean_flag("explicit"),
        "isrc": fields.optional_text("isrc"),
        "popularity": fields.whole_number("popularity", 0, 100),
        "genres": list_fields.genre_names("genres", list_fields.split_text("genres")),
        **_map_playlist(),
        **_map_measures(),
        "time_signature": _time_signature(),
    }


def _map_measures() -> dict[str, Field]:
    return {
        **{feature: fields.decimal_number(feature, 0, 1) for feature in _UNIT_INTERVAL_FEATURES},
        "loudness": _loudness_db("loudness"),
        "tempo": _tempo_bpm("tempo"),
        "key": fields.whole_number("key", -1, 11, not_detected=-1),
        "mode": fields.whole_number("mode", 0, 1),
    }


def _loudness_db(column: str) -> Field:
    """Parse a loudness in dB; a few tracks lie above 0."""
    return fields.decimal_number(column, -100, 20)


def _tempo_bpm(column: str) -> Field:
    """Parse a tempo in beats a minute; 0 means not detected."""
    return fields.decimal_number(column, 0, 1000, not_detected=0)


def _time_signature() -> Field:
    """Parse a time signature in beats a bar; 0 means not detected."""
    return fields.whole_number("time_signature", 0, 16, not_detected=0)


def _map_playlist() -> dict[str, Field]:
    return {
        "playlist_id": fields.spotify_id("playlist_id"),
        "playlist_name": fields.optional_text("playlist_name"),
        "playlist_genre": fields.optional_text("playlist_genre"),
        "playlist_subgenre": fields.optional_text("playlist_subgenre"),
    }


FIELD_MAPPINGS: FieldMappings = {
    "tracks_by_genre": map_tracks_by_genre,
    "tracks_1921_2020": map_tracks_1921_2020,
    "playlist_songs": map_playlist_songs,
    "top_2000s": map_top_2000s,
    "made_up_tracks": map_synthetic_tracks,
}
