create table live.published_artist_hour (
    hour_start timestamptz not null,
    plays integer not null,
    artist_id text collate "C" not null,
    divided_by text not null,
    item_id text collate "C" not null,
    constraint published_artist_hour_pkey primary key (artist_id, hour_start, divided_by, item_id),
    constraint published_artist_hour_division_known check (divided_by in ('nothing', 'track', 'country'))
);

comment on table live.published_artist_hour is 'What artists with a login see of their live plays: decided once for each hour, an hour after its end, and never changed.';
comment on column live.published_artist_hour.hour_start is 'The hour (UTC).';
comment on column live.published_artist_hour.plays is 'Number of plays, rounded down to fives.';
comment on column live.published_artist_hour.artist_id is 'The artist.';
comment on column live.published_artist_hour.divided_by is 'nothing for all plays of the hour, else track or country.';
comment on column live.published_artist_hour.item_id is 'The track id or the country; empty for all plays, and for those that are shown without a name.';
