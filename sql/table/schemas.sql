create schema staging;
create schema warehouse;
create schema mart;
create schema if not exists audit;
create schema simulation;

comment on schema staging is 'What the load in progress wrote, before its checks; empty or left over between loads.';
comment on schema warehouse is 'The star: dimensions, bridges and facts.';
comment on schema mart is 'Views and aggregates that most people query.';
comment on schema audit is 'What ran, with which inputs, and what became of each input row.';
comment on schema simulation is 'The truth behind made-up listeners; nothing that infers may read it.';

comment on table audit.schema_revision is 'The revision that the tables are at; written by migrations alone.';
comment on column audit.schema_revision.version_num is 'The revision.';
