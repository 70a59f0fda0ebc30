alter table audit.run_input add column encoding text;
alter table audit.run_input add column remarks text[] not null default '{}';

comment on column audit.run_input.encoding is 'Encoding in which the text of a table was read.';
comment on column audit.run_input.remarks is 'What was guessed of how it is read, or left out of it, in sentences.';
