-- A user's playlists are those that the user owns, and those that the user requested and the user's own account has
-- read: a playlist that only another account has read may be private.
create view mart.my_playlist_profile with (security_barrier) as
select m.*
from mart.playlist_profile as m
where m.owner_id = (select s.owner_id from audit.signed_in as s)
    or m.playlist_id in (
        select w.playlist_id
        from audit.playlist_request as w
        inner join audit.signed_in as s on s.user_id = w.user_id
        where w.read_at is not null
    );

comment on view mart.my_playlist_profile is 'How your playlists sound, and those that you requested and your account has read, in a line.';
comment on column mart.my_playlist_profile.playlist_key is 'The playlist.';
comment on column mart.my_playlist_profile.playlist_id is 'Its id.';
comment on column mart.my_playlist_profile.playlist is 'Its name.';
comment on column mart.my_playlist_profile.owner_id is 'The user who owns it; NULL if no API gave it.';
comment on column mart.my_playlist_profile.tracks is 'Recordings in it, each once.';
comment on column mart.my_playlist_profile.tracks_with_audio_features is 'Those with at least one known audio feature.';
comment on column mart.my_playlist_profile.mean_newness is 'Mean of the newness scores, 0 old to 1 new; NULL if none is known.';
comment on column mart.my_playlist_profile.top_audio_features_type is 'The audio cluster with most of them; of equals the smallest number.';
comment on column mart.my_playlist_profile.top_audio_cluster_name is 'Its name.';
comment on column mart.my_playlist_profile.description is 'How they sound, in words made from the figures.';
