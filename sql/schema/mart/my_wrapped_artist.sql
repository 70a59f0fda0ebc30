create view mart.my_wrapped_artist with (security_barrier) as
select m.*
from mart.wrapped_artist as m
where m.user_id = (select s.user_id from audit.signed_in as s);

comment on view mart.my_wrapped_artist is 'The hundred artists that you played most in a year, and in all time as year 0.';
comment on column mart.my_wrapped_artist.user_id is 'The user.';
comment on column mart.my_wrapped_artist.year is 'The year, on the user''s calendar; 0 is all time.';
comment on column mart.my_wrapped_artist.rank is '1 for the most played: of equals the smallest key comes first.';
comment on column mart.my_wrapped_artist.artist_id is 'The artist that the plays name.';
comment on column mart.my_wrapped_artist.artist_name is 'Its name.';
comment on column mart.my_wrapped_artist.plays is 'Number of plays.';
comment on column mart.my_wrapped_artist.ms_played is 'How long they were heard, ms.';
