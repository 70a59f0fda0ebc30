create table warehouse.bridge_track_genre (
    track_key integer not null,
    genre_key integer not null,
    source text not null,
    weight double precision not null,
    constraint bridge_track_genre_pkey primary key (track_key, genre_key),
    constraint bridge_track_genre_track_key_fkey foreign key (track_key) references warehouse.dim_track,
    constraint bridge_track_genre_genre_key_fkey foreign key (genre_key) references warehouse.dim_genre,
    constraint bridge_track_genre_weight_in_range check (weight > 0 and weight <= 1)
);

create index bridge_track_genre_genre_key_idx on warehouse.bridge_track_genre (genre_key);

create trigger queue_inserted after insert on warehouse.bridge_track_genre
referencing new table as changed for each statement execute function audit.queue_tracks_of_changed_genres();

create trigger queue_updated after update on warehouse.bridge_track_genre
referencing new table as changed for each statement execute function audit.queue_tracks_of_changed_genres();

create trigger queue_deleted after delete on warehouse.bridge_track_genre
referencing old table as changed for each statement execute function audit.queue_tracks_of_changed_genres();

comment on table warehouse.bridge_track_genre is 'A genre of a track; charts by genre use the weights.';
comment on column warehouse.bridge_track_genre.track_key is 'The track.';
comment on column warehouse.bridge_track_genre.genre_key is 'The genre.';
comment on column warehouse.bridge_track_genre.source is 'The source of the value.';
comment on column warehouse.bridge_track_genre.weight is 'Fraction of the track that belongs to the genre; a track''s weights sum to 1.';
