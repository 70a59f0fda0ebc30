create table mart.artist_week (
    artist_key integer not null,
    week_start date not null,
    plays integer not null,
    listeners integer not null,
    new_listeners integer not null,
    ms_played bigint not null,
    constraint artist_week_pkey primary key (artist_key, week_start)
);

comment on table mart.artist_week is 'An artist''s week.';
comment on column mart.artist_week.artist_key is 'The artist that the plays name.';
comment on column mart.artist_week.week_start is 'Monday of the week, on the users'' calendars.';
comment on column mart.artist_week.plays is 'Number of plays.';
comment on column mart.artist_week.listeners is 'Number of users with a play.';
comment on column mart.artist_week.new_listeners is 'Users who played the artist for the first time.';
comment on column mart.artist_week.ms_played is 'How long the plays were heard, ms.';
