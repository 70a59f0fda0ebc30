create table mart.personality_month (
    first_play_at timestamptz not null,
    release_total bigint not null,
    release_square_total bigint not null,
    popularity_total bigint not null,
    popularity_square_total bigint not null,
    listener_key integer not null,
    month_start date not null,
    plays integer not null,
    dated_plays integer not null,
    plays_on_repeat integer not null,
    choices integer not null,
    unheard_choices integer not null,
    dated_choices integer not null,
    rated_choices integer not null,
    constraint personality_month_pkey primary key (listener_key, month_start)
);

comment on table mart.personality_month is 'The sums of mart.personality_day by month.';
comment on column mart.personality_month.first_play_at is 'Time of the first evaluated play, UTC.';
comment on column mart.personality_month.release_total is 'Sum of the dated choices'' ranks by release month, in millionths.';
comment on column mart.personality_month.release_square_total is 'Sum of the squares of these.';
comment on column mart.personality_month.popularity_total is 'Sum of the rated choices'' ranks by the artist''s popularity, in millionths.';
comment on column mart.personality_month.popularity_square_total is 'Sum of the squares of these.';
comment on column mart.personality_month.listener_key is 'The user, as mart.listener has it.';
comment on column mart.personality_month.month_start is 'First day of the month on the user''s calendar.';
comment on column mart.personality_month.plays is 'Number of evaluated plays: those outside of playlists whose recording and artist are known.';
comment on column mart.personality_month.dated_plays is 'Number of them with a known release date.';
comment on column mart.personality_month.plays_on_repeat is 'Number of them whose recording is played three times or more among the thirty plays before and after.';
comment on column mart.personality_month.choices is 'Number of them that are choices: the recording was not among the thirty plays before.';
comment on column mart.personality_month.unheard_choices is 'Number of choices of an artist who has no other recording among the thirty choices before and after.';
comment on column mart.personality_month.dated_choices is 'Number of choices of a recording with a known release date.';
comment on column mart.personality_month.rated_choices is 'Number of choices of an artist whose popularity is known.';
