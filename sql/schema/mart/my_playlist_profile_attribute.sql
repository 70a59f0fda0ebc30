create view mart.my_playlist_profile_attribute with (security_barrier) as
select m.*
from mart.playlist_profile_attribute as m
where m.owner_id = (select s.owner_id from audit.signed_in as s)
    or m.playlist_id in (
        select w.playlist_id
        from audit.playlist_request as w
        inner join audit.signed_in as s on s.user_id = w.user_id
        where w.read_at is not null
    );

comment on view mart.my_playlist_profile_attribute is 'An audio feature of these playlists: mean, spread and distribution.';
comment on column mart.my_playlist_profile_attribute.playlist_key is 'The playlist.';
comment on column mart.my_playlist_profile_attribute.playlist_id is 'Its id.';
comment on column mart.my_playlist_profile_attribute.playlist is 'Its name.';
comment on column mart.my_playlist_profile_attribute.owner_id is 'The user who owns it; NULL if no API gave it.';
comment on column mart.my_playlist_profile_attribute.attribute is 'The audio feature, a column of warehouse.dim_track.';
comment on column mart.my_playlist_profile_attribute.tracks is 'Recordings with a known value.';
comment on column mart.my_playlist_profile_attribute.mean is 'Mean, in the audio feature''s own unit: loudness in dB, tempo in beats a minute, else 0 to 1.';
comment on column mart.my_playlist_profile_attribute.deviation is 'Standard deviation, in the same unit.';
comment on column mart.my_playlist_profile_attribute.distance is 'Of the mean from the catalogue''s mean, in the catalogue''s standard deviations; NULL before the first fit of the clusters.';
comment on column mart.my_playlist_profile_attribute.lower_quartile is 'A quarter lies below, to within a bin.';
comment on column mart.my_playlist_profile_attribute.median is 'Half lies below, to within a bin.';
comment on column mart.my_playlist_profile_attribute.upper_quartile is 'Three quarters lie below, to within a bin.';
comment on column mart.my_playlist_profile_attribute.tracks_by_bin is 'Number of entries in each of the 20 bins between the bounds of mart.attribute.';
