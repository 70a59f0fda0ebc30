create table audit.touched_playlist (
    playlist_key integer not null,
    constraint touched_playlist_pkey primary key (playlist_key)
);

comment on table audit.touched_playlist is 'Playlists whose tracks or owner have changed since the marts were built.';
comment on column audit.touched_playlist.playlist_key is 'The playlist.';

create function audit.touch_playlist() returns trigger
language plpgsql
set search_path = pg_catalog
as $$
begin
    insert into audit.touched_playlist (playlist_key)
    select distinct playlist_key from changed
    on conflict do nothing;
    return null;
end
$$;

create trigger touched_by_insert after insert on warehouse.fact_playlist_track
referencing new table as changed for each statement execute function audit.touch_playlist();

create trigger touched_by_update after update on warehouse.fact_playlist_track
referencing new table as changed for each statement execute function audit.touch_playlist();

create trigger touched_by_delete after delete on warehouse.fact_playlist_track
referencing old table as changed for each statement execute function audit.touch_playlist();

create trigger touched_by_insert after insert on warehouse.dim_playlist
referencing new table as changed for each statement execute function audit.touch_playlist();

create trigger touched_by_update after update on warehouse.dim_playlist
referencing new table as changed for each statement execute function audit.touch_playlist();

create trigger touched_by_delete after delete on warehouse.dim_playlist
referencing old table as changed for each statement execute function audit.touch_playlist();
