-- What remains of each rate: lost with a crash of the database, and then everybody begins anew.

-- `scope` is a keyed hash of a class and whom it counts (a user, a key, a network, an account), so that nobody's
-- address stands here. `full_at` is when all that was taken is given back, in seconds since 1970; a row whose time
-- is past says nothing any more. `granted` is what the last asking got, for its own statement to return.
create unlogged table api.rate_limits (
    scope bytea primary key,
    full_at double precision not null,
    granted int not null
) with (fillfactor = 50);
