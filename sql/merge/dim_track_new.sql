-- The new tracks, for a COPY into warehouse.dim_track: columns and types are its own. In the order of the id, so that keys
-- do not depend on how rows were staged and the index on the id grows at its end.
select
    s.track_key,
    coalesce(r.recording_key, s.track_key) as recording_key,
    coalesce(a.album_key, -1) as album_key,
    s.duration_ms,
    s.release_date,
    s.popularity::smallint as popularity,
    s.key::smallint as key,
    s.mode::smallint as mode,
    s.time_signature::smallint as time_signature,
    s.audio_features_type::smallint as audio_features_type,
    s.explicit,
    s.danceability,
    s.energy,
    s.loudness,
    s.speechiness,
    s.acousticness,
    s.instrumentalness,
    s.liveness,
    s.valence,
    s.tempo,
    s.newness_score,
    s.track_id,
    s.name,
    s.isrc,
    coalesce(s.primary_genre, 'unknown') as primary_genre,
    s.release_date_precision,
    s.release_date_source,
    s.popularity_source,
    s.audio_features_source,
    s.source
from (
    select
        fresh.*,
        ((select max(track_key) from warehouse.dim_track) + row_number() over (order by fresh.track_id))::integer
            as track_key
    from staging.dim_track as fresh
    where not exists (select from warehouse.dim_track as t where t.track_id = fresh.track_id)
) as s
left join staging.album_key as a on a.album_id = s.album_id
left join staging.recording_key as r on r.recording_id = s.recording_id
order by s.track_key
