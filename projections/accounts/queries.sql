-- name: by_key
select * from live.accounts where account_key = %(account_key)s

-- name: by_user
select * from live.accounts where user_id = %(user_id)s

-- name: page
-- Newest first.
select * from live.accounts
where (%(registered_at)s::timestamptz is null
       or (registered_at, user_id) < (%(registered_at)s, %(user_id)s::uuid))
  and (%(role)s::text is null or role = %(role)s)
order by registered_at desc, user_id desc
limit %(limit)s
