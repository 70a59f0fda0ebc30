create view mart.wrapped_track as
select
    l.user_id,
    y.year,
    t.rank,
    d.track_id as recording_id,
    d.name as track_name,
    a.artist_id,
    a.name as artist_name,
    t.play_millionths / 1000000 as plays,
    t.ms_millionths / 1000000 as ms_played
from mart.listener as l
inner join mart.listener_year as y on y.listener_key = l.listener_key
cross join lateral (
    select item_key, play_millionths, ms_millionths, row_number() over (order by play_millionths desc, item_key) as rank
    from mart.listener_year_count
    where listener_key = y.listener_key and kind = 'recording' and year = y.year
    order by play_millionths desc, item_key
    limit 100
) as t
inner join warehouse.dim_track as d on d.track_key = t.item_key
left join lateral (
    select b.artist_key
    from warehouse.bridge_track_artist as b
    where b.track_key = d.track_key
    order by b.position
    limit 1
) as b on true
left join warehouse.dim_artist as a on a.artist_key = b.artist_key;

comment on view mart.wrapped_track is 'The hundred recordings that a user played most in a year, and in all time as year 0.';
comment on column mart.wrapped_track.user_id is 'The user.';
comment on column mart.wrapped_track.year is 'The year, on the user''s calendar; 0 is all time.';
comment on column mart.wrapped_track.rank is '1 for the most played: of equals the smallest key comes first.';
comment on column mart.wrapped_track.recording_id is 'The track id that names the recording.';
comment on column mart.wrapped_track.track_name is 'Its name.';
comment on column mart.wrapped_track.artist_id is 'Its first artist.';
comment on column mart.wrapped_track.artist_name is 'That artist''s name.';
comment on column mart.wrapped_track.plays is 'Number of plays.';
comment on column mart.wrapped_track.ms_played is 'How long they were heard, ms.';
