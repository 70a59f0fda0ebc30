-- A staged row points to something that is neither staged nor published.
with track as materialized (
    select track_id from (
        select track_id from staging.bridge_track_artist
        union all
        select track_id from staging.bridge_track_genre
        union all
        select track_id from staging.track_alias
        union all
        select track_id from staging.fact_playlist_track
        union all
        select track_id from staging.fact_track_popularity
        union all
        select recording_id from staging.dim_track where recording_id is distinct from track_id
        union all
        select to_id from staging.reconciliation
    ) as named
    group by track_id
)

select 'track' as kind, n.track_id as id
from track as n
where not exists (select from staging.dim_track as s where s.track_id = n.track_id)
    and not exists (select from warehouse.dim_track as t where t.track_id = n.track_id)
union all
select distinct 'artist', n.artist_id
from (
    select artist_id from staging.bridge_track_artist
    union all
    select artist_id from staging.fact_artist_popularity
) as n
where not exists (select from staging.dim_artist as s where s.artist_id = n.artist_id)
    and not exists (select from warehouse.dim_artist as t where t.artist_id = n.artist_id)
union all
select distinct 'album', n.album_id
from staging.dim_track as n
where n.album_id is not null
    and not exists (select from staging.dim_album as s where s.album_id = n.album_id)
    and not exists (select from warehouse.dim_album as t where t.album_id = n.album_id)
union all
select distinct 'playlist', n.playlist_id
from (
    select playlist_id from staging.fact_playlist_track
    union all
    select playlist_id from staging.playlist_snapshot
) as n
where not exists (select from staging.dim_playlist as s where s.playlist_id = n.playlist_id)
    and not exists (select from warehouse.dim_playlist as t where t.playlist_id = n.playlist_id)
union all
select 'key of an input (track)', n.key
from staging.input_key as n
where n.key_kind = 'track'
    and not exists (select from staging.dim_track as s where s.track_id = n.key)
    and not exists (select from staging.track_alias as s where s.alias_value = n.key)
union all
select 'key of an input (provider_features)', n.key
from staging.input_key as n
where n.key_kind = 'provider_features'
    and not exists (
        select from staging.refresh_state as s where s.id = n.key and s.kind in ('reccobeats', 'mock_reccobeats')
    )
union all
select 'key of an input (artist)', n.key
from staging.input_key as n
where n.key_kind = 'artist' and not exists (select from staging.dim_artist as s where s.artist_id = n.key)
union all
select 'key of an input (playlist)', n.key
from staging.input_key as n
where n.key_kind = 'playlist' and not exists (select from staging.dim_playlist as s where s.playlist_id = n.key)
union all
select 'key of an input (user)', n.key
from staging.input_key as n
where n.key_kind = 'user' and not exists (select from staging.user_record as s where s.user_id = n.key)
union all
select 'key of an input (survey_response)', n.key
from staging.input_key as n
where n.key_kind = 'survey_response'
    and not exists (select from staging.survey_response as s where s.response_id = n.key)
union all
select 'key of an input (' || n.key_kind || ')', n.key
from staging.input_key as n
where n.key_kind is null or n.key_kind not in (
        'track', 'provider_features', 'artist', 'playlist', 'user', 'survey_response'
    )
