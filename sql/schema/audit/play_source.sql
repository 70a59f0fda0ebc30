create table audit.play_source (
    user_id text collate "C" not null,
    source text not null,
    constraint play_source_pkey primary key (user_id, source)
);

comment on table audit.play_source is 'Who tells of a user''s real plays: only those of whom several tell have plays that are told twice.';
comment on column audit.play_source.user_id is 'The user.';
comment on column audit.play_source.source is 'The source.';
