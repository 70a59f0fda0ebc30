"""The recordings, playlists and survey answers that simulated listeners draw from, as pandas frames."""

import pandas as pd

from etl.database import connect, fetch_rows

_TRACKS = """
    with
    recording as (
        -- Each recording by its most popular id.
        select distinct on (recording_key) *
        from warehouse.dim_track
        where track_key > 0 and merged_into_track_key = 0 and not is_inferred
            and track_id not like 'name:%' and duration_ms >= :shortest_ms
        order by recording_key, popularity desc nulls last, track_id
    )

    select
        t.track_id, t.recording_key, t.name, t.primary_genre as genre, a.artist_id, a.name as artist,
        a.popularity as artist_popularity, a.followers as artist_followers, t.duration_ms,
        t.release_date - date '1970-01-01' as release_date,
        t.valence, t.tempo, t.acousticness, t.energy, t.danceability, t.audio_features_type, t.newness_score
    from recording as t
    inner join (
        select distinct on (track_key) track_key, artist_key
        from warehouse.bridge_track_artist
        order by track_key, position
    ) as b on b.track_key = t.track_key
    inner join warehouse.dim_artist as a on a.artist_key = b.artist_key and a.artist_key > 0 and a.name is not null
    order by t.track_id
"""
_PLAYLIST_TRACKS = """
    select p.playlist_id, t.recording_key
    from warehouse.fact_playlist_track as f
    inner join warehouse.dim_playlist as p on p.playlist_key = f.playlist_key and p.playlist_key > 0
    inner join warehouse.dim_track as t on t.track_key = f.track_key
    where f.valid_to = 'infinity'
    group by p.playlist_id, t.recording_key
    order by p.playlist_id, t.recording_key
"""
_SURVEY = """
    select age_band, gender, listening_devices, subscription_plan, time_slot, favourite_genre, moods
    from warehouse.survey_response
    order by response_id
"""
_MIN_DURATION_MS = 15_000


def read_tracks(url: str) -> pd.DataFrame:
    """Return a row for each recording with a real length and a known artist, by id.

    :param url: the warehouse's URL.
    :returns: ``release_date`` in days since 1970; an empty frame if the warehouse has no catalogue.
    """
    columns = (
        *("track_id", "recording_key", "name", "genre", "artist_id", "artist", "artist_popularity", "artist_followers"),
        *("duration_ms", "release_date", "valence", "tempo", "acousticness", "energy", "danceability"),
        *("audio_features_type", "newness_score"),
    )
    return _read_frame(url, _TRACKS, columns, shortest_ms=_MIN_DURATION_MS)


def read_playlist_tracks(url: str) -> pd.DataFrame:
    """Return playlist_id and recording_key of the current items of playlists."""
    return _read_frame(url, _PLAYLIST_TRACKS, ("playlist_id", "recording_key"))


def read_survey_responses(url: str) -> list[dict[str, object]]:
    """Return the survey answers that give simulated listeners their habits."""
    with connect(url) as connection:
        return fetch_rows(connection, _SURVEY)


def _read_frame(url: str, statement: str, columns: tuple[str, ...], **parameters: object) -> pd.DataFrame:
    with connect(url) as connection:
        return pd.DataFrame(fetch_rows(connection, statement, **parameters), columns=list(columns))
