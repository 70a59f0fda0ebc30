-- Audio features of tracks that only events report, so that the catalogue does not stage them. Features of another
-- source stay: a file reported them before the track disappeared from it.
update warehouse.dim_track as t
set danceability = s.danceability,
    energy = s.energy,
    loudness = s.loudness,
    speechiness = s.speechiness,
    acousticness = s.acousticness,
    instrumentalness = s.instrumentalness,
    liveness = s.liveness,
    valence = s.valence,
    tempo = s.tempo,
    key = s.key,
    mode = s.mode,
    time_signature = s.time_signature,
    audio_features_type = s.audio_features_type,
    audio_features_source = s.audio_features_source
from staging.provider_features as s
where t.track_id = s.track_id
    and (t.audio_features_source is null or t.audio_features_source = s.audio_features_source)
    and (
        t.danceability,
        t.energy,
        t.loudness,
        t.speechiness,
        t.acousticness,
        t.instrumentalness,
        t.liveness,
        t.valence,
        t.tempo,
        t.key,
        t.mode,
        t.time_signature,
        t.audio_features_type,
        t.audio_features_source
    ) is distinct from (
        s.danceability,
        s.energy,
        s.loudness,
        s.speechiness,
        s.acousticness,
        s.instrumentalness,
        s.liveness,
        s.valence,
        s.tempo,
        s.key::smallint,
        s.mode::smallint,
        s.time_signature::smallint,
        s.audio_features_type::smallint,
        s.audio_features_source
    );
