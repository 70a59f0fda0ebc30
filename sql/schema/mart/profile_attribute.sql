create view mart.profile_attribute as
select
    c.scope,
    c.subject_key,
    c.attribute_number,
    a.attribute,
    c.entries,
    m.mean,
    sqrt(greatest(c.entries * c.square_total - c.total * c.total, 0))::double precision
    / c.entries::double precision / a.steps_per_one as deviation,
    case
        when s.deviations[c.attribute_number] = 0 then 0
        else (m.mean - s.means[c.attribute_number]) / s.deviations[c.attribute_number]
    end as distance,
    mart.quantile(d.entries_by_bin, 0.25, a.first_bound, a.last_bound) as lower_quartile,
    mart.quantile(d.entries_by_bin, 0.5, a.first_bound, a.last_bound) as median,
    mart.quantile(d.entries_by_bin, 0.75, a.first_bound, a.last_bound) as upper_quartile,
    d.entries_by_bin
from mart.profile_histogram as c
inner join mart.attribute as a on a.attribute_number = c.attribute_number
left join mart.audio_scale as s on true
cross join lateral (
    select c.total::double precision / c.entries::double precision / a.steps_per_one as mean
) as m
cross join lateral (
    select
        array_agg(
            coalesce(c.entries_of_bins[array_position(c.bins, g.bin::smallint)], 0) order by g.bin
        ) as entries_by_bin
    from generate_series(1, 20) as g (bin)
) as d;

comment on view mart.profile_attribute is 'An audio feature of a profile.';
comment on column mart.profile_attribute.scope is 'playlist, plays or playlists.';
comment on column mart.profile_attribute.subject_key is 'playlist_key, else listener_key.';
comment on column mart.profile_attribute.attribute_number is 'The audio feature, as mart.attribute numbers them.';
comment on column mart.profile_attribute.attribute is 'Its name.';
comment on column mart.profile_attribute.entries is 'Recordings or plays with a known value.';
comment on column mart.profile_attribute.mean is 'Mean.';
comment on column mart.profile_attribute.deviation is 'Standard deviation.';
comment on column mart.profile_attribute.distance is 'Of the mean from the catalogue''s mean, in the catalogue''s standard deviations; NULL before the first fit of the clusters.';
comment on column mart.profile_attribute.lower_quartile is 'A quarter lies below, to within a bin.';
comment on column mart.profile_attribute.median is 'Half lies below, to within a bin.';
comment on column mart.profile_attribute.upper_quartile is 'Three quarters lie below, to within a bin.';
comment on column mart.profile_attribute.entries_by_bin is 'Recordings or plays in each of the 20 bins between the bounds of mart.attribute.';
