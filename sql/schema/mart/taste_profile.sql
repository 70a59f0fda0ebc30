create view mart.taste_profile as
select
    l.user_id,
    p.scope,
    p.entries,
    p.featured_entries as entries_with_audio_features,
    p.mean_newness,
    p.top_audio_features_type,
    p.top_audio_cluster_name,
    p.description
from mart.profile as p
inner join mart.listener as l on l.listener_key = p.subject_key
where p.scope in ('plays', 'playlists');

comment on view mart.taste_profile is 'How a user''s plays and playlists sound, in a line.';
comment on column mart.taste_profile.user_id is 'The user.';
comment on column mart.taste_profile.scope is 'plays, or playlists: all that the user owns, a recording counting once a playlist.';
comment on column mart.taste_profile.entries is 'Plays of known recordings; of playlists their recordings.';
comment on column mart.taste_profile.entries_with_audio_features is 'Those with at least one known audio feature.';
comment on column mart.taste_profile.mean_newness is 'Mean of the newness scores, 0 old to 1 new; NULL if none is known.';
comment on column mart.taste_profile.top_audio_features_type is 'The audio cluster with most of them; of equals the smallest number.';
comment on column mart.taste_profile.top_audio_cluster_name is 'Its name.';
comment on column mart.taste_profile.description is 'How they sound, in words made from the figures.';
