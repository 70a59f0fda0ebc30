create view mart.profile_histogram as
select
    b.scope,
    b.subject_key,
    b.attribute_number,
    sum(b.entries)::bigint as entries,
    sum(b.total) as total,
    sum(b.square_total) as square_total,
    array_agg(b.bin order by b.bin) as bins,
    array_agg(b.entries order by b.bin) as entries_of_bins
from (
    select
        'playlist' as scope, playlist_key as subject_key, attribute_number, bin, tracks::bigint as entries, total,
        square_total::numeric as square_total
    from mart.playlist_bin
    union all
    select
        'playlists',
        o.listener_key,
        b.attribute_number,
        b.bin,
        sum(b.tracks)::bigint,
        sum(b.total)::bigint,
        sum(b.square_total)
    from mart.playlist_owner as o
    inner join mart.playlist_bin as b on b.playlist_key = o.playlist_key
    group by o.listener_key, b.attribute_number, b.bin
) as b
group by b.scope, b.subject_key, b.attribute_number
union all
select
    'plays', listener_key, attribute_number, (select sum(p.plays)::bigint from unnest(plays) as p (plays)),
    total::numeric, square_total::numeric, bins, plays
from mart.listener_bin;

comment on view mart.profile_histogram is 'The same by the value of an audio feature.';
comment on column mart.profile_histogram.scope is 'playlist, plays or playlists.';
comment on column mart.profile_histogram.subject_key is 'playlist_key, else listener_key.';
comment on column mart.profile_histogram.attribute_number is 'The audio feature, as mart.attribute numbers them.';
comment on column mart.profile_histogram.entries is 'Recordings or plays with a known value.';
comment on column mart.profile_histogram.total is 'Sum of their values, in steps.';
comment on column mart.profile_histogram.square_total is 'Sum of the squares of these.';
comment on column mart.profile_histogram.bins is 'The bins that have any, from 1 to 20, between the bounds of mart.attribute.';
comment on column mart.profile_histogram.entries_of_bins is 'Recordings or plays in each of these bins.';
