-- A track has an impossible value: no id or name, a feature out of its range, a date without its precision.
select *
from staging.dim_track
where not (
    track_id is not null
    and name is not null
    and source is not null
    and coalesce(duration_ms >= 0, true)
    and coalesce(popularity between 0 and 100, true)
    and coalesce(newness_score between 0 and 1, true)
    and coalesce(danceability between 0 and 1, true)
    and coalesce(energy between 0 and 1, true)
    and coalesce(loudness between -100 and 20, true)
    and coalesce(speechiness between 0 and 1, true)
    and coalesce(acousticness between 0 and 1, true)
    and coalesce(instrumentalness between 0 and 1, true)
    and coalesce(liveness between 0 and 1, true)
    and coalesce(valence between 0 and 1, true)
    and coalesce(tempo between 0 and 1000, true)
    and coalesce(key between -1 and 11, true)
    and coalesce(mode between 0 and 1, true)
    and coalesce(time_signature between 0 and 16, true)
    and (release_date is null) = (release_date_precision is null)
    and (release_date is null) = (release_date_source is null)
    and coalesce(release_date_precision in ('year', 'month', 'day'), true)
)
