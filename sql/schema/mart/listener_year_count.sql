create view mart.listener_year_count as
select
    y.listener_key,
    y.year,
    c.kind,
    i.item_key,
    sum(i.play_millionths)::bigint as play_millionths,
    sum(i.ms_millionths)::bigint as ms_millionths
from mart.listener_year as y
inner join mart.listener_count as c
    on c.listener_key = y.listener_key and (y.year = 0 or extract(year from c.month_start) = y.year)
cross join lateral unnest(c.item_keys, c.play_millionths, c.ms_millionths)
    as i (item_key, play_millionths, ms_millionths)
group by y.listener_key, y.year, c.kind, i.item_key;

comment on view mart.listener_year_count is 'What a user played in a year, by kind, and how often.';
comment on column mart.listener_year_count.listener_key is 'The user, as mart.listener has it.';
comment on column mart.listener_year_count.year is 'The year, on the user''s calendar; 0 is all time.';
comment on column mart.listener_year_count.kind is 'recording, artist, genre, audio_cluster or hour.';
comment on column mart.listener_year_count.item_key is 'recording_key, artist_key, genre_key, audio_features_type or the hour on the user''s clock.';
comment on column mart.listener_year_count.play_millionths is 'Plays in millionths: a play counts for a genre by its weight.';
comment on column mart.listener_year_count.ms_millionths is 'How long they were heard, ms, in millionths.';
