alter table audit.login add column password_digest text collate "C";

comment on column audit.login.password_digest is 'SHA-256 of the SCRAM verifier of the password that bin/add-login made: where the server has another one, the login has chosen its own password.';
