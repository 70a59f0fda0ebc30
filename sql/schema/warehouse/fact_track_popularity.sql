create table warehouse.fact_track_popularity (
    track_key integer not null,
    date_key integer not null,
    popularity smallint not null,
    source text not null,
    constraint fact_track_popularity_pkey primary key (track_key, date_key),
    constraint fact_track_popularity_track_key_fkey foreign key (track_key) references warehouse.dim_track,
    constraint fact_track_popularity_date_key_fkey foreign key (date_key) references warehouse.dim_date,
    constraint fact_track_popularity_in_range check (popularity between 0 and 100)
);

comment on table warehouse.fact_track_popularity is 'A track''s popularity on a day on which it was fetched and had changed. Values of sources without a date are only in dim_track.';
comment on column warehouse.fact_track_popularity.track_key is 'The track.';
comment on column warehouse.fact_track_popularity.date_key is 'The day.';
comment on column warehouse.fact_track_popularity.popularity is 'Popularity from 0 to 100.';
comment on column warehouse.fact_track_popularity.source is 'The source of the values.';
