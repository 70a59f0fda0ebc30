create unlogged table staging.dim_audio_cluster (
    audio_features_type integer,
    name text,
    danceability double precision,
    energy double precision,
    loudness double precision,
    speechiness double precision,
    acousticness double precision,
    instrumentalness double precision,
    liveness double precision,
    valence double precision,
    tempo double precision,
    inertia double precision,
    fitted_at timestamptz
);
