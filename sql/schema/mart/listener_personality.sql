create table mart.listener_personality (
    first_play_at timestamptz not null,
    listener_key integer not null,
    plays integer not null,
    dated_plays integer not null,
    choices integer not null,
    exploration double precision,
    exploration_error double precision,
    newness double precision,
    newness_error double precision,
    loyalty double precision,
    loyalty_error double precision,
    commonality double precision,
    commonality_error double precision,
    constraint listener_personality_pkey primary key (listener_key)
);

comment on table mart.listener_personality is 'The four traits of a user, by the user''s number; mart.user_personality names user and personality.';
comment on column mart.listener_personality.first_play_at is 'Time of the first evaluated play, UTC.';
comment on column mart.listener_personality.listener_key is 'The user, as mart.listener has it.';
comment on column mart.listener_personality.plays is 'Number of evaluated plays, which are those outside of playlists: the latest months with 2,000 together.';
comment on column mart.listener_personality.dated_plays is 'Number of them with a known release date.';
comment on column mart.listener_personality.choices is 'Number of them that are choices: the recording was not among the thirty plays before.';
comment on column mart.listener_personality.exploration is 'Fraction of choices of an artist who has no other recording among the thirty choices before and after; NULL if there are too few.';
comment on column mart.listener_personality.exploration_error is 'Standard error of exploration.';
comment on column mart.listener_personality.newness is 'Mean rank of dated choices in the catalogue released by that time, 0 oldest; NULL if there are too few.';
comment on column mart.listener_personality.newness_error is 'Standard error of newness.';
comment on column mart.listener_personality.loyalty is 'Fraction of plays whose recording is played three times or more among the thirty plays before and after; NULL if there are too few.';
comment on column mart.listener_personality.loyalty_error is 'Standard error of loyalty.';
comment on column mart.listener_personality.commonality is 'Mean rank of the choices'' artists by popularity, 0 least popular; NULL if there are too few.';
comment on column mart.listener_personality.commonality_error is 'Standard error of commonality.';
