create table audit.published_artist (
    artist_key integer not null,
    batches integer not null default 0,
    artist_id text collate "C" not null,
    constraint published_artist_pkey primary key (artist_key)
);

create index published_artist_artist_id_idx on audit.published_artist (artist_id);

create table audit.published_artist_week (
    artist_key integer not null,
    week_start date not null,
    plays bigint not null,
    listeners integer not null,
    new_listeners integer,
    returning_listeners integer,
    constraint published_artist_week_pkey primary key (artist_key, week_start),
    constraint published_artist_week_artist_key_fkey foreign key (artist_key)
    references audit.published_artist on delete cascade
);

create table audit.published_artist_country (
    artist_key integer not null,
    listeners integer not null,
    plays bigint not null,
    country text collate "C" not null,
    constraint published_artist_country_pkey primary key (artist_key, country),
    constraint published_artist_country_artist_key_fkey foreign key (artist_key)
    references audit.published_artist on delete cascade
);

create table audit.published_artist_track (
    artist_key integer not null,
    recording_key integer not null,
    plays bigint not null,
    recording_id text collate "C",
    track_name text,
    constraint published_artist_track_pkey primary key (artist_key, recording_key),
    constraint published_artist_track_artist_key_fkey foreign key (artist_key)
    references audit.published_artist on delete cascade
);

create table audit.unpublished_play (
    artist_key integer not null,
    listener_key integer not null,
    week_start date not null,
    recording_key integer not null,
    plays integer not null,
    country text collate "C" not null,
    constraint unpublished_play_pkey primary key (artist_key, listener_key, week_start, recording_key, country),
    constraint unpublished_play_artist_key_fkey foreign key (artist_key)
    references audit.published_artist on delete cascade
);

create table audit.published_play (
    artist_key integer not null,
    batch integer not null,
    listener_key integer not null,
    week_start date not null,
    recording_key integer not null,
    plays integer not null,
    is_by_week boolean not null,
    is_by_country boolean not null,
    is_by_recording boolean not null,
    country text collate "C" not null,
    constraint published_play_artist_key_fkey foreign key (artist_key)
    references audit.published_artist on delete cascade
);

create index published_play_artist_key_idx on audit.published_play (artist_key);

comment on table audit.published_artist is 'Artists whose audience is published, because a login has shown it. Their plays are published in batches.';
comment on column audit.published_artist.artist_key is 'The artist.';
comment on column audit.published_artist.batches is 'Number of batches published so far.';
comment on column audit.published_artist.artist_id is 'The artist''s id, as dim_artist has it.';
comment on table audit.published_artist_week is 'What an artist is shown of a week: the sum of what each batch has published of it.';
comment on column audit.published_artist_week.artist_key is 'The artist.';
comment on column audit.published_artist_week.week_start is 'Monday of the week, on the listeners'' calendars; -infinity for plays that are published without a week.';
comment on column audit.published_artist_week.plays is 'Number of plays.';
comment on column audit.published_artist_week.listeners is 'Number of listeners when the week was last published, rounded down to fives.';
comment on column audit.published_artist_week.new_listeners is 'Those who played the artist for the first time, rounded down to fives; NULL where these or the others are fewer than five.';
comment on column audit.published_artist_week.returning_listeners is 'Those who had played the artist in an earlier week; NULL likewise.';
comment on table audit.published_artist_country is 'What an artist is shown of a country: the sum of what each batch has published of it.';
comment on column audit.published_artist_country.artist_key is 'The artist.';
comment on column audit.published_artist_country.listeners is 'Number of listeners when the country was last published, rounded down to fives.';
comment on column audit.published_artist_country.plays is 'Number of plays.';
comment on column audit.published_artist_country.country is 'ISO 3166-1 alpha-2; "unknown" where it is not known; empty for plays that are published without a country.';
comment on table audit.published_artist_track is 'What an artist is shown of a recording: the sum of what each batch has published of it.';
comment on column audit.published_artist_track.artist_key is 'The artist.';
comment on column audit.published_artist_track.recording_key is 'The recording; 0 for plays that are published without one.';
comment on column audit.published_artist_track.plays is 'Number of plays.';
comment on column audit.published_artist_track.recording_id is 'The track id that names the recording.';
comment on column audit.published_artist_track.track_name is 'Its name.';
comment on table audit.unpublished_play is 'Plays of published artists that came or went since their last batch, and wait for the next one.';
comment on column audit.unpublished_play.artist_key is 'The artist that the plays name.';
comment on column audit.unpublished_play.listener_key is 'The user, as mart.listener has it; negative for one who was forgotten.';
comment on column audit.unpublished_play.week_start is 'Monday of the week, on the user''s calendar.';
comment on column audit.unpublished_play.recording_key is 'The recording; 0 where it is not known.';
comment on column audit.unpublished_play.plays is 'Number of plays that came, less those that went.';
comment on column audit.unpublished_play.country is 'Country of the plays, ISO 3166-1 alpha-2; "unknown" where it is not known.';
comment on table audit.published_play is 'The plays behind what artists are shown: where some are taken back, those that are left must not be of a few.';
comment on column audit.published_play.artist_key is 'The artist that the plays name.';
comment on column audit.published_play.batch is 'The batch that they were published with, from 1.';
comment on column audit.published_play.listener_key is 'The user, as mart.listener has it; negative for one who was forgotten.';
comment on column audit.published_play.week_start is 'Monday of the week, on the user''s calendar.';
comment on column audit.published_play.recording_key is 'The recording; 0 where it is not known.';
comment on column audit.published_play.plays is 'Number of plays that came, less those that went.';
comment on column audit.published_play.is_by_week is 'Whether they are shown by week, and not without one.';
comment on column audit.published_play.is_by_country is 'Whether they are shown by country, and not without one.';
comment on column audit.published_play.is_by_recording is 'Whether they are shown by recording, and not without one.';
comment on column audit.published_play.country is 'Country of the plays, ISO 3166-1 alpha-2; "unknown" where it is not known.';
