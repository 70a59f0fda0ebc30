create table mart.artist_listener (
    artist_key integer not null,
    listener_key integer not null,
    first_date date not null,
    plays integer not null,
    country text collate "C" not null,
    constraint artist_listener_pkey primary key (artist_key, listener_key, country)
);

create table mart.artist_week (
    artist_key integer not null,
    week_start date not null,
    plays integer not null,
    listeners integer not null,
    new_listeners integer not null,
    ms_played bigint not null,
    constraint artist_week_pkey primary key (artist_key, week_start)
);

create table mart.artist_country (
    artist_key integer not null,
    plays integer not null,
    listeners integer not null,
    ms_played bigint not null,
    country text collate "C" not null,
    constraint artist_country_pkey primary key (artist_key, country)
);

create table mart.artist_track (
    artist_key integer not null,
    recording_key integer not null,
    ms_played bigint not null,
    plays integer not null,
    constraint artist_track_pkey primary key (artist_key, recording_key)
);

comment on table mart.artist_listener is 'Who ever played an artist, and where. An artist must not see it: it has single listeners.';
comment on column mart.artist_listener.artist_key is 'The artist.';
comment on column mart.artist_listener.listener_key is 'The user, as mart.listener has it.';
comment on column mart.artist_listener.first_date is 'The user''s first day with a play of the artist in that country.';
comment on column mart.artist_listener.plays is 'Number of plays.';
comment on column mart.artist_listener.country is 'Country of the plays, ISO 3166-1 alpha-2; "unknown" where it is not known.';
comment on table mart.artist_week is 'An artist''s week.';
comment on column mart.artist_week.artist_key is 'The artist that the plays name.';
comment on column mart.artist_week.week_start is 'Monday of the week, on the users'' calendars.';
comment on column mart.artist_week.plays is 'Number of plays.';
comment on column mart.artist_week.listeners is 'Number of users with a play.';
comment on column mart.artist_week.new_listeners is 'Users who played the artist for the first time.';
comment on column mart.artist_week.ms_played is 'How long the plays were heard, ms.';
comment on table mart.artist_country is 'Where an artist is played, over all time.';
comment on column mart.artist_country.artist_key is 'The artist that the plays name.';
comment on column mart.artist_country.plays is 'Number of plays.';
comment on column mart.artist_country.listeners is 'Number of users with a play there.';
comment on column mart.artist_country.ms_played is 'How long the plays were heard, ms.';
comment on column mart.artist_country.country is 'ISO 3166-1 alpha-2; "unknown" where it is not known.';
comment on table mart.artist_track is 'How often the recordings of an artist were played, over all time.';
comment on column mart.artist_track.artist_key is 'The artist that the plays name.';
comment on column mart.artist_track.recording_key is 'The recording.';
comment on column mart.artist_track.ms_played is 'How long the plays were heard, ms.';
comment on column mart.artist_track.plays is 'Number of plays.';
