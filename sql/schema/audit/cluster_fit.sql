create table audit.cluster_fit (
    fit_id text collate "C" not null,
    run_id text collate "C" not null,
    fitted_at timestamptz not null,
    cluster_count integer not null,
    seed bigint not null,
    sample_size bigint not null,
    catalogue_size bigint not null,
    inertia double precision not null,
    feature_means double precision[] not null,
    feature_deviations double precision[] not null,
    constraint cluster_fit_pkey primary key (fit_id),
    constraint cluster_fit_run_id_fkey foreign key (run_id) references audit.run,
    constraint cluster_fit_cluster_count_positive check (cluster_count > 0),
    constraint cluster_fit_scales_nine_features
        check (cardinality(feature_means) = 9 and cardinality(feature_deviations) = 9)
);

comment on table audit.cluster_fit is 'A fit of the audio clusters; the newest one is current.';
comment on column audit.cluster_fit.fit_id is 'The fit.';
comment on column audit.cluster_fit.run_id is 'The run that published it.';
comment on column audit.cluster_fit.fitted_at is 'When it was fitted.';
comment on column audit.cluster_fit.cluster_count is 'Number of clusters.';
comment on column audit.cluster_fit.seed is 'Seed of the fit.';
comment on column audit.cluster_fit.sample_size is 'Number of recordings that it was fitted on.';
comment on column audit.cluster_fit.catalogue_size is 'Number of recordings with audio features at that time.';
comment on column audit.cluster_fit.inertia is 'Sum of squared distances over the sample, in standard deviations.';
comment on column audit.cluster_fit.feature_means is 'Mean of each audio feature, in the order danceability, energy, loudness, speechiness, acousticness, instrumentalness, liveness, valence, tempo.';
comment on column audit.cluster_fit.feature_deviations is 'Standard deviation of each audio feature, in the same order.';
