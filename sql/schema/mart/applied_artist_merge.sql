create table mart.applied_artist_merge (
    artist_key integer not null,
    merged_into_artist_key integer not null,
    constraint applied_artist_merge_pkey primary key (artist_key)
);

comment on table mart.applied_artist_merge is 'The artists that the marts count as another one, by decision: a build brings them up to date at its start.';
comment on column mart.applied_artist_merge.artist_key is 'The artist that is counted as another.';
comment on column mart.applied_artist_merge.merged_into_artist_key is 'The artist that counts.';
