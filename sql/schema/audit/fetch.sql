create table audit."fetch" (
    run_id text collate "C" not null,
    part text not null,
    account text,
    asked_at timestamptz not null,
    state text not null,
    mode text,
    calls jsonb not null default '{}',
    calls_saved integer not null default 0,
    playlists_seen integer not null default 0,
    playlists_changed integer not null default 0,
    playlists_rejected integer not null default 0,
    days_left integer,
    message text,
    input_id text collate "C",
    known jsonb not null default '{}',
    constraint fetch_pkey primary key (run_id, part),
    constraint fetch_state_known check (state in ('done', 'pending_quota', 'must_sign_in', 'failed')),
    constraint fetch_failure_has_message check (state in ('done', 'pending_quota') or message is not null)
);

create index fetch_account_idx on audit."fetch" (account, asked_at);

comment on table audit."fetch" is 'Calls of APIs in a run: a row for each Spotify account, one for Spotify''s catalogue, and one for each other provider of audio features.';
comment on column audit."fetch".run_id is 'The run.';
comment on column audit."fetch".part is 'The fetch within the run: the account''s file name, catalogue, or the provider of audio features.';
comment on column audit."fetch".account is 'The account''s name here; NULL for the catalogue and for providers.';
comment on column audit."fetch".asked_at is 'When the fetch ended.';
comment on column audit."fetch".state is 'done; pending_quota: the quota ended it and the next run continues; must_sign_in; failed.';
comment on column audit."fetch".mode is 'The quota mode of the app: development or extended; NULL if no response has shown it.';
comment on column audit."fetch".calls is 'Requests sent, by endpoint.';
comment on column audit."fetch".calls_saved is 'Pages that were cached and therefore not fetched.';
comment on column audit."fetch".playlists_seen is 'Playlists that were looked at.';
comment on column audit."fetch".playlists_changed is 'Playlists that had changed, so that their items were fetched.';
comment on column audit."fetch".playlists_rejected is 'Playlists whose items Spotify does not give us.';
comment on column audit."fetch".days_left is 'Days until the account must sign in again.';
comment on column audit."fetch".message is 'Why it failed, or what is not fetched yet; NULL if there is nothing.';
comment on column audit."fetch".input_id is 'The input of the lake that the fetch wrote; NULL if the responses had nothing new.';
comment on column audit."fetch".known is 'The sync state of the account: what need not be fetched again before it changes.';
