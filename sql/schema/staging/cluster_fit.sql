create unlogged table staging.cluster_fit (
    fit_id text collate "C",
    fitted_at timestamptz,
    cluster_count integer,
    seed bigint,
    sample_size bigint,
    catalogue_size bigint,
    inertia double precision,
    feature_means double precision[],
    feature_deviations double precision[]
);

comment on table staging.cluster_fit is 'The new fit, on its way to audit.cluster_fit.';
comment on column staging.cluster_fit.fit_id is 'The fit.';
comment on column staging.cluster_fit.fitted_at is 'When it was fitted.';
comment on column staging.cluster_fit.cluster_count is 'Number of clusters.';
comment on column staging.cluster_fit.seed is 'Seed of the fit.';
comment on column staging.cluster_fit.sample_size is 'Number of recordings that it was fitted on.';
comment on column staging.cluster_fit.catalogue_size is 'Number of recordings with audio features at that time.';
comment on column staging.cluster_fit.inertia is 'Sum of squared distances over the sample, in standard deviations.';
comment on column staging.cluster_fit.feature_means is 'Mean of each audio feature, in the order danceability, energy, loudness, speechiness, acousticness, instrumentalness, liveness, valence, tempo.';
comment on column staging.cluster_fit.feature_deviations is 'Standard deviation of each audio feature, in the same order.';
