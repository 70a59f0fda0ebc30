create view mart.playlist_profile as
select
    l.playlist_key,
    l.playlist_id,
    l.name as playlist,
    l.owner_id,
    p.entries as tracks,
    p.featured_entries as tracks_with_audio_features,
    p.mean_newness,
    p.top_audio_features_type,
    p.top_audio_cluster_name,
    p.description
from mart.profile as p
inner join warehouse.dim_playlist as l on l.playlist_key = p.subject_key
where p.scope = 'playlist'
    and not exists (select from warehouse.exclusion as x where x.kind = 'user' and x.id = l.owner_id);

comment on view mart.playlist_profile is 'How a playlist sounds, in a line.';
comment on column mart.playlist_profile.playlist_key is 'The playlist.';
comment on column mart.playlist_profile.playlist_id is 'Its id.';
comment on column mart.playlist_profile.playlist is 'Its name.';
comment on column mart.playlist_profile.owner_id is 'The user who owns it; NULL if no API gave it.';
comment on column mart.playlist_profile.tracks is 'Recordings in it, each once.';
comment on column mart.playlist_profile.tracks_with_audio_features is 'Those with at least one known audio feature.';
comment on column mart.playlist_profile.mean_newness is 'Mean of the newness scores, 0 old to 1 new; NULL if none is known.';
comment on column mart.playlist_profile.top_audio_features_type is 'The audio cluster with most of them; of equals the smallest number.';
comment on column mart.playlist_profile.top_audio_cluster_name is 'Its name.';
comment on column mart.playlist_profile.description is 'How they sound, in words made from the figures.';
