-- name: by_prefix
-- With the owner's role; a key whose owner has no account is not there.
select k.key_id, k.user_id, k.account_key, k.prefix, k.hash, k.scopes, k.name, k.issued_at, k.expires_at, k.revoked_at, a.role
from live.api_keys k join live.accounts a using (account_key)
where k.prefix = %(prefix)s
order by k.account_key, k.key_id
limit 10

-- name: of_user
select k.key_id, k.user_id, k.account_key, k.prefix, k.hash, k.scopes, k.name, k.issued_at, k.expires_at, k.revoked_at, a.role
from live.api_keys k join live.accounts a using (account_key)
where k.user_id = %(user_id)s
order by k.issued_at desc, k.key_id desc
limit %(limit)s
