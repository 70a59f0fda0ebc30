create table mart.artist_listener (
    artist_key integer not null,
    listener_key integer not null,
    first_date date not null,
    plays integer not null,
    country text collate "C" not null,
    constraint artist_listener_pkey primary key (artist_key, listener_key, country)
);

comment on table mart.artist_listener is 'The listeners of each artist, with their country. An artist must not see it: it has single listeners.';
comment on column mart.artist_listener.artist_key is 'The artist.';
comment on column mart.artist_listener.listener_key is 'The user, as mart.listener has it.';
comment on column mart.artist_listener.first_date is 'The user''s first day with a play of the artist in that country.';
comment on column mart.artist_listener.plays is 'Number of plays.';
comment on column mart.artist_listener.country is 'Country of the plays, ISO 3166-1 alpha-2; "unknown" if not known.';
