-- Alembic reads and writes the revision here; it would create the table in the same way.
create table audit.schema_revision (
    version_num varchar(32) not null,
    constraint schema_revision_pkc primary key (version_num)
);

comment on table audit.schema_revision is 'The revision that the tables are at; written by migrations alone.';
comment on column audit.schema_revision.version_num is 'The revision.';
