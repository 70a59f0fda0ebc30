create unlogged table staging.provider_features (
    track_id text collate "C",
    danceability double precision,
    energy double precision,
    loudness double precision,
    speechiness double precision,
    acousticness double precision,
    instrumentalness double precision,
    liveness double precision,
    valence double precision,
    tempo double precision,
    key integer,
    mode integer,
    time_signature integer,
    audio_features_type integer,
    audio_features_source text
);

comment on table staging.provider_features is 'Audio features from services, for tracks that only events report, on their way to warehouse.dim_track.';
comment on column staging.provider_features.track_id is 'Spotify''s track id.';
comment on column staging.provider_features.danceability is 'How fit for dancing, 0 to 1.';
comment on column staging.provider_features.energy is 'Intensity and activity, 0 to 1.';
comment on column staging.provider_features.loudness is 'Average loudness in dB, mostly -60 to 0.';
comment on column staging.provider_features.speechiness is 'Fraction of spoken words, 0 to 1.';
comment on column staging.provider_features.acousticness is 'Confidence that the track is acoustic, 0 to 1.';
comment on column staging.provider_features.instrumentalness is 'Confidence that the track has no vocals, 0 to 1.';
comment on column staging.provider_features.liveness is 'Confidence that an audience is present, 0 to 1.';
comment on column staging.provider_features.valence is 'How positive the track sounds, 0 to 1.';
comment on column staging.provider_features.tempo is 'Beats a minute; NULL if none was found.';
comment on column staging.provider_features.key is 'Musical key, 0 is C and 11 is B; NULL if none was found.';
comment on column staging.provider_features.mode is '0 minor, 1 major.';
comment on column staging.provider_features.time_signature is 'Beats in a bar; NULL if none was found.';
comment on column staging.provider_features.audio_features_type is 'Number of the track''s audio cluster, stable across fits; NULL without audio features.';
comment on column staging.provider_features.audio_features_source is 'Where the audio features come from.';
