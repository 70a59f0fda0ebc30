create unlogged table staging.dim_user (
    user_id text collate "C",
    username text,
    country text,
    subscription_plan text,
    source text,
    seen_at timestamptz
);
