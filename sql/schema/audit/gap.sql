create table audit.gap (
    user_id text collate "C" not null,
    gap_from timestamptz not null,
    gap_to timestamptz not null,
    found_at timestamptz not null,
    run_id text collate "C" not null,
    closed_at timestamptz,
    constraint gap_pkey primary key (user_id, gap_from),
    constraint gap_lasts check (gap_from < gap_to)
);

comment on table audit.gap is 'A time in which plays of an account may be missing, because Spotify shows the last 50 only.';
comment on column audit.gap.user_id is 'Whose plays, as dim_user has it.';
comment on column audit.gap.gap_from is 'The newest play that was known before.';
comment on column audit.gap.gap_to is 'The oldest play that Spotify still showed.';
comment on column audit.gap.found_at is 'When it was noticed.';
comment on column audit.gap.run_id is 'The run that noticed it.';
comment on column audit.gap.closed_at is 'When an account export that reaches over it was loaded; NULL while it is open.';
