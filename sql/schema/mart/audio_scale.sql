-- The scale of distances: fixed by a fit, so that a profile's words change only with its music.
create view mart.audio_scale as
select fit_id, feature_means as means, feature_deviations as deviations
from audit.cluster_fit
order by fitted_at desc, fit_id
limit 1;

comment on view mart.audio_scale is 'Mean and deviation of the catalogue''s audio features at the current fit of the clusters; empty before the first.';
comment on column mart.audio_scale.fit_id is 'The fit.';
comment on column mart.audio_scale.means is 'Means by attribute_number.';
comment on column mart.audio_scale.deviations is 'Standard deviations by attribute_number.';
