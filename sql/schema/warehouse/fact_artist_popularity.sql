create table warehouse.fact_artist_popularity (
    artist_key integer not null,
    date_key integer not null,
    popularity smallint,
    followers bigint,
    source text not null,
    constraint fact_artist_popularity_pkey primary key (artist_key, date_key),
    constraint fact_artist_popularity_artist_key_fkey foreign key (artist_key) references warehouse.dim_artist,
    constraint fact_artist_popularity_date_key_fkey foreign key (date_key) references warehouse.dim_date,
    constraint fact_artist_popularity_in_range check (popularity between 0 and 100),
    constraint fact_artist_popularity_followers_not_negative check (followers >= 0)
);

comment on table warehouse.fact_artist_popularity is 'An artist''s popularity and followers on a day on which they were fetched and had changed. Values of sources without a date are only in dim_artist.';
comment on column warehouse.fact_artist_popularity.artist_key is 'The artist.';
comment on column warehouse.fact_artist_popularity.date_key is 'The day.';
comment on column warehouse.fact_artist_popularity.popularity is 'Popularity from 0 to 100.';
comment on column warehouse.fact_artist_popularity.followers is 'Number of followers.';
comment on column warehouse.fact_artist_popularity.source is 'The source of the values.';
