drop table staging.dim_user;

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
