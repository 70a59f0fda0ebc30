-- The name of a listener's login, and a listener's own words, may say who a user is.
create view mart.play_exclusion as
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
    case when not x.is_own then x.note end as note,
    case when not x.is_own then x.stated_by end as stated_by,
    x.stated_at,
    case when not x.is_own then x.revoked_by end as revoked_by,
    x.revoked_at
from warehouse.play_exclusion as x;

comment on view mart.play_exclusion is 'What is left out of the counts, per user, and what was: each row leaves out what meets all of its conditions.';
comment on column mart.play_exclusion.exclusion_id is 'Number of the exclusion, for mart.count_plays_again.';
comment on column mart.play_exclusion.user_id is 'The user whose events are left out.';
comment on column mart.play_exclusion.is_private_session is 'Whether only events of private sessions are left out.';
comment on column mart.play_exclusion.playlist_id is 'Only events played from this playlist; NULL: whatever the playlist.';
comment on column mart.play_exclusion.device_type is 'Only events of this kind of device; NULL: whatever the device.';
comment on column mart.play_exclusion.platform is 'Only events of this platform; NULL: whatever the platform.';
comment on column mart.play_exclusion.artist_id is 'Only events of this artist; NULL: whatever the artist.';
comment on column mart.play_exclusion.track_id is 'Only events of the recording of this track; NULL: whatever the track.';
comment on column mart.play_exclusion.first_date is 'Only events from this day of the user on; NULL: from the first.';
comment on column mart.play_exclusion.last_date is 'Only events up to this day of the user, which is included; NULL: without an end.';
comment on column mart.play_exclusion.is_own is 'Whether the listener stated it; then only the listener takes it back.';
comment on column mart.play_exclusion.note is 'Why; NULL for a listener''s own.';
comment on column mart.play_exclusion.stated_by is 'The login that stated it; NULL for a listener''s own.';
comment on column mart.play_exclusion.stated_at is 'When it was stated.';
comment on column mart.play_exclusion.revoked_by is 'The login that took it back; NULL while it holds, and for a listener''s own.';
comment on column mart.play_exclusion.revoked_at is 'When it was taken back; NULL while it holds.';
