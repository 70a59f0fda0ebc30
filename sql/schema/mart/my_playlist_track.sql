create view mart.my_playlist_track with (security_barrier) as
select
    p.playlist_id,
    p.name as playlist_name,
    f.occurrence,
    f.added_at,
    t.track_id,
    t.name as track_name,
    a.name as artist_name,
    r.track_id as recording_id
from warehouse.dim_playlist as p
inner join warehouse.fact_playlist_track as f on f.playlist_key = p.playlist_key and f.valid_to = 'infinity'
inner join warehouse.dim_track as t on t.track_key = f.track_key
left join warehouse.dim_track as r on r.track_key = t.recording_key
left join lateral (
    select n.name
    from warehouse.bridge_track_artist as b
    inner join warehouse.dim_artist as n on n.artist_key = b.artist_key
    where b.track_key = t.track_key
    order by b.position
    limit 1
) as a on true
where p.owner_id = (select s.owner_id from audit.signed_in as s);

comment on view mart.my_playlist_track is 'The current tracks of your own playlists.';
comment on column mart.my_playlist_track.playlist_id is 'The playlist.';
comment on column mart.my_playlist_track.playlist_name is 'Its name.';
comment on column mart.my_playlist_track.occurrence is '1 for the first time that the track is in the playlist, 2 for the second.';
comment on column mart.my_playlist_track.added_at is 'When a user added it, if the source gives it; else NULL.';
comment on column mart.my_playlist_track.track_id is 'The track.';
comment on column mart.my_playlist_track.track_name is 'Its name.';
comment on column mart.my_playlist_track.artist_name is 'Its first artist.';
comment on column mart.my_playlist_track.recording_id is 'The track id that names the recording.';
