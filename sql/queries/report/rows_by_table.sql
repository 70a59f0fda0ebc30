-- Rows of each table of the star; the members "unknown" and "not applicable" are not counted.
select 'dim_track' as table_name, count(*) as rows from warehouse.dim_track where track_key > 0
union all
select 'dim_artist', count(*) from warehouse.dim_artist where artist_key > 0
union all
select 'dim_album', count(*) from warehouse.dim_album where album_key > 0
union all
select 'dim_genre', count(*) from warehouse.dim_genre where genre_key > 0
union all
select 'dim_playlist', count(*) from warehouse.dim_playlist where playlist_key > 0
union all
select 'dim_user', count(*) from warehouse.dim_user where user_key > 0
union all
select 'dim_play_context', count(*) from warehouse.dim_play_context where context_key > 0
union all
select 'fact_event', count(*) from warehouse.fact_event
union all
select 'fact_spoken_event', count(*) from warehouse.fact_spoken_event
union all
select 'dim_audio_cluster', count(*) from warehouse.dim_audio_cluster
union all
select 'bridge_track_artist', count(*) from warehouse.bridge_track_artist
union all
select 'bridge_track_genre', count(*) from warehouse.bridge_track_genre
union all
select 'fact_playlist_track', count(*) from warehouse.fact_playlist_track
union all
select 'fact_track_popularity', count(*) from warehouse.fact_track_popularity
union all
select 'fact_artist_popularity', count(*) from warehouse.fact_artist_popularity
union all
select 'track_alias', count(*) from warehouse.track_alias
union all
select 'survey_response', count(*) from warehouse.survey_response;
