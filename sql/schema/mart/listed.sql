create function mart.listed(words text[], last_by text)
returns text
language sql
immutable parallel safe
as $$
    select case
        when cardinality(words) < 2 then words[1]
        else array_to_string(words[:cardinality(words) - 1], ', ') || ' ' || last_by || ' ' || words[cardinality(words)]
    end
$$;

comment on function mart.listed is 'Words as a list in a sentence: "a, b and c"; NULL for none.';
