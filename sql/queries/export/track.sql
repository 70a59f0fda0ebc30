-- Tracks as records of the contract entity_track: $1 <= track_key < $2. Every id is a record, also if several ids are
-- one recording, because events refer to ids.
select
    t.track_id as "trackId",
    t.name as "name",
    a.artist_id as "artistId",
    t.primary_genre as "genre",
    t.duration_ms as "duration",
    t.release_date as "releaseDate",
    t.valence::real as "valence",
    t.tempo::real as "tempo",
    t.acousticness::real as "acousticness",
    t.energy::real as "energy",
    t.danceability::real as "danceability",
    t.audio_features_type::integer as "audioFeaturesType",
    t.newness_score as "newnessScore"
from warehouse.dim_track as t
left join (
    select distinct on (track_key) track_key, artist_key
    from warehouse.bridge_track_artist
    where track_key >= $1 and track_key < $2
    order by track_key, position
) as b on b.track_key = t.track_key
left join warehouse.dim_artist as a on a.artist_key = b.artist_key and a.artist_key > 0
where t.track_key > 0 and t.track_key >= $1 and t.track_key < $2
