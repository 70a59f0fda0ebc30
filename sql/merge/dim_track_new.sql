-- The new tracks, for a COPY into warehouse.dim_track, with its columns and types. In the order of the id, so that keys
-- do not depend on how rows were staged and the index on the id grows at its end; one sort serves both.
select
    fresh.track_key,
    coalesce(fresh.recording_key, fresh.track_key) as recording_key,
    coalesce(fresh.album_key, -1) as album_key,
    fresh.duration_ms,
    fresh.release_date,
    fresh.popularity::smallint as popularity,
    fresh.key::smallint as key,
    fresh.mode::smallint as mode,
    fresh.time_signature::smallint as time_signature,
    fresh.audio_features_type::smallint as audio_features_type,
    fresh.explicit,
    fresh.danceability,
    fresh.energy,
    fresh.loudness,
    fresh.speechiness,
    fresh.acousticness,
    fresh.instrumentalness,
    fresh.liveness,
    fresh.valence,
    fresh.tempo,
    fresh.newness_score,
    fresh.track_id,
    fresh.name,
    fresh.isrc,
    coalesce(fresh.primary_genre, 'unknown') as primary_genre,
    fresh.release_date_precision,
    fresh.release_date_source,
    fresh.popularity_source,
    fresh.audio_features_source,
    fresh.source
from (
    select
        s.*,
        a.album_key,
        r.recording_key,
        ((select max(track_key) from warehouse.dim_track) + row_number() over (order by s.track_id))::integer
            as track_key
    from staging.dim_track as s
    left join staging.album_key as a on a.album_id = s.album_id
    left join staging.recording_key as r on r.recording_id = s.recording_id
    where not exists (select from warehouse.dim_track as t where t.track_id = s.track_id)
) as fresh
order by fresh.track_id
