-- One row: tracks, their recordings, and how many have each kind of attribute.
select
    count(*) as tracks,
    count(distinct recording_key) as recordings,
    count(*) filter (where starts_with(track_id, 'name:')) as made_ids,
    count(release_date) as dated,
    count(danceability) as measured,
    count(*) filter (where source = 'made_up') as made_up,
    min(newness_score) as newness_lowest,
    max(newness_score) as newness_highest,
    (
        select run.tracks_added
        from audit.run
        where run.tracks_added is not null
        order by run.finished_at desc
        limit 1
    ) as added
from warehouse.dim_track
where track_key > 0;
