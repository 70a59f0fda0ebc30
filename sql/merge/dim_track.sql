update warehouse.dim_track as t
set recording_key = coalesce(r.recording_key, t.track_key),
    merged_into_track_key = 0,
    album_key = coalesce(a.album_key, -1),
    duration_ms = s.duration_ms,
    release_date = s.release_date,
    popularity = s.popularity,
    key = s.key,
    mode = s.mode,
    time_signature = s.time_signature,
    audio_features_type = s.audio_features_type,
    explicit = s.explicit,
    is_inferred = false,
    danceability = s.danceability,
    energy = s.energy,
    loudness = s.loudness,
    speechiness = s.speechiness,
    acousticness = s.acousticness,
    instrumentalness = s.instrumentalness,
    liveness = s.liveness,
    valence = s.valence,
    tempo = s.tempo,
    newness_score = s.newness_score,
    name = s.name,
    isrc = s.isrc,
    primary_genre = coalesce(s.primary_genre, 'unknown'),
    release_date_precision = s.release_date_precision,
    release_date_source = s.release_date_source,
    popularity_source = s.popularity_source,
    audio_features_source = s.audio_features_source,
    source = s.source
from staging.dim_track as s
left join warehouse.dim_album as a on a.album_id = s.album_id
left join staging.recording_key as r on r.recording_id = s.recording_id
where t.track_id = s.track_id
    and (
        t.recording_key, t.merged_into_track_key, t.album_key, t.duration_ms, t.release_date, t.popularity,
        t.key, t.mode, t.time_signature, t.audio_features_type, t.explicit, t.is_inferred,
        t.danceability, t.energy, t.loudness, t.speechiness, t.acousticness, t.instrumentalness,
        t.liveness, t.valence, t.tempo, t.newness_score, t.name, t.isrc, t.primary_genre,
        t.release_date_precision, t.release_date_source, t.popularity_source, t.audio_features_source, t.source
    ) is distinct from (
        coalesce(r.recording_key, t.track_key), 0, coalesce(a.album_key, -1), s.duration_ms, s.release_date,
        s.popularity::smallint,
        s.key::smallint,
        s.mode::smallint,
        s.time_signature::smallint,
        s.audio_features_type::smallint,
        s.explicit, false,
        s.danceability, s.energy, s.loudness, s.speechiness, s.acousticness, s.instrumentalness,
        s.liveness, s.valence, s.tempo, s.newness_score, s.name, s.isrc, coalesce(s.primary_genre, 'unknown'),
        s.release_date_precision, s.release_date_source, s.popularity_source, s.audio_features_source, s.source
    );

-- Ids that are no longer staged follow their recording if its smallest key has changed.
update warehouse.dim_track as t
set recording_key = head.recording_key
from warehouse.dim_track as head
where head.track_key = t.recording_key
    and t.recording_key <> t.track_key
    and t.merged_into_track_key = 0
    and head.recording_key <> head.track_key;
