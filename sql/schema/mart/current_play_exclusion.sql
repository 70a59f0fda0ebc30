-- An excluded track stands for its recording, and an artist for all artists that are counted as this one; both may
-- change between builds.
create view mart.current_play_exclusion as
select distinct
    l.listener_key,
    x.is_private_session,
    p.playlist_key,
    x.device_type,
    x.platform,
    g.artist_key,
    t.track_key,
    x.first_date,
    x.last_date
from warehouse.play_exclusion as x
inner join mart.listener as l on l.user_id = x.user_id
left join warehouse.dim_playlist as p on p.playlist_id = x.playlist_id
left join warehouse.dim_artist as a on a.artist_id = x.artist_id
left join mart.applied_artist_merge as m on m.artist_key = a.artist_key
left join lateral (
    select coalesce(m.merged_into_artist_key, a.artist_key) as artist_key
    where a.artist_key is not null
    union
    select o.artist_key
    from mart.applied_artist_merge as o
    where o.merged_into_artist_key = coalesce(m.merged_into_artist_key, a.artist_key)
) as g on true
left join warehouse.dim_track as n on n.track_id = x.track_id
left join lateral (
    select n.recording_key as track_key
    where n.track_key is not null
    union
    select d.track_key
    from warehouse.dim_track as d
    where d.recording_key = n.recording_key and d.recording_key <> d.track_key
) as t on true
where x.revoked_at is null
    and (x.playlist_id is null or p.playlist_key is not null)
    and (x.artist_id is null or a.artist_key is not null)
    and (x.track_id is null or t.track_key is not null);

comment on view mart.current_play_exclusion is 'The exclusions of plays that hold, by keys of the star. mart.applied_play_exclusion has those of the last build.';
comment on column mart.current_play_exclusion.listener_key is 'The user, as mart.listener has it.';
comment on column mart.current_play_exclusion.is_private_session is 'Whether only events of private sessions are left out.';
comment on column mart.current_play_exclusion.playlist_key is 'Only events played from this playlist; NULL: whatever the playlist.';
comment on column mart.current_play_exclusion.device_type is 'Only events of this kind of device; NULL: whatever the device.';
comment on column mart.current_play_exclusion.platform is 'Only events of this platform; NULL: whatever the platform.';
comment on column mart.current_play_exclusion.artist_key is 'Only events of this artist, one row for each artist that is counted as it; NULL: whatever the artist.';
comment on column mart.current_play_exclusion.track_key is 'Only events of this track, one row for each track of the recording; NULL: whatever the track.';
comment on column mart.current_play_exclusion.first_date is 'Only events from this day of the user on; NULL: from the first.';
comment on column mart.current_play_exclusion.last_date is 'Only events up to this day of the user; NULL: without an end.';
