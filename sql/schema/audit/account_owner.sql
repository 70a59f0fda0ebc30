create table audit.account_owner (
    user_id text collate "C" not null,
    owner_id text collate "C" not null,
    constraint account_owner_pkey primary key (user_id)
);

create index account_owner_owner_id_idx on audit.account_owner (owner_id);

comment on table audit.account_owner is 'What playlists call an account as their owner: another id than its own, which never changes.';
comment on column audit.account_owner.user_id is 'The account, as dim_user has it.';
comment on column audit.account_owner.owner_id is 'The id, from its newest profile.';
