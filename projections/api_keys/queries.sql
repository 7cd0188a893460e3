-- name: by_prefix
-- With the owner's role; a key whose owner has no account is not there.
select k.key_id, k.user_id, k.account_key, k.prefix, k.hash, k.scopes, k.name, k.issued_at, k.expires_at, k.revoked_at, a.role
from live.api_keys k join live.accounts a using (account_key)
where k.prefix = %(prefix)s
order by k.account_key, k.key_id
limit 10

-- name: by_id
select k.key_id, k.user_id, k.account_key, k.prefix, k.hash, k.scopes, k.name, k.issued_at, k.expires_at, k.revoked_at, a.role
from live.api_keys k join live.accounts a using (account_key)
where k.user_id = %(user_id)s and k.key_id = %(key_id)s

-- name: of_user
-- Newest first; revoked ones only where asked for.
select k.key_id, k.user_id, k.account_key, k.prefix, k.hash, k.scopes, k.name, k.issued_at, k.expires_at, k.revoked_at, a.role
from live.api_keys k join live.accounts a using (account_key)
where k.user_id = %(user_id)s and (k.revoked_at is null or not %(unrevoked)s)
order by k.issued_at desc, k.key_id desc
limit %(limit)s
