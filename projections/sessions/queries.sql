-- name: standing
-- One session and its person, each as far as known; always one row.
select s.session_id, s.user_id, s.kind, s.started_at, s.expires_at, s.presented, s.refreshed_at,
       s.revoked_code, s.revoked_at, a.role, a.version,
       exists (select from live.erasures e where e.user_id = %(user_id)s) as erased
from (select) one
left join live.sessions s on s.session_id = %(session_id)s and s.user_id = %(user_id)s
left join live.accounts a on a.user_id = %(user_id)s
limit 1

-- name: of_user
-- Newest first; those that have ended only where asked for.
select session_id, user_id, kind, started_at, expires_at, presented, refreshed_at, revoked_code, revoked_at
from live.sessions
where user_id = %(user_id)s
  and (%(at)s::timestamptz is null or (revoked_code is null and expires_at > %(at)s))
order by started_at desc, session_id desc
limit %(limit)s
