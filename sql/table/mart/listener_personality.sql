create table mart.catalogue_place (
    kind text not null,
    value integer not null,
    share_below double precision not null,
    share_until double precision not null,
    constraint catalogue_place_pkey primary key (kind, value),
    constraint catalogue_place_kind_known check (kind in ('popularity', 'release_month'))
);

create table mart.artist_place (
    artist_key integer not null,
    place double precision not null,
    constraint artist_place_pkey primary key (artist_key)
);

create table mart.listener_personality (
    first_told_at timestamptz not null,
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

comment on table mart.catalogue_place is 'Where a popularity or a month of release lies in the catalogue. Kept between builds: renewed, for all users, once a share has moved by more than 0.02.';
comment on column mart.catalogue_place.kind is 'popularity: among artists whose popularity is known; release_month: among recordings whose release date is known.';
comment on column mart.catalogue_place.value is 'The popularity, 0 to 100; or year times 12 plus month minus 1.';
comment on column mart.catalogue_place.share_below is 'Share of the catalogue that lies below.';
comment on column mart.catalogue_place.share_until is 'Share of the catalogue that lies below or here.';
comment on table mart.artist_place is 'Where an artist''s popularity lies among all artists. Kept between builds: renewed, for its listeners, once it has moved by more than 0.05.';
comment on column mart.artist_place.artist_key is 'The artist.';
comment on column mart.artist_place.place is '0 for the least popular artist, 1 for the most popular one.';
comment on table mart.listener_personality is 'The four traits of a user, by the user''s number; mart.user_personality names user and personality.';
comment on column mart.listener_personality.first_told_at is 'When the first of the plays that tell was, UTC.';
comment on column mart.listener_personality.listener_key is 'The user, as mart.listener has it.';
comment on column mart.listener_personality.plays is 'Number of plays that it was told from: the latest 2,000 outside of playlists.';
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
