create table warehouse.user_record (
    user_id text collate "C" not null,
    valid_from timestamptz not null,
    source text not null,
    username text,
    birthdate date,
    gender text,
    country text,
    continent text,
    timezone text,
    favourite_genre text,
    subscription_plan text,
    constraint user_record_pkey primary key (user_id, valid_from, source)
);

comment on table warehouse.user_record is 'A record of a source about a user, with its time: dim_user is computed from all of them, in whatever order they arrived.';
comment on column warehouse.user_record.user_id is 'The user.';
comment on column warehouse.user_record.valid_from is 'Since when the record is valid; for a response of the API its time.';
comment on column warehouse.user_record.source is 'The source: api, feed, account_export.';
comment on column warehouse.user_record.username is 'The name that the user shows; NULL, here and below, if the source does not give it.';
comment on column warehouse.user_record.birthdate is 'Date of birth.';
comment on column warehouse.user_record.gender is 'Gender, as the source gives it.';
comment on column warehouse.user_record.country is 'Home country, ISO 3166-1 alpha-2.';
comment on column warehouse.user_record.continent is 'Continent of that country.';
comment on column warehouse.user_record.timezone is 'Home timezone, by its IANA name.';
comment on column warehouse.user_record.favourite_genre is 'Favourite genre, as the source gives it.';
comment on column warehouse.user_record.subscription_plan is 'Plan, as the source names it.';
