create table audit.published_artist_country (
    artist_key integer not null,
    listeners integer not null,
    plays bigint not null,
    country text collate "C" not null,
    constraint published_artist_country_pkey primary key (artist_key, country),
    constraint published_artist_country_artist_key_fkey foreign key (artist_key)
    references audit.published_artist on delete cascade
);

comment on table audit.published_artist_country is 'The published numbers of an artist by country: the sum over all batches.';
comment on column audit.published_artist_country.artist_key is 'The artist.';
comment on column audit.published_artist_country.listeners is 'Number of listeners when the country was last published, rounded down to fives.';
comment on column audit.published_artist_country.plays is 'Number of plays.';
comment on column audit.published_artist_country.country is 'ISO 3166-1 alpha-2; "unknown" if not known; empty for plays that are published without a country.';
