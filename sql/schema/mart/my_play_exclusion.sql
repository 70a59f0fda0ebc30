create view mart.my_play_exclusion with (security_barrier) as
select
    x.exclusion_id,
    x.user_id,
    x.is_private_session,
    x.playlist_id,
    x.device_type,
    x.platform,
    x.artist_id,
    x.track_id,
    x.first_date,
    x.last_date,
    x.is_own,
    x.note,
    x.stated_at,
    x.revoked_at
from warehouse.play_exclusion as x
where x.user_id = (select s.user_id from audit.signed_in as s);

comment on view mart.my_play_exclusion is 'What is left out of your counts: each row leaves out what meets all of its conditions. Call mart.leave_out_my_plays to add one, mart.count_my_plays_again(exclusion_id) to take one of yours back.';
comment on column mart.my_play_exclusion.exclusion_id is 'Number of the exclusion.';
comment on column mart.my_play_exclusion.user_id is 'You.';
comment on column mart.my_play_exclusion.is_private_session is 'Whether only private sessions are left out.';
comment on column mart.my_play_exclusion.playlist_id is 'Only what you played from this playlist; NULL: whatever the playlist.';
comment on column mart.my_play_exclusion.device_type is 'Only what you played on this kind of device; NULL: whatever the device.';
comment on column mart.my_play_exclusion.platform is 'Only what you played on this platform; NULL: whatever the platform.';
comment on column mart.my_play_exclusion.artist_id is 'Only what you played of this artist; NULL: whatever the artist.';
comment on column mart.my_play_exclusion.track_id is 'Only what you played of the recording of this track; NULL: whatever the track.';
comment on column mart.my_play_exclusion.first_date is 'Only what you played from this day on; NULL: from the first.';
comment on column mart.my_play_exclusion.last_date is 'Only what you played up to this day, which is included; NULL: without an end.';
comment on column mart.my_play_exclusion.is_own is 'Whether you stated it; else an analyst of this warehouse.';
comment on column mart.my_play_exclusion.note is 'Why.';
comment on column mart.my_play_exclusion.stated_at is 'When it was stated.';
comment on column mart.my_play_exclusion.revoked_at is 'When it was taken back; NULL while it holds.';
