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

comment on table audit.published_play is 'The plays behind the published numbers: if some are removed, the remaining ones must not be those of a few listeners.';
comment on column audit.published_play.artist_key is 'The artist that the plays name.';
comment on column audit.published_play.batch is 'The batch that they were published with, from 1.';
comment on column audit.published_play.listener_key is 'The user, as mart.listener has it; negative for an erased user.';
comment on column audit.published_play.week_start is 'Monday of the week, on the user''s calendar.';
comment on column audit.published_play.recording_key is 'The recording; 0 if not known.';
comment on column audit.published_play.plays is 'Number of added plays, less removed ones.';
comment on column audit.published_play.is_by_week is 'Whether they are shown by week, and not without one.';
comment on column audit.published_play.is_by_country is 'Whether they are shown by country, and not without one.';
comment on column audit.published_play.is_by_recording is 'Whether they are shown by recording, and not without one.';
comment on column audit.published_play.country is 'Country of the plays, ISO 3166-1 alpha-2; "unknown" if not known.';
