create table mart.told_day (
    first_told_at timestamptz not null,
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
    constraint told_day_pkey primary key (listener_key, local_date)
);

create table mart.told_month (
    first_told_at timestamptz not null,
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
    constraint told_month_pkey primary key (listener_key, month_start)
);

comment on table mart.told_day is 'What a user''s day tells of the personality: sums over the day''s plays and choices, each judged by those before and after it.';
comment on column mart.told_day.first_told_at is 'When the first of the plays that tell was, UTC.';
comment on column mart.told_day.release_total is 'Sum of the dated choices'' places by release month, in millionths.';
comment on column mart.told_day.release_square_total is 'Sum of the squares of these.';
comment on column mart.told_day.popularity_total is 'Sum of the rated choices'' places by the artist''s popularity, in millionths.';
comment on column mart.told_day.popularity_square_total is 'Sum of the squares of these.';
comment on column mart.told_day.listener_key is 'The user, as mart.listener has it.';
comment on column mart.told_day.local_date is 'The user''s own day.';
comment on column mart.told_day.plays is 'Number of plays that tell: those outside of playlists whose recording and artist are known.';
comment on column mart.told_day.dated_plays is 'How many of them are of a recording with a known release date.';
comment on column mart.told_day.plays_on_repeat is 'How many of them are of a recording that is played three times or more among the thirty plays before and after.';
comment on column mart.told_day.choices is 'How many of them begin to play a recording: it was not among the thirty plays before.';
comment on column mart.told_day.unheard_choices is 'How many choices are of an artist who has no other recording among the thirty choices before and after.';
comment on column mart.told_day.dated_choices is 'How many choices are of a recording with a known release date.';
comment on column mart.told_day.rated_choices is 'How many choices are of an artist whose popularity is known.';
comment on table mart.told_month is 'The sums of mart.told_day by month.';
comment on column mart.told_month.first_told_at is 'When the first of the plays that tell was, UTC.';
comment on column mart.told_month.release_total is 'Sum of the dated choices'' places by release month, in millionths.';
comment on column mart.told_month.release_square_total is 'Sum of the squares of these.';
comment on column mart.told_month.popularity_total is 'Sum of the rated choices'' places by the artist''s popularity, in millionths.';
comment on column mart.told_month.popularity_square_total is 'Sum of the squares of these.';
comment on column mart.told_month.listener_key is 'The user, as mart.listener has it.';
comment on column mart.told_month.month_start is 'First day of the month on the user''s calendar.';
comment on column mart.told_month.plays is 'Number of plays that tell: those outside of playlists whose recording and artist are known.';
comment on column mart.told_month.dated_plays is 'How many of them are of a recording with a known release date.';
comment on column mart.told_month.plays_on_repeat is 'How many of them are of a recording that is played three times or more among the thirty plays before and after.';
comment on column mart.told_month.choices is 'How many of them begin to play a recording: it was not among the thirty plays before.';
comment on column mart.told_month.unheard_choices is 'How many choices are of an artist who has no other recording among the thirty choices before and after.';
comment on column mart.told_month.dated_choices is 'How many choices are of a recording with a known release date.';
comment on column mart.told_month.rated_choices is 'How many choices are of an artist whose popularity is known.';

alter table mart.counted_play add column is_from_playlist boolean not null default false;
alter table mart.counted_play alter column is_from_playlist drop default;
comment on column mart.counted_play.is_from_playlist is 'Whether it was played from a playlist: then it tells nothing of a personality.';
alter table mart.counted_track add column release_month integer;
comment on column mart.counted_track.release_month is 'Its month of release: year times 12 plus month minus 1.';
comment on column mart.listener_personality.plays is 'Number of plays outside of playlists that it was told from: the latest months that have 2,000 together.';
comment on column mart.user_personality.plays is 'Number of plays outside of playlists that it was told from: the latest months that have 2,000 together.';
create or replace trigger touched_by_update after update on warehouse.dim_track
for each row
when (
    (
        old.recording_key, old.audio_features_type, old.audio_features_source, old.danceability, old.energy, old.loudness,
        old.speechiness, old.acousticness, old.instrumentalness, old.liveness, old.valence, old.tempo, old.newness_score,
        old.release_date
    ) is distinct from (
        new.recording_key, new.audio_features_type, new.audio_features_source, new.danceability, new.energy, new.loudness,
        new.speechiness, new.acousticness, new.instrumentalness, new.liveness, new.valence, new.tempo, new.newness_score,
        new.release_date
    )
)
execute function audit.touch_track();
comment on table audit.touched_track is
'Tracks whose recording, genres, audio features, cluster, newness or release date have changed since the marts were built.';
-- What is counted says nothing of the new columns: the next build begins from nothing.
delete from mart.definition;
