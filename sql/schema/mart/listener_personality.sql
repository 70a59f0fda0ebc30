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
comment on column mart.listener_personality.first_play_at is 'When the first of the plays that tell was, UTC.';
comment on column mart.listener_personality.listener_key is 'The user, as mart.listener has it.';
comment on column mart.listener_personality.plays is 'Number of plays outside of playlists that it was told from: the latest months that have 2,000 together.';
comment on column mart.listener_personality.dated_plays is 'How many of them are of a recording with a known release date.';
comment on column mart.listener_personality.choices is 'How many of them begin to play a recording: it was not among the thirty plays before.';
comment on column mart.listener_personality.exploration is 'Share of choices of an artist who has no other recording among the thirty choices before and after; NULL where too few tell.';
comment on column mart.listener_personality.exploration_error is 'Standard error of exploration.';
comment on column mart.listener_personality.newness is 'Mean place of dated choices among what of the catalogue was out at that time, 0 oldest; NULL where too few tell.';
comment on column mart.listener_personality.newness_error is 'Standard error of newness.';
comment on column mart.listener_personality.loyalty is 'Share of plays whose recording is played three times or more among the thirty plays before and after; NULL where too few tell.';
comment on column mart.listener_personality.loyalty_error is 'Standard error of loyalty.';
comment on column mart.listener_personality.commonality is 'Mean place of the choices'' artists by popularity, 0 least popular; NULL where too few tell.';
comment on column mart.listener_personality.commonality_error is 'Standard error of commonality.';
