-- A key is staged more than once.
select 'dim_artist' as staged, artist_id as key, count(*) as rows
from staging.dim_artist
group by artist_id
having count(*) > 1
union all
select 'dim_album', album_id, count(*) from staging.dim_album group by album_id having count(*) > 1
union all
select 'dim_track', track_id, count(*) from staging.dim_track group by track_id having count(*) > 1
union all
select 'provider_features', track_id, count(*) from staging.provider_features group by track_id having count(*) > 1
union all
select 'dim_playlist', playlist_id, count(*) from staging.dim_playlist group by playlist_id having count(*) > 1
union all
select 'survey_response', response_id, count(*) from staging.survey_response group by response_id having count(*) > 1
union all
select 'dim_audio_cluster', audio_features_type::text, count(*)
from staging.dim_audio_cluster
group by audio_features_type
having count(*) > 1
union all
select 'cluster_fit', 'more than one fit', count(*) from staging.cluster_fit having count(*) > 1
union all
select 'track_alias', alias_kind || ' ' || alias_value, count(*)
from staging.track_alias
group by alias_kind, alias_value, case when alias_kind = 'isrc' then track_id end
having count(*) > 1
union all
select 'bridge_track_artist', track_id || ' ' || position, count(*)
from staging.bridge_track_artist
group by track_id, position
having count(*) > 1
union all
select 'bridge_track_genre', track_id || ' ' || genre, count(*)
from staging.bridge_track_genre
group by track_id, genre
having count(*) > 1
union all
select 'fact_playlist_track', playlist_id || ' ' || track_id || ' ' || occurrence, count(*)
from staging.fact_playlist_track
group by playlist_id, seen_at, track_id, occurrence
having count(*) > 1
union all
select 'playlist_snapshot', playlist_id || ' ' || seen_at, count(*)
from staging.playlist_snapshot
group by playlist_id, seen_at
having count(*) > 1
union all
select 'fact_track_popularity', track_id || ' ' || asked_on, count(*)
from staging.fact_track_popularity
group by track_id, asked_on
having count(*) > 1
union all
select 'fact_artist_popularity', artist_id || ' ' || asked_on, count(*)
from staging.fact_artist_popularity
group by artist_id, asked_on
having count(*) > 1
union all
select 'reconciliation', source || ' ' || from_id, count(*)
from staging.reconciliation
group by source, from_id
having count(*) > 1
union all
select 'input_key', input_id || ' ' || key_kind || ' ' || key, count(*)
from staging.input_key
group by input_id, key_kind, key
having count(*) > 1
union all
select 'rejected_row', input_id || ' ' || row_number, count(*)
from staging.rejected_row
group by input_id, row_number
having count(*) > 1
union all
select 'user_record', user_id || ' ' || valid_from, count(*)
from staging.user_record
group by user_id, valid_from, source
having count(*) > 1
union all
select 'refresh_state', kind || ' ' || id, count(*) from staging.refresh_state group by kind, id having count(*) > 1
