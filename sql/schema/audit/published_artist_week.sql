create table audit.published_artist_week (
    artist_key integer not null,
    week_start date not null,
    plays bigint not null,
    listeners integer not null,
    new_listeners integer,
    returning_listeners integer,
    constraint published_artist_week_pkey primary key (artist_key, week_start),
    constraint published_artist_week_artist_key_fkey foreign key (artist_key)
    references audit.published_artist on delete cascade
);

comment on table audit.published_artist_week is 'The published numbers of an artist by week: the sum over all batches.';
comment on column audit.published_artist_week.artist_key is 'The artist.';
comment on column audit.published_artist_week.week_start is 'Monday of the week, on the listeners'' calendars; -infinity for plays that are published without a week.';
comment on column audit.published_artist_week.plays is 'Number of plays.';
comment on column audit.published_artist_week.listeners is 'Number of listeners when the week was last published, rounded down to fives.';
comment on column audit.published_artist_week.new_listeners is 'Those who played the artist for the first time, rounded down to fives; NULL if these or the others are fewer than five.';
comment on column audit.published_artist_week.returning_listeners is 'Those who had played the artist in an earlier week; NULL under the same condition.';
