create table mart.applied_play_exclusion (
    listener_key integer not null,
    is_private_session boolean not null,
    playlist_key integer,
    device_type text,
    platform text,
    artist_key integer,
    track_key integer,
    first_date date,
    last_date date
);

create index applied_play_exclusion_listener_key_idx on mart.applied_play_exclusion (listener_key);

comment on table mart.applied_play_exclusion is 'The exclusions of plays that the marts were built with, by keys of the star: a build brings them up to date at its start.';
comment on column mart.applied_play_exclusion.listener_key is 'The user, as mart.listener has it.';
comment on column mart.applied_play_exclusion.is_private_session is 'Whether only events of private sessions are left out.';
comment on column mart.applied_play_exclusion.playlist_key is 'Only events played from this playlist; NULL: whatever the playlist.';
comment on column mart.applied_play_exclusion.device_type is 'Only events of this kind of device; NULL: whatever the device.';
comment on column mart.applied_play_exclusion.platform is 'Only events of this platform; NULL: whatever the platform.';
comment on column mart.applied_play_exclusion.artist_key is 'Only events of this artist, one row for each artist that is counted as it; NULL: whatever the artist.';
comment on column mart.applied_play_exclusion.track_key is 'Only events of this track, one row for each track of the recording; NULL: whatever the track.';
comment on column mart.applied_play_exclusion.first_date is 'Only events from this day of the user on; NULL: from the first.';
comment on column mart.applied_play_exclusion.last_date is 'Only events up to this day of the user; NULL: without an end.';
