create unlogged table staging.user_record (
    user_id text collate "C",
    valid_from timestamptz,
    source text,
    username text,
    birthdate date,
    gender text,
    country text,
    continent text,
    timezone text,
    favourite_genre text,
    subscription_plan text
);

comment on table staging.user_record is 'Records of sources about users, on its way to warehouse.user_record.';
comment on column staging.user_record.user_id is 'The user.';
comment on column staging.user_record.valid_from is 'Since when the record is valid; for a response of the API its time.';
comment on column staging.user_record.source is 'The source: api, feed, account_export.';
comment on column staging.user_record.username is 'The name that the user shows; NULL, here and below, if the source does not give it.';
comment on column staging.user_record.birthdate is 'Date of birth.';
comment on column staging.user_record.gender is 'Gender, as the source gives it.';
comment on column staging.user_record.country is 'Home country, ISO 3166-1 alpha-2.';
comment on column staging.user_record.continent is 'Continent of that country.';
comment on column staging.user_record.timezone is 'Home timezone, by its IANA name.';
comment on column staging.user_record.favourite_genre is 'Favourite genre, as the source gives it.';
comment on column staging.user_record.subscription_plan is 'Plan, as the source names it.';
