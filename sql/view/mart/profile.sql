create view mart.playlist_owner as
select p.playlist_key, l.listener_key
from warehouse.dim_playlist as p
inner join mart.listener as l on l.user_id = p.owner_id
where p.owner_id not in (select id from warehouse.exclusion where kind = 'user');

comment on view mart.playlist_owner is 'The playlists of users; without those of excluded ones.';
comment on column mart.playlist_owner.playlist_key is 'The playlist.';
comment on column mart.playlist_owner.listener_key is 'Its owner, as mart.listener has it.';

create view mart.newness_scale as
select
    newness_total::double precision / nullif(dated_recordings, 0) / 1000000 as mean,
    sqrt(dated_recordings * newness_square_total - newness_total::numeric * newness_total)::double precision
    / nullif(dated_recordings, 0) / 1000000 as deviation
from mart.counted_catalogue;

comment on view mart.newness_scale is 'Mean and deviation of the catalogue''s newness scores.';
comment on column mart.newness_scale.mean is 'The mean.';
comment on column mart.newness_scale.deviation is 'The standard deviation.';

create function mart.quantile(
    entries_by_bin bigint [], share double precision, first_bound double precision, last_bound double precision
)
returns double precision
language sql
immutable parallel safe
as $$
    select first_bound
        + (last_bound - first_bound) / cardinality(entries_by_bin)
        * (b.bin - 1 + (share * b.all_entries - b.reached + b.entries) / b.entries)
    from (
        select
            e.bin,
            e.entries,
            sum(e.entries) over (order by e.bin)::double precision as reached,
            sum(e.entries) over ()::double precision as all_entries
        from unnest(entries_by_bin) with ordinality as e (entries, bin)
    ) as b
    where b.entries > 0 and b.reached >= share * b.all_entries
    order by b.bin
    limit 1
$$;

comment on function mart.quantile is 'Below which value the share of the entries lies, to within a bin: entries are taken as spread evenly within theirs.';

-- Playlists, users' plays and users' playlists in one shape, so that each figure is written once. What a user's playlists
-- have is the sum of what each of them has.
create view mart.profile_figure as
select
    'playlist' as scope, playlist_key as subject_key, tracks::bigint as entries,
    featured_tracks::bigint as featured_entries, dated_tracks::bigint as dated_entries, newness_total
from mart.playlist_figure
union all
select 'plays', listener_key, plays, featured_plays, dated_plays, newness_total from mart.listener_figure
union all
select
    'playlists', o.listener_key, sum(f.tracks)::bigint, sum(f.featured_tracks)::bigint, sum(f.dated_tracks)::bigint,
    sum(f.newness_total)::bigint
from mart.playlist_owner as o
inner join mart.playlist_figure as f on f.playlist_key = o.playlist_key
group by o.listener_key;

comment on view mart.profile_figure is 'How many recordings or plays a profile is made from.';
comment on column mart.profile_figure.scope is 'playlist, plays (a user''s) or playlists (all of a user''s).';
comment on column mart.profile_figure.subject_key is 'playlist_key, else listener_key.';
comment on column mart.profile_figure.entries is 'Recordings of a playlist, each once; plays; or recordings of all playlists, each once a playlist.';
comment on column mart.profile_figure.featured_entries is 'Those of which an audio feature is known.';
comment on column mart.profile_figure.dated_entries is 'Those with a newness score.';
comment on column mart.profile_figure.newness_total is 'Sum of these scores, in millionths.';

create view mart.profile_bin as
select
    'playlist' as scope, playlist_key as subject_key, attribute_number, bin, tracks::bigint as entries, total,
    square_total::numeric
from mart.playlist_bin
union all
select 'plays', listener_key, attribute_number, bin, plays, total, square_total from mart.listener_bin
union all
select
    'playlists', o.listener_key, b.attribute_number, b.bin, sum(b.tracks)::bigint, sum(b.total)::bigint, sum(b.square_total)
from mart.playlist_owner as o
inner join mart.playlist_bin as b on b.playlist_key = o.playlist_key
group by o.listener_key, b.attribute_number, b.bin;

comment on view mart.profile_bin is 'The same by the value of an audio feature.';
comment on column mart.profile_bin.scope is 'playlist, plays or playlists.';
comment on column mart.profile_bin.subject_key is 'playlist_key, else listener_key.';
comment on column mart.profile_bin.attribute_number is 'The audio feature, as mart.attribute numbers them.';
comment on column mart.profile_bin.bin is 'From 1 to 20, between the bounds of mart.attribute.';
comment on column mart.profile_bin.entries is 'Recordings or plays in the bin.';
comment on column mart.profile_bin.total is 'Sum of their values, in steps.';
comment on column mart.profile_bin.square_total is 'Sum of the squares of these.';

create view mart.profile_cluster as
with told as (
    select 'playlist' as scope, playlist_key as subject_key, audio_features_type, tracks::bigint as entries
    from mart.playlist_cluster
    union all
    select 'plays', listener_key, audio_features_type, plays from mart.listener_cluster
    union all
    select 'playlists', o.listener_key, c.audio_features_type, sum(c.tracks)::bigint
    from mart.playlist_owner as o
    inner join mart.playlist_cluster as c on c.playlist_key = o.playlist_key
    group by o.listener_key, c.audio_features_type
)

select
    t.scope,
    t.subject_key,
    t.audio_features_type,
    k.name as audio_cluster_name,
    t.entries,
    (t.entries / sum(t.entries) over (partition by t.scope, t.subject_key))::double precision as share
from told as t
left join warehouse.dim_audio_cluster as k on k.audio_features_type = t.audio_features_type;

comment on view mart.profile_cluster is 'The same by audio cluster.';
comment on column mart.profile_cluster.scope is 'playlist, plays or playlists.';
comment on column mart.profile_cluster.subject_key is 'playlist_key, else listener_key.';
comment on column mart.profile_cluster.audio_features_type is 'The cluster.';
comment on column mart.profile_cluster.audio_cluster_name is 'Its name.';
comment on column mart.profile_cluster.entries is 'Recordings or plays of the cluster.';
comment on column mart.profile_cluster.share is 'Their share of those that are in a cluster.';

create view mart.profile_attribute as
with counted as (
    select
        b.scope,
        b.subject_key,
        b.attribute_number,
        sum(b.entries)::bigint as entries,
        sum(b.total) as total,
        sum(b.square_total) as square_total,
        array_agg(b.bin order by b.bin) as bins,
        array_agg(b.entries order by b.bin) as entries_of_bins
    from mart.profile_bin as b
    group by b.scope, b.subject_key, b.attribute_number
)

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
from counted as c
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
comment on column mart.profile_attribute.entries is 'Recordings or plays of which it is known.';
comment on column mart.profile_attribute.mean is 'Mean.';
comment on column mart.profile_attribute.deviation is 'Standard deviation.';
comment on column mart.profile_attribute.distance is 'Of the mean from the catalogue''s mean, in the catalogue''s standard deviations; NULL before the first fit of the clusters.';
comment on column mart.profile_attribute.lower_quartile is 'A quarter lies below, to within a bin.';
comment on column mart.profile_attribute.median is 'Half lies below, to within a bin.';
comment on column mart.profile_attribute.upper_quartile is 'Three quarters lie below, to within a bin.';
comment on column mart.profile_attribute.entries_by_bin is 'Recordings or plays in each of the 20 bins between the bounds of mart.attribute.';

create view mart.profile as
select
    f.scope,
    f.subject_key,
    f.entries,
    f.featured_entries,
    n.mean_newness,
    k.audio_features_type as top_audio_features_type,
    k.audio_cluster_name as top_audio_cluster_name,
    mart.sound_in_words(
        case f.scope when 'plays' then 'play' else 'track' end,
        f.entries,
        f.featured_entries,
        a.distances,
        a.mean_tempo,
        (n.mean_newness - c.mean) / nullif(c.deviation, 0)
    ) as description
from mart.profile_figure as f
left join mart.newness_scale as c on true
cross join lateral (
    select f.newness_total::double precision / nullif(f.dated_entries, 0) / 1000000 as mean_newness
) as n
cross join lateral (
    select
        array_agg(t.distance order by n.attribute_number) as distances,
        max(t.mean) filter (where n.attribute = 'tempo') as mean_tempo
    from mart.attribute as n
    left join mart.profile_attribute as t
        on t.scope = f.scope and t.subject_key = f.subject_key and t.attribute_number = n.attribute_number
) as a
left join lateral (
    select t.audio_features_type, t.audio_cluster_name
    from mart.profile_cluster as t
    where t.scope = f.scope and t.subject_key = f.subject_key
    order by t.entries desc, t.audio_features_type
    limit 1
) as k on true;

comment on view mart.profile is 'A profile in a line.';
comment on column mart.profile.scope is 'playlist, plays or playlists.';
comment on column mart.profile.subject_key is 'playlist_key, else listener_key.';
comment on column mart.profile.entries is 'Recordings or plays.';
comment on column mart.profile.featured_entries is 'Those of which an audio feature is known.';
comment on column mart.profile.mean_newness is 'Mean of the newness scores; NULL where none is known.';
comment on column mart.profile.top_audio_features_type is 'The audio cluster with most of them; of equals the smallest number.';
comment on column mart.profile.top_audio_cluster_name is 'Its name.';
comment on column mart.profile.description is 'How they sound, in words.';
