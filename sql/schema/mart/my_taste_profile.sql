create view mart.my_taste_profile with (security_barrier) as
select m.*
from mart.taste_profile as m
where m.user_id = (select s.user_id from audit.signed_in as s);

comment on view mart.my_taste_profile is 'How your plays and your playlists sound, in a line.';
comment on column mart.my_taste_profile.user_id is 'The user.';
comment on column mart.my_taste_profile.scope is 'plays, or playlists: all that the user owns, a recording counting once a playlist.';
comment on column mart.my_taste_profile.entries is 'Plays of known recordings; of playlists their recordings.';
comment on column mart.my_taste_profile.entries_with_audio_features is 'Those with at least one known audio feature.';
comment on column mart.my_taste_profile.mean_newness is 'Mean of the newness scores, 0 old to 1 new; NULL if none is known.';
comment on column mart.my_taste_profile.top_audio_features_type is 'The audio cluster with most of them; of equals the smallest number.';
comment on column mart.my_taste_profile.top_audio_cluster_name is 'Its name.';
comment on column mart.my_taste_profile.description is 'How they sound, in words made from the figures.';
