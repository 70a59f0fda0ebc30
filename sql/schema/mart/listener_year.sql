create table mart.listener_year (
    first_play_at timestamptz not null,
    longest_session_at timestamptz,
    ms_played bigint not null,
    listener_key integer not null,
    plays integer not null,
    tracks integer not null,
    artists integer not null,
    new_artists integer not null,
    longest_session_ms integer,
    longest_streak_from date not null,
    longest_streak_days smallint not null,
    year smallint not null,
    constraint listener_year_pkey primary key (listener_key, year)
);

comment on table mart.listener_year is 'A user''s year in figures.';
comment on column mart.listener_year.first_play_at is 'When the first play began, UTC.';
comment on column mart.listener_year.longest_session_at is 'When the longest session began, UTC.';
comment on column mart.listener_year.ms_played is 'How long the plays were heard, ms.';
comment on column mart.listener_year.listener_key is 'The user, as mart.listener has it.';
comment on column mart.listener_year.plays is 'Number of plays.';
comment on column mart.listener_year.tracks is 'Number of recordings played.';
comment on column mart.listener_year.artists is 'Number of artists played.';
comment on column mart.listener_year.new_artists is 'Artists that the user had not played in an earlier year; of all time every one.';
comment on column mart.listener_year.longest_session_ms is 'Length of the longest session that began in that year, ms.';
comment on column mart.listener_year.longest_streak_from is 'First day of the longest streak of days with a play, within the year.';
comment on column mart.listener_year.longest_streak_days is 'Its length in days; of equally long ones the first counts.';
comment on column mart.listener_year.year is 'The year, on the user''s calendar; 0 is all time.';
