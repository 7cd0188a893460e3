-- One row a session of somebody who has an account; they go with the account. The key begins with the account,
-- so that no row is ever fed by two partitions.
create table sessions (
    account_key  text        not null,
    session_id   uuid        not null,
    user_id      uuid        not null,
    kind         text        not null,
    started_at   timestamptz not null,
    expires_at   timestamptz not null,
    presented    bigint      not null,      -- highest generation of its refresh tokens presented; -1: none yet
    refreshed_at timestamptz,               -- when that was first presented
    revoked_code text,
    revoked_at   timestamptz,
    primary key (account_key, session_id)
);
create index sessions_by_id on sessions (session_id);
create index sessions_of_user on sessions (user_id, started_at desc, session_id desc);
