create table warehouse.dim_audio_cluster (
    audio_features_type smallint not null,
    name text not null,
    size bigint not null default 0,
    danceability double precision not null,
    energy double precision not null,
    loudness double precision not null,
    speechiness double precision not null,
    acousticness double precision not null,
    instrumentalness double precision not null,
    liveness double precision not null,
    valence double precision not null,
    tempo double precision not null,
    inertia double precision not null,
    fitted_at timestamptz not null,
    constraint dim_audio_cluster_pkey primary key (audio_features_type),
    constraint dim_audio_cluster_size_not_negative check (size >= 0),
    constraint dim_audio_cluster_inertia_not_negative check (inertia >= 0)
);

comment on table warehouse.dim_audio_cluster is 'A cluster of the current fit of K-means over the nine audio features.';
comment on column warehouse.dim_audio_cluster.audio_features_type is 'The cluster''s number, which keeps its meaning from one fit to the next.';
comment on column warehouse.dim_audio_cluster.name is 'Readable name, from the features that distinguish the centroid.';
comment on column warehouse.dim_audio_cluster.size is 'Number of recordings in the cluster.';
comment on column warehouse.dim_audio_cluster.danceability is 'Danceability of the centroid.';
comment on column warehouse.dim_audio_cluster.energy is 'Energy of the centroid.';
comment on column warehouse.dim_audio_cluster.loudness is 'Loudness of the centroid, in dB.';
comment on column warehouse.dim_audio_cluster.speechiness is 'Speechiness of the centroid.';
comment on column warehouse.dim_audio_cluster.acousticness is 'Acousticness of the centroid.';
comment on column warehouse.dim_audio_cluster.instrumentalness is 'Instrumentalness of the centroid.';
comment on column warehouse.dim_audio_cluster.liveness is 'Liveness of the centroid.';
comment on column warehouse.dim_audio_cluster.valence is 'Valence of the centroid.';
comment on column warehouse.dim_audio_cluster.tempo is 'Tempo of the centroid, in beats a minute.';
comment on column warehouse.dim_audio_cluster.inertia is 'Sum of squared distances to the centroid over the fit''s sample, in standard deviations.';
comment on column warehouse.dim_audio_cluster.fitted_at is 'When the centroids were fitted.';
