create view mart.my_artist_track with (security_barrier) as
with track as (
    select
        t.*,
        t.recording_id is not null
        and t.plays >= 5
        and row_number() over (order by t.recording_id is null, t.plays desc, t.recording_key) <= 50 as is_named
    from audit.published_artist as p
    inner join audit.published_artist_track as t on t.artist_key = p.artist_key
    where p.artist_id = (select s.artist_id from audit.signed_in as s)
)

select recording_id, track_name, (plays / 5 * 5)::integer as plays
from track
where is_named
union all
select null, null, (sum(plays)::bigint / 5 * 5)::integer
from track
where not is_named
having sum(plays) >= 5;

comment on view mart.my_artist_track is 'Your fifty most played recordings, over all time, as published in batches of four weeks or more. Plays that are not shown by recording are in one row without a recording. Numbers are rounded down to fives.';
comment on column mart.my_artist_track.recording_id is 'The track id that names the recording; NULL for plays that are not shown by recording.';
comment on column mart.my_artist_track.track_name is 'Its name.';
comment on column mart.my_artist_track.plays is 'Number of plays.';
