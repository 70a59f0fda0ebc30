create table audit.touched_track (
    track_key integer not null,
    constraint touched_track_pkey primary key (track_key)
);

comment on table audit.touched_track is 'Tracks whose recording, genres, audio features, cluster or newness have changed since the marts were built.';
comment on column audit.touched_track.track_key is 'The track.';

create function audit.touch_track() returns trigger
language plpgsql
set search_path = pg_catalog
as $$
begin
    insert into audit.touched_track (track_key) values (new.track_key) on conflict do nothing;
    return null;
end
$$;

-- Row by row, because the condition costs next to nothing for the many rows that it lets go.
create trigger touched_by_update after update on warehouse.dim_track
for each row
when (
    (
        old.recording_key, old.audio_features_type, old.audio_features_source, old.danceability, old.energy, old.loudness,
        old.speechiness, old.acousticness, old.instrumentalness, old.liveness, old.valence, old.tempo, old.newness_score
    ) is distinct from (
        new.recording_key, new.audio_features_type, new.audio_features_source, new.danceability, new.energy, new.loudness,
        new.speechiness, new.acousticness, new.instrumentalness, new.liveness, new.valence, new.tempo, new.newness_score
    )
)
execute function audit.touch_track();

create function audit.touch_track_of_genre() returns trigger
language plpgsql
set search_path = pg_catalog
as $$
begin
    -- Of the tracks that nobody has played yet, no mart knows the genres.
    insert into audit.touched_track (track_key)
    select distinct c.track_key
    from changed as c
    inner join mart.counted_track as t on t.track_key = c.track_key
    on conflict do nothing;
    return null;
end
$$;

create trigger touched_by_insert after insert on warehouse.bridge_track_genre
referencing new table as changed for each statement execute function audit.touch_track_of_genre();

create trigger touched_by_update after update on warehouse.bridge_track_genre
referencing new table as changed for each statement execute function audit.touch_track_of_genre();

create trigger touched_by_delete after delete on warehouse.bridge_track_genre
referencing old table as changed for each statement execute function audit.touch_track_of_genre();
