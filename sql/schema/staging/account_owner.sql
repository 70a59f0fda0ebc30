create unlogged table staging.account_owner (
    user_id text collate "C",
    owner_id text collate "C"
);

comment on table staging.account_owner is 'What playlists call accounts, on its way to audit.account_owner.';
comment on column staging.account_owner.user_id is 'The account, as dim_user has it.';
comment on column staging.account_owner.owner_id is 'The id that playlists have of their owner.';
