"""The formats whose rows are about tracks: which field becomes which column of a track row."""

from etl.schemas import AUDIO_FEATURES
from etl.transform.kaggle import lists, values
from etl.transform.kaggle.values import Field

_SHARES = tuple(feature for feature in AUDIO_FEATURES if feature not in ("loudness", "tempo"))


def tracks_by_genre() -> dict[str, Field]:
    """A row a (track, genre), without release dates."""
    return {
        "name": values.required_text("track_name"),
        "artist_names": lists.names("artists", lists.joined("artists")),
        "track_id": values.spotify_id("track_id", is_required=True),
        "duration_ms": values.duration("duration_ms"),
        "album_name": values.optional_text("album_name"),
        "explicit": values.flag("explicit"),
        "popularity": values.whole_number("popularity", 0, 100),
        "genres": lists.single("track_genre"),
        **_measures(),
        "time_signature": _time_signature(),
    }


def tracks_1921_2020() -> dict[str, Field]:
    """A row a track, with artist ids and release dates, without albums and genres."""
    names = lists.names("artists", lists.literal("artists"))
    date, precision = values.release_date("release_date")
    return {
        "name": values.required_text("name"),
        "artist_names": names,
        "artist_ids": values.spotify_ids("id_artists", lists.literal("id_artists"), names.value),
        "track_id": values.spotify_id("id", is_required=True),
        "duration_ms": values.duration("duration_ms"),
        "release_date": date,
        "release_date_precision": precision,
        "explicit": values.flag("explicit"),
        "popularity": values.whole_number("popularity", 0, 100),
        **_measures(),
        "time_signature": _time_signature(),
    }


def playlist_songs() -> dict[str, Field]:
    """A row a (track, playlist); the playlist's genre is the track's, its subgenre only the playlist's."""
    date, precision = values.release_date("track_album_release_date")
    return {
        "name": values.required_text("track_name"),
        "artist_names": lists.names("track_artist", lists.joined("track_artist")),
        "track_id": values.spotify_id("track_id", is_required=True),
        "duration_ms": values.duration("duration_ms"),
        "album_id": values.spotify_id("track_album_id"),
        "album_name": values.optional_text("track_album_name"),
        "release_date": date,
        "release_date_precision": precision,
        "popularity": values.whole_number("track_popularity", 0, 100),
        "genres": lists.single("playlist_genre"),
        **_playlist(),
        **_measures(),
    }


def top_2000s() -> dict[str, Field]:
    """A row a track, without ids; shares are in per cent and durations in seconds."""
    date, precision = values.release_date("Year")
    shares = ("Danceability", "Energy", "Speechiness", "Acousticness", "Liveness", "Valence")
    return {
        "name": values.required_text("Title"),
        "artist_names": lists.names("Artist", lists.joined("Artist")),
        "duration_ms": values.duration("Length (Duration)", milliseconds_in_unit=1000),
        "release_date": date,
        "release_date_precision": precision,
        "popularity": values.whole_number("Popularity", 0, 100),
        "genres": lists.single("Top Genre"),
        **{share.lower(): values.number(share, 0, 100, scale=100) for share in shares},
        "loudness": _loudness("Loudness (dB)"),
        "tempo": _tempo("Beats Per Minute (BPM)"),
    }


def made_up_tracks() -> dict[str, Field]:
    """A row a track, or a (track, playlist) where playlists hold it; every field is filled."""
    names = lists.names("artist_names", lists.joined("artist_names"))
    date, precision = values.release_date("release_date")
    return {
        "name": values.required_text("name"),
        "artist_names": names,
        "artist_ids": values.spotify_ids("artist_ids", lists.joined("artist_ids"), names.value),
        "track_id": values.spotify_id("track_id", is_required=True),
        "duration_ms": values.duration("duration_ms"),
        "album_id": values.spotify_id("album_id"),
        "album_name": values.optional_text("album_name"),
        "release_date": date,
        "release_date_precision": precision,
        "explicit": values.flag("explicit"),
        "isrc": values.optional_text("isrc"),
        "popularity": values.whole_number("popularity", 0, 100),
        "genres": lists.genres("genres", lists.joined("genres")),
        **_playlist(),
        **_measures(),
        "time_signature": _time_signature(),
    }


def _measures() -> dict[str, Field]:
    return {
        **{share: values.number(share, 0, 1) for share in _SHARES},
        "loudness": _loudness("loudness"),
        "tempo": _tempo("tempo"),
        "key": values.whole_number("key", -1, 11, not_detected=-1),
        "mode": values.whole_number("mode", 0, 1),
    }


def _loudness(column: str) -> Field:
    """In dB; a few tracks lie above 0."""
    return values.number(column, -100, 20)


def _tempo(column: str) -> Field:
    """In beats a minute; 0 where none was detected."""
    return values.number(column, 0, 1000, not_detected=0)


def _time_signature() -> Field:
    """In beats a bar; 0 where none was detected."""
    return values.whole_number("time_signature", 0, 16, not_detected=0)


def _playlist() -> dict[str, Field]:
    return {
        "playlist_id": values.spotify_id("playlist_id"),
        "playlist_name": values.optional_text("playlist_name"),
        "playlist_genre": values.optional_text("playlist_genre"),
        "playlist_subgenre": values.optional_text("playlist_subgenre"),
    }
