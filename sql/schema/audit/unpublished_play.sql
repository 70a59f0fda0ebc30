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

comment on table audit.unpublished_play is 'Plays of published artists that were added or removed since their last batch, and wait for the next one.';
comment on column audit.unpublished_play.artist_key is 'The artist that the plays name.';
comment on column audit.unpublished_play.listener_key is 'The user, as mart.listener has it; negative for an erased user.';
comment on column audit.unpublished_play.week_start is 'Monday of the week, on the user''s calendar.';
comment on column audit.unpublished_play.recording_key is 'The recording; 0 if not known.';
comment on column audit.unpublished_play.plays is 'Number of added plays, less removed ones.';
comment on column audit.unpublished_play.country is 'Country of the plays, ISO 3166-1 alpha-2; "unknown" if not known.';
