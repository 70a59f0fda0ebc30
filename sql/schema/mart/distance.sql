create function mart.distance(a double precision[], b double precision[])
returns double precision
language sql
immutable parallel safe
as $$
    select sqrt(
        (a[1] - b[1]) * (a[1] - b[1])
        + (a[2] - b[2]) * (a[2] - b[2])
        + (a[3] - b[3]) * (a[3] - b[3])
        + (a[4] - b[4]) * (a[4] - b[4])
        + (a[5] - b[5]) * (a[5] - b[5])
        + (a[6] - b[6]) * (a[6] - b[6])
        + (a[7] - b[7]) * (a[7] - b[7])
        + (a[8] - b[8]) * (a[8] - b[8])
        + (a[9] - b[9]) * (a[9] - b[9])
    )
$$;

comment on function mart.distance is 'Euclidean distance of two positions among the audio features.';
