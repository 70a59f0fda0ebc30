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
