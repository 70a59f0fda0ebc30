create table audit.stream_check (
    checked_at timestamptz not null,
    value bigint not null,
    is_passed boolean not null,
    check_name text not null,
    run_id text collate "C" not null,
    message text not null,
    details jsonb not null,
    constraint stream_check_pkey primary key (checked_at, check_name)
);

comment on table audit.stream_check is 'The checks of the streams by the DAG watch_streams: a row for each check and run.';
comment on column audit.stream_check.checked_at is 'When the checks of the run began.';
comment on column audit.stream_check.value is 'The figure that the check is about: messages that wait, of a lag, lost or rejected; counts that differ.';
comment on column audit.stream_check.is_passed is 'Whether the check passed.';
comment on column audit.stream_check.check_name is 'The check, as docs/streams.md explains it.';
comment on column audit.stream_check.run_id is 'The run of the DAG.';
comment on column audit.stream_check.message is 'The result in words; of a check that did not pass with what to do.';
comment on column audit.stream_check.details is 'Figures that the next checks are compared with, such as the lag of each partition.';
