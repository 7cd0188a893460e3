-- One row an erasure; nothing personal. It stays, as a proof of what was done.
create table erasures (
    account_key  text        not null,
    erasure_id   uuid        not null,
    user_id      uuid        not null,
    lost         uuid[]      not null,      -- users of registrations that lost to this one: same address
    requested_at timestamptz not null,
    completed_at timestamptz,
    receipt      bytea,
    primary key (account_key, erasure_id)
);
create index erasures_by_id on erasures (erasure_id);
create index erasures_of_user on erasures (user_id);
create index erasures_under_way on erasures (requested_at, erasure_id) where completed_at is null;
