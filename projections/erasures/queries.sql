-- name: by_id
select * from live.erasures where erasure_id = %(erasure_id)s order by account_key limit 1

-- name: of_user
select * from live.erasures where user_id = %(user_id)s order by requested_at, erasure_id limit 1

-- name: under_way
-- Oldest first.
select * from live.erasures where completed_at is null
order by requested_at, erasure_id
limit %(limit)s

-- name: latest
select * from live.erasures order by requested_at desc, erasure_id desc limit %(limit)s
