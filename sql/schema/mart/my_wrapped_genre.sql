create view mart.my_wrapped_genre with (security_barrier) as
select m.*
from mart.wrapped_genre as m
where m.user_id = (select s.user_id from audit.signed_in as s);

comment on view mart.my_wrapped_genre is 'The hundred genres that you played most in a year, and in all time as year 0.';
comment on column mart.my_wrapped_genre.user_id is 'The user.';
comment on column mart.my_wrapped_genre.year is 'The year, on the user''s calendar; 0 is all time.';
comment on column mart.my_wrapped_genre.rank is '1 for the most played: of equals the smallest key comes first.';
comment on column mart.my_wrapped_genre.genre is 'The genre.';
comment on column mart.my_wrapped_genre.plays is 'Plays by the weights of the tracks'' genres; tracks without a genre count for none.';
comment on column mart.my_wrapped_genre.ms_played is 'How long they were heard, ms, by the same weights.';
