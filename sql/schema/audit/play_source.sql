create table audit.play_source (
    user_id text collate "C" not null,
    source text not null,
    constraint play_source_pkey primary key (user_id, source)
);

comment on table audit.play_source is 'The sources of a user''s real plays: only users with several sources can have plays that are reported twice.';
comment on column audit.play_source.user_id is 'The user.';
comment on column audit.play_source.source is 'The source.';
