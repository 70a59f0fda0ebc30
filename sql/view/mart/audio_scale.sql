-- What distances are measured by: fixed by a fit, so that a profile's words change with its music only.
create view mart.audio_scale as
select fit_id, feature_means as means, feature_deviations as deviations
from audit.cluster_fit
order by fitted_at desc, fit_id
limit 1;

comment on view mart.audio_scale is 'Mean and deviation of the catalogue''s audio features at the current fit of the clusters; empty before the first.';
comment on column mart.audio_scale.fit_id is 'The fit.';
comment on column mart.audio_scale.means is 'Means by attribute_number.';
comment on column mart.audio_scale.deviations is 'Standard deviations by attribute_number.';

create function mart.audio_position(
    totals bigint [], entries bigint, means double precision [], deviations double precision []
)
returns double precision []
language sql
immutable parallel safe
as $$
    select array[
        coalesce((totals[1]::double precision / entries / 1000000 - means[1]) / nullif(deviations[1], 0), 0),
        coalesce((totals[2]::double precision / entries / 1000000 - means[2]) / nullif(deviations[2], 0), 0),
        coalesce((totals[3]::double precision / entries / 1000 - means[3]) / nullif(deviations[3], 0), 0),
        coalesce((totals[4]::double precision / entries / 1000000 - means[4]) / nullif(deviations[4], 0), 0),
        coalesce((totals[5]::double precision / entries / 1000000 - means[5]) / nullif(deviations[5], 0), 0),
        coalesce((totals[6]::double precision / entries / 1000000 - means[6]) / nullif(deviations[6], 0), 0),
        coalesce((totals[7]::double precision / entries / 1000000 - means[7]) / nullif(deviations[7], 0), 0),
        coalesce((totals[8]::double precision / entries / 1000000 - means[8]) / nullif(deviations[8], 0), 0),
        coalesce((totals[9]::double precision / entries / 1000 - means[9]) / nullif(deviations[9], 0), 0)
    ]
$$;

comment on function mart.audio_position is 'The mean of so many entries whose audio features sum up to totals (in steps), in standard deviations from the catalogue''s mean; 0 where the catalogue does not vary.';

create function mart.distance(a double precision [], b double precision [])
returns double precision
language sql
immutable parallel safe
as $$
    select sqrt(
        (a[1] - b[1]) * (a[1] - b[1])
        + (a[2] - b[2]) * (a[2] - b[2])
        + (a[3] - b[3]) * (a[3] - b[3])
        + (a[4] - b[4]) * (a[4] - b[4])
        + (a[5] - b[5]) * (a[5] - b[5])
        + (a[6] - b[6]) * (a[6] - b[6])
        + (a[7] - b[7]) * (a[7] - b[7])
        + (a[8] - b[8]) * (a[8] - b[8])
        + (a[9] - b[9]) * (a[9] - b[9])
    )
$$;

comment on function mart.distance is 'Euclidean distance of two positions among the audio features.';
