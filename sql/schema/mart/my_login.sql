create view mart.my_login with (security_barrier) as
select
    s.login_name,
    s.kind,
    s.user_id,
    u.username,
    s.artist_id,
    a.name as artist_name
from audit.signed_in as s
left join warehouse.dim_user as u on u.user_id = s.user_id and u.is_current
left join warehouse.dim_artist as a on a.artist_id = s.artist_id;

comment on view mart.my_login is 'Who you are here: one row for each login made by bin/add-login.';
comment on column mart.my_login.login_name is 'The name that you signed in with.';
comment on column mart.my_login.kind is 'analyst, operator, listener or artist.';
comment on column mart.my_login.user_id is 'For a listener: the user.';
comment on column mart.my_login.username is 'For a listener: the user''s name, if a source gives it.';
comment on column mart.my_login.artist_id is 'Of an artist: the artist.';
comment on column mart.my_login.artist_name is 'Of an artist: the name.';
