create table warehouse.dim_user (
    user_key integer not null,
    user_id text collate "C" not null,
    username text,
    country text,
    continent text,
    timezone text,
    birthdate date,
    gender text,
    favourite_genre text,
    subscription_plan text,
    source text not null,
    is_inferred boolean not null default false,
    valid_from timestamptz not null,
    valid_to timestamptz not null default 'infinity',
    is_current boolean generated always as (valid_to = 'infinity') stored,
    constraint dim_user_pkey primary key (user_key),
    constraint dim_user_version_key unique (user_id, valid_from),
    constraint dim_user_lasts check (valid_from < valid_to)
);

create unique index dim_user_is_current on warehouse.dim_user (user_id) where is_current;

comment on table warehouse.dim_user is 'A version of a user: a new one begins when plan, country or timezone changes; the other columns are overwritten.';
comment on column warehouse.dim_user.user_key is 'Surrogate key of the version; 0 is "not applicable", -1 "unknown".';
comment on column warehouse.dim_user.user_id is 'The user, the same in all versions; for accounts the API''s immutable account_id if it gives one.';
comment on column warehouse.dim_user.username is 'The name that the user shows.';
comment on column warehouse.dim_user.country is 'Home country, ISO 3166-1 alpha-2; NULL if the source does not give it.';
comment on column warehouse.dim_user.continent is 'Continent of that country.';
comment on column warehouse.dim_user.timezone is 'Home timezone, by its IANA name.';
comment on column warehouse.dim_user.birthdate is 'Date of birth.';
comment on column warehouse.dim_user.gender is 'Gender, as the source gives it.';
comment on column warehouse.dim_user.favourite_genre is 'Favourite genre, as the source gives it.';
comment on column warehouse.dim_user.subscription_plan is 'Plan, as the source names it; NULL if it gives none.';
comment on column warehouse.dim_user.source is 'Who knows the user: api for accounts.';
comment on column warehouse.dim_user.is_inferred is 'Whether only the id is known so far; completed later under the same key.';
comment on column warehouse.dim_user.valid_from is 'Since when this version is valid; -infinity for the first known one.';
comment on column warehouse.dim_user.valid_to is 'Until when it was valid; infinity for the current one.';
comment on column warehouse.dim_user.is_current is 'Whether this is the current version.';

insert into warehouse.dim_user (user_key, user_id, username, source, valid_from) values
    (0, 'not applicable', 'Not applicable', 'warehouse', '-infinity'),
    (-1, 'unknown', 'Unknown', 'warehouse', '-infinity');
