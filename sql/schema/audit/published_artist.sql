create table audit.published_artist (
    artist_key integer not null,
    batches integer not null default 0,
    artist_id text collate "C" not null,
    constraint published_artist_pkey primary key (artist_key)
);

create index published_artist_artist_id_idx on audit.published_artist (artist_id);

comment on table audit.published_artist is 'Artists whose audience is published, because a login has shown it. Their plays are published in batches.';
comment on column audit.published_artist.artist_key is 'The artist.';
comment on column audit.published_artist.batches is 'Number of batches published so far.';
comment on column audit.published_artist.artist_id is 'The artist''s id, as dim_artist has it.';
