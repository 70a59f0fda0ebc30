create table mart.artist_country (
    artist_key integer not null,
    plays integer not null,
    listeners integer not null,
    ms_played bigint not null,
    country text collate "C" not null,
    constraint artist_country_pkey primary key (artist_key, country)
);

comment on table mart.artist_country is 'Where an artist is played, over all time.';
comment on column mart.artist_country.artist_key is 'The artist that the plays name.';
comment on column mart.artist_country.plays is 'Number of plays.';
comment on column mart.artist_country.listeners is 'Number of users with a play there.';
comment on column mart.artist_country.ms_played is 'How long the plays were heard, ms.';
comment on column mart.artist_country.country is 'ISO 3166-1 alpha-2; "unknown" if not known.';
