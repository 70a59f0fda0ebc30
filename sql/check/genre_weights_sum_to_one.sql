-- The weights of a track's genres do not sum to 1.
select track_id, sum(weight) as weights
from staging.bridge_track_genre
group by track_id
having not coalesce(abs(sum(weight) - 1) <= 1e-9, false)
