insert into audit.cluster_fit (
    fit_id, run_id, fitted_at, cluster_count, seed, sample_size, catalogue_size, inertia,
    feature_means, feature_deviations
)
select
    s.fit_id, l.run_id, s.fitted_at, s.cluster_count, s.seed, s.sample_size, s.catalogue_size, s.inertia,
    s.feature_means, s.feature_deviations
from staging.cluster_fit as s
cross join staging.load as l
where not exists (select from audit.cluster_fit as t where t.fit_id = s.fit_id);
