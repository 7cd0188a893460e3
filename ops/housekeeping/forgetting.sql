-- name: idempotency
-- Idempotency-Keys that nobody repeats any more; what they brought about is known by its event's id for ever.
delete from api.idempotency where scope = any(array(
    select scope from api.idempotency where created_at < %(keys_before)s order by created_at limit %(limit)s
))

-- name: quota_reservations
-- Room that was promised and is counted by the read models now, or never will be.
delete from api.quota_reservations where asset_id = any(array(
    select asset_id from api.quota_reservations where until < %(now)s order by until limit %(limit)s
))

-- name: contents
-- Bytes whose asset is gone, and uploads that can't be asked about any more. What was noted lately stays: the
-- read models may not have heard of its asset yet.
delete from api.contents where (owner_id, digest) in (
    select owner_id, digest from api.contents where until < %(now)s
    union all
    select owner_id, digest from api.contents held
    where noted_at < %(noted_before)s
        and not exists (select from live.assets asset where asset.asset_id = held.asset_id)
    limit %(limit)s
)

-- name: key_uses
-- When keys were last used that are no more.
delete from api.key_uses where key_id = any(array(
    select key_id from api.key_uses used
    where last_used_at < %(noted_before)s
        and not exists (select from live.api_keys known where known.key_id = used.key_id and revoked_at is null)
    limit %(limit)s
))

-- name: stream_tickets
delete from api.stream_tickets where digest = any(array(
    select digest from api.stream_tickets where expires_at < %(now)s limit %(limit)s
))

-- name: stream_holders
-- Processes that died, with the places that they held.
delete from api.stream_holders where holder = any(array(
    select holder from api.stream_holders where until < %(noted_before)s limit %(limit)s
))

-- name: rate_limits
-- What is full again says nothing.
delete from api.rate_limits where scope = any(array(
    select scope from api.rate_limits where full_at < extract(epoch from %(now)s::timestamptz) - 60
    limit %(limit)s
))
