-- name: lock
-- One owner's askings come one after the other; the lock goes with the transaction.
select pg_advisory_xact_lock(hashtextextended('quota ' || %(owner_id)s::text, 0))

-- name: known
-- Whether this asset is promised its room already, or counted.
select exists (select 1 from api.quota_reservations where asset_id = %(asset_id)s and until > %(now)s)
    or exists (select 1 from live.activity where asset_id = %(asset_id)s)

-- name: used
-- Bytes, files and uploads under way: what the read models count, and what was promised and they don't count yet.
select sum(bytes)::bigint, sum(files)::bigint, sum(uploads)::bigint from (
    select coalesce(sum(bytes), 0) as bytes, coalesce(sum(files), 0) as files, 0 as uploads
    from live.storage
    where owner_id = %(owner_id)s and kind = 'original'
    union all
    select coalesce(sum(size), 0), count(*), count(*) filter (where expires_at > %(now)s)
    from live.assets
    where owner_id = %(owner_id)s and status = 'requested'
    union all
    select coalesce(sum(bytes), 0), count(*), count(*)
    from api.quota_reservations held
    where owner_id = %(owner_id)s and until > %(now)s and asset_id is distinct from %(instead_of)s
        and not exists (select 1 from live.activity heard where heard.asset_id = held.asset_id)
) as together

-- name: reserve
insert into api.quota_reservations (asset_id, owner_id, bytes, until)
values (%(asset_id)s, %(owner_id)s, %(bytes)s, %(until)s)
on conflict (asset_id) do update set until = excluded.until

-- name: release
delete from api.quota_reservations where asset_id = any(%(asset_ids)s)
