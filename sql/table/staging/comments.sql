-- A staged column means what the column that it fills means: where both have one name, so is the comment.
do $$
declare
    staged record;
begin
    for staged in
        select s.relname, a.attname, col_description(t.oid, b.attnum) as description
        from pg_class as s
        join pg_class as t on t.relname = s.relname and t.relnamespace in ('warehouse'::regnamespace, 'audit'::regnamespace)
        join pg_attribute as a on a.attrelid = s.oid and a.attnum > 0
        join pg_attribute as b on b.attrelid = t.oid and b.attname = a.attname
        where s.relnamespace = 'staging'::regnamespace and s.relkind = 'r'
    loop
        execute format('comment on column staging.%I.%I is %L', staged.relname, staged.attname, staged.description);
    end loop;
end
$$;

comment on table staging.load is 'The load in progress: one row.';
comment on column staging.load.load_id is 'The load; a writer that outlived another load finds its own no more.';
comment on column staging.load.run_id is 'The run that it belongs to.';
comment on column staging.load.reference_date is 'The day on which the sources are taken to have been seen.';
comment on column staging.load.table_names is 'The staged tables that this load fills; the others it leaves alone.';
comment on table staging.part is 'A partition of a frame that is staged, written together with its rows, so that it goes in once.';
comment on column staging.part.load_id is 'The load.';
comment on column staging.part.table_name is 'The staged table.';
comment on column staging.part.partition is 'Number of the partition.';

comment on table staging.dim_artist is 'Artists, on their way to warehouse.dim_artist.';
comment on table staging.dim_album is 'Albums, on their way to warehouse.dim_album.';
comment on table staging.dim_track is 'Tracks, on their way to warehouse.dim_track.';
comment on column staging.dim_track.recording_id is 'The smallest track id of the recording.';
comment on column staging.dim_track.album_id is 'The track''s album; NULL where no source names one.';
comment on table staging.dim_audio_cluster is 'Clusters of a new fit, on their way to warehouse.dim_audio_cluster.';
comment on table staging.cluster_fit is 'The new fit, on its way to audit.cluster_fit.';
comment on table staging.track_alias is 'Aliases, on their way to warehouse.track_alias.';
comment on column staging.track_alias.track_id is 'The track that the alias means.';
comment on table staging.bridge_track_artist is 'Artists of tracks, on their way to warehouse.bridge_track_artist.';
comment on column staging.bridge_track_artist.track_id is 'The track.';
comment on column staging.bridge_track_artist.artist_id is 'The artist.';
comment on table staging.bridge_track_genre is 'Genres of tracks, on their way to warehouse.bridge_track_genre.';
comment on column staging.bridge_track_genre.track_id is 'The track.';
comment on column staging.bridge_track_genre.genre is 'The genre.';
comment on table staging.dim_playlist is 'Playlists, on their way to warehouse.dim_playlist.';
comment on table staging.fact_playlist_track is 'Tracks in playlists, on their way to warehouse.fact_playlist_track.';
comment on column staging.fact_playlist_track.playlist_id is 'The playlist.';
comment on column staging.fact_playlist_track.track_id is 'The track.';
comment on table staging.dim_user is 'Users, on their way to warehouse.dim_user.';
comment on column staging.dim_user.seen_at is 'When the source said so.';
comment on table staging.refresh_state is 'What the API was asked for, on its way to audit.refresh_state.';
comment on table staging.survey_response is 'Survey answers, on their way to warehouse.survey_response.';
comment on table staging.reconciliation is 'Recognised ids, on their way to audit.reconciliation.';
comment on table staging.input_key is 'How many accepted rows of an input carry a key: what audit.row_count is counted from.';
comment on column staging.input_key.input_id is 'The input.';
comment on column staging.input_key.key_kind is 'What the key is of: track, artist, playlist, user or survey_response.';
comment on column staging.input_key.key is 'The key; a track''s may be an alias of it.';
comment on column staging.input_key.row_count is 'Number of accepted rows.';
comment on table staging.rejected_row is 'Refused rows, on their way to audit.rejected_row.';
