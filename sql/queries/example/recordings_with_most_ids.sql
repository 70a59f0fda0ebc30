-- Which recordings have the most track ids in the catalogue?
select
    main.name,
    string_agg(artist.name, ', ' order by part.position) as artists,
    ids.track_ids
from (
    select recording_key, count(*) as track_ids
    from warehouse.dim_track
    where track_key > 0 and merged_into_track_key = 0
    group by recording_key
    order by count(*) desc, recording_key
    limit 10
) as ids
join warehouse.dim_track as main on main.track_key = ids.recording_key
join warehouse.bridge_track_artist as part on part.track_key = main.track_key
join warehouse.dim_artist as artist using (artist_key)
group by ids.track_ids, ids.recording_key, main.name
order by ids.track_ids desc, ids.recording_key;
