create view mart.discovery as
select
    l.user_id,
    d.rank,
    d.recording_key,
    t.track_id,
    t.name as track,
    a.name as artist,
    d.distance,
    d.audio_features_type,
    k.name as audio_cluster_name,
    'Near what you play of "' || k.name || '"' as reason
from mart.discovered_track as d
inner join mart.listener as l on l.listener_key = d.listener_key
inner join warehouse.dim_track as t on t.track_key = d.recording_key
left join lateral (
    select n.name
    from warehouse.bridge_track_artist as b
    inner join warehouse.dim_artist as n on n.artist_key = b.artist_key
    where b.track_key = t.track_key
    order by b.position
    limit 1
) as a on true
left join warehouse.dim_audio_cluster as k on k.audio_features_type = d.audio_features_type
where l.user_id not in (select id from warehouse.exclusion where kind = 'user');

comment on view mart.discovery is 'Up to fifty tracks near a user''s taste that the user has not played.';
comment on column mart.discovery.user_id is 'The user.';
comment on column mart.discovery.rank is '1 for the nearest; of equals the smallest key comes first.';
comment on column mart.discovery.recording_key is 'The recording: the user has played none of its ids.';
comment on column mart.discovery.track_id is 'The recording''s first id.';
comment on column mart.discovery.track is 'Its title.';
comment on column mart.discovery.artist is 'Its first artist.';
comment on column mart.discovery.distance is 'From the user''s taste in that cluster, in standard deviations of the audio features.';
comment on column mart.discovery.audio_features_type is 'The cluster of the user''s taste that it is near to.';
comment on column mart.discovery.audio_cluster_name is 'Its name.';
comment on column mart.discovery.reason is 'Why, in words.';
