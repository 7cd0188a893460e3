-- name: by_id
select * from live.erasures where erasure_id = %(erasure_id)s order by account_key limit 1
