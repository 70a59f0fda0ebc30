create table mart.personality_day (
    first_play_at timestamptz not null,
    release_total bigint not null,
    release_square_total bigint not null,
    popularity_total bigint not null,
    popularity_square_total bigint not null,
    listener_key integer not null,
    local_date date not null,
    plays integer not null,
    dated_plays integer not null,
    plays_on_repeat integer not null,
    choices integer not null,
    unheard_choices integer not null,
    dated_choices integer not null,
    rated_choices integer not null,
    constraint personality_day_pkey primary key (listener_key, local_date)
);

comment on table mart.personality_day is 'What a user''s day tells of the personality: sums over the day''s plays and choices, each judged by those before and after it.';
comment on column mart.personality_day.first_play_at is 'When the first of the plays that tell was, UTC.';
comment on column mart.personality_day.release_total is 'Sum of the dated choices'' places by release month, in millionths.';
comment on column mart.personality_day.release_square_total is 'Sum of the squares of these.';
comment on column mart.personality_day.popularity_total is 'Sum of the rated choices'' places by the artist''s popularity, in millionths.';
comment on column mart.personality_day.popularity_square_total is 'Sum of the squares of these.';
comment on column mart.personality_day.listener_key is 'The user, as mart.listener has it.';
comment on column mart.personality_day.local_date is 'The user''s own day.';
comment on column mart.personality_day.plays is 'Number of plays that tell: those outside of playlists whose recording and artist are known.';
comment on column mart.personality_day.dated_plays is 'How many of them are of a recording with a known release date.';
comment on column mart.personality_day.plays_on_repeat is 'How many of them are of a recording that is played three times or more among the thirty plays before and after.';
comment on column mart.personality_day.choices is 'How many of them begin to play a recording: it was not among the thirty plays before.';
comment on column mart.personality_day.unheard_choices is 'How many choices are of an artist who has no other recording among the thirty choices before and after.';
comment on column mart.personality_day.dated_choices is 'How many choices are of a recording with a known release date.';
comment on column mart.personality_day.rated_choices is 'How many choices are of an artist whose popularity is known.';
