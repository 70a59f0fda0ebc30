create view mart.wrapped_artist as
select
    l.user_id,
    y.year,
    t.rank,
    a.artist_id,
    a.name as artist_name,
    t.play_millionths / 1000000 as plays,
    t.ms_millionths / 1000000 as ms_played
from mart.listener as l
inner join mart.listener_year as y on y.listener_key = l.listener_key
cross join lateral (
    select item_key, play_millionths, ms_millionths, row_number() over (order by play_millionths desc, item_key) as rank
    from mart.listener_year_count
    where listener_key = y.listener_key and kind = 'artist' and year = y.year
    order by play_millionths desc, item_key
    limit 100
) as t
inner join warehouse.dim_artist as a on a.artist_key = t.item_key;

comment on view mart.wrapped_artist is 'The hundred artists that a user played most in a year, and in all time as year 0.';
comment on column mart.wrapped_artist.user_id is 'The user.';
comment on column mart.wrapped_artist.year is 'The year, on the user''s calendar; 0 is all time.';
comment on column mart.wrapped_artist.rank is '1 for the most played: of equals the smallest key comes first.';
comment on column mart.wrapped_artist.artist_id is 'The artist that the plays name.';
comment on column mart.wrapped_artist.artist_name is 'Its name.';
comment on column mart.wrapped_artist.plays is 'Number of plays.';
comment on column mart.wrapped_artist.ms_played is 'How long they were heard, ms.';
