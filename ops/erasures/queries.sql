-- name: under_way
-- Erasures that were asked for and are not completed, the oldest first.
select * from live.erasures where completed_at is null order by requested_at, erasure_id

-- name: completed
-- Those that are over.
select * from live.erasures where completed_at is not null order by requested_at, erasure_id

-- name: every
-- All of them, the newest first.
select * from live.erasures order by requested_at desc, erasure_id limit %(limit)s

-- name: one
select * from live.erasures where erasure_id = %(erasure_id)s

-- name: of_user
select * from live.erasures where user_id = %(user_id)s or %(user_id)s = any(lost)

-- name: assets
-- Every asset that the log ever told of under these owners; purged: whether its purge is in the log too.
select asset_id, owner_id, bool_or(event_type = 'AssetPurged') as purged
from live.activity where owner_id = any(%(owners)s)
group by asset_id, owner_id
order by asset_id, owner_id

-- name: purge_ends
-- Behind the last purge of these owners in each partition.
select partition, max("offset") + 1
from live.activity where owner_id = any(%(owners)s) and event_type = 'AssetPurged'
group by partition

-- name: soft_state
-- The tables of the doors' soft state that say whose a row is.
select table_name, column_name from information_schema.columns
where table_schema = 'api' and column_name in ('user_id', 'owner_id') and data_type = 'uuid'

-- name: personal_columns
-- The columns of the read models that say whose a row is.
select table_name, column_name from information_schema.columns
where table_schema = 'live' and column_name in ('user_id', 'owner_id') and data_type = 'uuid'
order by table_name
