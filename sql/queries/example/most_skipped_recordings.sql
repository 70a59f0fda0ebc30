-- Which recordings are skipped most often, of those that were started at least five times?
select
    recording_id,
    min(track_name) as track_name,
    min(artist_name) as artist_name,
    count(*) filter (where activity_type = 'PLAY') as starts,
    count(*) filter (where is_skipped) as skips,
    round(count(*) filter (where is_skipped) * 1.0 / count(*) filter (where activity_type = 'PLAY'), 3)
        as skips_per_start
from mart.event_wide
where activity_type in ('PLAY', 'SKIP') and recording_id <> 'unknown'
group by recording_id
having count(*) filter (where activity_type = 'PLAY') >= 5
order by skips_per_start desc, starts desc, recording_id
limit 10;
