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
comment on column mart.profile.featured_entries is 'Those with at least one known audio feature.';
comment on column mart.profile.mean_newness is 'Mean of the newness scores; NULL if none is known.';
comment on column mart.profile.top_audio_features_type is 'The audio cluster with most of them; of equals the smallest number.';
comment on column mart.profile.top_audio_cluster_name is 'Its name.';
comment on column mart.profile.description is 'How they sound, in words.';
