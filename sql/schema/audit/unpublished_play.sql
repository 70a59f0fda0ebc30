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

comment on table audit.unpublished_play is 'Plays of published artists that came or went since their last batch, and wait for the next one.';
comment on column audit.unpublished_play.artist_key is 'The artist that the plays name.';
comment on column audit.unpublished_play.listener_key is 'The user, as mart.listener has it; negative for one who was forgotten.';
comment on column audit.unpublished_play.week_start is 'Monday of the week, on the user''s calendar.';
comment on column audit.unpublished_play.recording_key is 'The recording; 0 where it is not known.';
comment on column audit.unpublished_play.plays is 'Number of plays that came, less those that went.';
comment on column audit.unpublished_play.country is 'Country of the plays, ISO 3166-1 alpha-2; "unknown" where it is not known.';
