-- name: lock
-- One user's askings come one after the other; the lock goes with the transaction.
select pg_advisory_xact_lock(hashtextextended('streams ' || %(owner_id)s::text, 0))

-- name: take
-- What this process holds of a user's streams, unless it is too many beside those of processes that live.
insert into api.stream_places as held (owner_id, holder, places, said)
select %(owner_id)s, %(holder)s, %(places)s, %(said)s
where %(places)s <= %(most)s - (
    select coalesce(sum(places), 0) from api.stream_places join api.stream_holders using (holder)
    where owner_id = %(owner_id)s and holder <> %(holder)s and until > statement_timestamp()
)
on conflict (owner_id, holder) do update set places = excluded.places, said = excluded.said
where held.said < excluded.said
returning true

-- name: say
-- The same for many users, asking nothing.
insert into api.stream_places as held (owner_id, holder, places, said)
select owner_id, %(holder)s, places, %(said)s
from unnest(%(owners)s::uuid[], %(places)s::int[]) as told (owner_id, places)
order by owner_id
on conflict (owner_id, holder) do update set places = excluded.places, said = excluded.said
where held.said < excluded.said

-- name: renew
-- Only what has not ended yet.
update api.stream_holders set until = statement_timestamp() + make_interval(secs => %(seconds)s)
where holder = %(holder)s and until > statement_timestamp()

-- name: begin
insert into api.stream_holders (holder, until)
values (%(holder)s, statement_timestamp() + make_interval(secs => %(seconds)s))
on conflict (holder) do update set until = excluded.until

-- name: sweep
-- Processes that are dead, with their places, and users of whom this process holds nothing.
with dead as (delete from api.stream_holders where until < statement_timestamp() and holder <> %(holder)s)
delete from api.stream_places where holder = %(holder)s and places = 0

-- name: leave
delete from api.stream_holders where holder = %(holder)s
