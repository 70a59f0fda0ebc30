-- The only reader of mart.counted_play among the functions of periods. Its index has all columns that are selected
-- here, so that a period costs the pages of the index with its plays, whatever the size of the table.
create function mart.period_play(user_id text, first_date date, last_date date)
returns table (local_date date, local_hour smallint, track_key integer, artist_key integer, ms_played integer)
language sql
stable parallel safe
as $$
    select p.local_date, p.local_hour, p.track_key, p.artist_key, p.ms_played
    from mart.counted_play as p
    where p.listener_key = (select l.listener_key from mart.listener as l where l.user_id = period_play.user_id)
        and p.local_date between period_play.first_date and period_play.last_date
        and not p.is_excluded
$$;

comment on function mart.period_play is 'The plays that count of a user from first_date to last_date, both included, on the user''s calendar.';
