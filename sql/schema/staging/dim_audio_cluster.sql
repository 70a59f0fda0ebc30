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

comment on table staging.dim_audio_cluster is 'Clusters of a new fit, on their way to warehouse.dim_audio_cluster.';
comment on column staging.dim_audio_cluster.audio_features_type is 'The cluster''s number, which keeps its meaning from one fit to the next.';
comment on column staging.dim_audio_cluster.name is 'Readable name, from the features that distinguish the centroid.';
comment on column staging.dim_audio_cluster.danceability is 'Danceability of the centroid.';
comment on column staging.dim_audio_cluster.energy is 'Energy of the centroid.';
comment on column staging.dim_audio_cluster.loudness is 'Loudness of the centroid, in dB.';
comment on column staging.dim_audio_cluster.speechiness is 'Speechiness of the centroid.';
comment on column staging.dim_audio_cluster.acousticness is 'Acousticness of the centroid.';
comment on column staging.dim_audio_cluster.instrumentalness is 'Instrumentalness of the centroid.';
comment on column staging.dim_audio_cluster.liveness is 'Liveness of the centroid.';
comment on column staging.dim_audio_cluster.valence is 'Valence of the centroid.';
comment on column staging.dim_audio_cluster.tempo is 'Tempo of the centroid, in beats a minute.';
comment on column staging.dim_audio_cluster.inertia is 'Sum of squared distances to the centroid over the fit''s sample, in standard deviations.';
comment on column staging.dim_audio_cluster.fitted_at is 'When the centroids were fitted.';
