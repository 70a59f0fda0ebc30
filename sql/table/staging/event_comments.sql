-- A staged column means what the column that it fills means: where both have one name, so is the comment.
do $$
declare
    staged record;
begin
    for staged in
        select s.oid::regclass as name, a.attname, col_description(t.oid, b.attnum) as description
        from pg_class as s
        join pg_class as t
            on t.relname = case s.relname when 'dropped_event' then 'fact_event' else s.relname end
            and t.relnamespace = 'warehouse'::regnamespace
        join pg_attribute as a on a.attrelid = s.oid and a.attnum > 0
        join pg_attribute as b on b.attrelid = t.oid and b.attname = a.attname
        where s.relname in ('fact_event', 'fact_spoken_event', 'user_record', 'dropped_event')
            and s.relnamespace in ('staging'::regnamespace, 'audit'::regnamespace)
    loop
        execute format('comment on column %s.%I is %L', staged.name, staged.attname, staged.description);
    end loop;
end
$$;

comment on table staging.fact_event is 'Events with their keys, in partitions that become those of warehouse.fact_event.';
comment on table staging.fact_spoken_event is 'The same of podcasts and audiobooks, for warehouse.fact_spoken_event.';
comment on table staging.user_record is 'What sources say of users, on its way to warehouse.user_record.';
comment on table staging.event_named is 'What staged events name, in five sets; a set has values in its own columns only.';
comment on column staging.event_named.name_set is 'users: source and user_id. things: source and what is said of track and artist. playlists: source and playlist_id. contexts: how plays came about. months: input, month and whether spoken.';
comment on column staging.event_named.source is 'The source.';
comment on column staging.event_named.user_id is 'The user.';
comment on column staging.event_named.track_id is 'Spotify''s id of the track.';
comment on column staging.event_named.track_name is 'Its title.';
comment on column staging.event_named.artist_id is 'Spotify''s id of the artist.';
comment on column staging.event_named.artist_name is 'The artist''s name.';
comment on column staging.event_named.made_track is 'The id made of title and artist, where accounts tell of the track by its name.';
comment on column staging.event_named.made_artist is 'The id made of the artist''s name, where nothing has an id.';
comment on column staging.event_named.playlist_id is 'Spotify''s id of the playlist.';
comment on column staging.event_named.platform is 'Operating system or app.';
comment on column staging.event_named.reason_start is 'Why the play began.';
comment on column staging.event_named.reason_end is 'Why it ended.';
comment on column staging.event_named.is_shuffle is 'Whether shuffle was on.';
comment on column staging.event_named.is_offline is 'Whether the device was offline.';
comment on column staging.event_named.is_incognito is 'Whether the session was private.';
comment on column staging.event_named.subscription_plan is 'The plan at that time.';
comment on column staging.event_named.input_id is 'The input.';
comment on column staging.event_named.is_spoken is 'Whether podcast or audiobook.';
comment on column staging.event_named.first_day is 'First day of a month that has events (UTC).';
comment on column staging.event_named.row_count is 'How many events say so.';
comment on table staging.event_user is 'Users that staged events name.';
comment on column staging.event_user.user_id is 'The user.';
comment on column staging.event_user.source is 'A source that names the user.';
comment on table staging.event_artist is 'Artists that staged events name.';
comment on column staging.event_artist.artist_id is 'Spotify''s id, or one made of the name.';
comment on column staging.event_artist.name is 'The name, where an event says it.';
comment on column staging.event_artist.source is 'A source that names the artist.';
comment on table staging.event_track is 'Tracks that staged events name.';
comment on column staging.event_track.track_id is 'Spotify''s id, or one made of title and artist.';
comment on column staging.event_track.name is 'The title, where an event says it.';
comment on column staging.event_track.made_id is 'The id that is made of title and artist; NULL where nobody asked for it.';
comment on column staging.event_track.artist_id is 'Its artist, where an event says it.';
comment on column staging.event_track.source is 'A source that names the track.';
comment on table staging.event_playlist is 'Playlists that staged events name.';
comment on column staging.event_playlist.playlist_id is 'Spotify''s id.';
comment on column staging.event_playlist.source is 'A source that names the playlist.';
comment on table staging.event_context is 'How staged plays came about: each combination, as in warehouse.dim_play_context.';
comment on column staging.event_context.platform is 'Operating system or app.';
comment on column staging.event_context.reason_start is 'Why the play began.';
comment on column staging.event_context.reason_end is 'Why it ended.';
comment on column staging.event_context.is_shuffle is 'Whether shuffle was on.';
comment on column staging.event_context.is_offline is 'Whether the device was offline.';
comment on column staging.event_context.is_incognito is 'Whether the session was private.';
comment on column staging.event_context.subscription_plan is 'The plan at that time.';
comment on table staging.event_count is 'What became of the rows of each input before they were staged.';
comment on column staging.event_count.input_id is 'The input.';
comment on column staging.event_count.rows_accepted is 'Rows that were not refused.';
comment on column staging.event_count.rows_repeated is 'Rows among them that tell an event of this load once more.';
