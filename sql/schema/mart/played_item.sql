-- One branch for each kind, so that a query for one kind reads the user's events once.
create view mart.played_item as
select
    u.user_id,
    'playlist' as kind,
    p.playlist_id as item_id,
    p.name,
    null::text as artist_name,
    count(*) as plays
from warehouse.dim_user as u
inner join warehouse.fact_event as e on e.user_key = u.user_key and e.activity_type = 'PLAY'
inner join warehouse.dim_playlist as p on p.playlist_key = e.playlist_key and p.playlist_key > 0
group by u.user_id, p.playlist_id, p.name
union all
select
    u.user_id,
    'platform',
    c.platform,
    c.platform,
    null::text,
    count(*)
from warehouse.dim_user as u
inner join warehouse.fact_event as e on e.user_key = u.user_key and e.activity_type = 'PLAY'
inner join warehouse.dim_play_context as c on c.context_key = e.context_key and c.context_key > 0
where c.platform is not null
group by u.user_id, c.platform
union all
select
    u.user_id,
    'artist',
    a.artist_id,
    a.name,
    null::text,
    count(*)
from warehouse.dim_user as u
inner join warehouse.fact_event as e on e.user_key = u.user_key and e.activity_type = 'PLAY'
inner join warehouse.dim_artist as a on a.artist_key = e.artist_key and a.artist_key > 0
group by u.user_id, a.artist_id, a.name
union all
select
    t.user_id,
    'track',
    d.track_id,
    d.name,
    a.name,
    t.plays
from (
    select u.user_id, e.track_key, min(e.artist_key) as artist_key, count(*) as plays
    from warehouse.dim_user as u
    inner join warehouse.fact_event as e on e.user_key = u.user_key and e.activity_type = 'PLAY'
    where e.track_key > 0
    group by u.user_id, e.track_key
) as t
inner join warehouse.dim_track as d on d.track_key = t.track_key
left join warehouse.dim_artist as a on a.artist_key = t.artist_key and a.artist_key > 0;

comment on view mart.played_item is 'What each user has ever played, with ids to leave it out by: playlists, platforms, artists and tracks. It reads all events of the users that a query selects.';
comment on column mart.played_item.user_id is 'The user.';
comment on column mart.played_item.kind is 'playlist, platform, artist or track.';
comment on column mart.played_item.item_id is 'Its id; of a platform its name.';
comment on column mart.played_item.name is 'Its name; NULL if only the id is known so far.';
comment on column mart.played_item.artist_name is 'Of a track: an artist that the plays name.';
comment on column mart.played_item.plays is 'Number of PLAY events, however short, left out or not.';
