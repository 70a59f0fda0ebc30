create view mart.wrapped_genre as
select
    l.user_id,
    y.year,
    t.rank,
    g.genre,
    t.play_millionths / 1000000.0 as plays,
    t.ms_millionths / 1000000 as ms_played
from mart.listener as l
inner join mart.listener_year as y on y.listener_key = l.listener_key
cross join lateral (
    select item_key, play_millionths, ms_millionths, row_number() over (order by play_millionths desc, item_key) as rank
    from mart.listener_year_count
    where listener_key = y.listener_key and kind = 'genre' and year = y.year
    order by play_millionths desc, item_key
    limit 100
) as t
inner join warehouse.dim_genre as g on g.genre_key = t.item_key;

comment on view mart.wrapped_genre is 'The hundred genres that a user played most in a year, and in all time as year 0.';
comment on column mart.wrapped_genre.user_id is 'The user.';
comment on column mart.wrapped_genre.year is 'The year, on the user''s calendar; 0 is all time.';
comment on column mart.wrapped_genre.rank is '1 for the most played: of equals the smallest key comes first.';
comment on column mart.wrapped_genre.genre is 'The genre.';
comment on column mart.wrapped_genre.plays is 'Plays by the weights of the tracks'' genres; tracks without a genre count for none.';
comment on column mart.wrapped_genre.ms_played is 'How long they were heard, ms, by the same weights.';
