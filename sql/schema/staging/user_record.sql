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

comment on table staging.user_record is 'What sources say of users, on its way to warehouse.user_record.';
comment on column staging.user_record.user_id is 'The user.';
comment on column staging.user_record.valid_from is 'Since when the record holds; of an answer of the API when it was given.';
comment on column staging.user_record.source is 'Who said so: api, feed, account_export.';
comment on column staging.user_record.username is 'The name that the user shows; NULL, here and below, where the source does not say.';
comment on column staging.user_record.birthdate is 'Date of birth.';
comment on column staging.user_record.gender is 'Gender, as the source says it.';
comment on column staging.user_record.country is 'Home country, ISO 3166-1 alpha-2.';
comment on column staging.user_record.continent is 'Continent of that country.';
comment on column staging.user_record.timezone is 'Home timezone, by its IANA name.';
comment on column staging.user_record.favourite_genre is 'Favourite genre, as the source says it.';
comment on column staging.user_record.subscription_plan is 'Plan, as the source names it.';
