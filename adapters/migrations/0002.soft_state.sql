-- Soft state of the doors: lost with the database, and outside every promise of a rebuild.

create schema api;

-- Reservations of Idempotency-Keys: `scope` is a keyed hash of owner, route, target and key.
create table api.idempotency (
    scope bytea primary key,
    request_hash bytea not null,
    created_at timestamptz not null
);

create index idempotency_created_at on api.idempotency (created_at);
