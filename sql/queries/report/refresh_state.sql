-- How many ids were requested from the API, and the time of the oldest request.
with known as (
    select 'track' as kind, track_id as id
    from warehouse.dim_track
    where track_key > 0 and not starts_with(track_id, 'name:')
    union all
    select 'artist', artist_id
    from warehouse.dim_artist
    where artist_key > 0 and not starts_with(artist_id, 'name:')
    union all
    select 'audio_features', track_id
    from warehouse.dim_track
    where track_key > 0 and not starts_with(track_id, 'name:')
)

select kind, count(*) as known, count(refresh_state.asked_at) as asked, min(refresh_state.asked_at) as oldest
from known
left join audit.refresh_state using (kind, id)
group by kind
order by array_position(array['track', 'artist', 'audio_features'], kind);
