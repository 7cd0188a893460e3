-- One row a run.
create table runs (
    run_id     uuid        primary key,
    kind       text        not null,         -- regenerate, presets, verify
    filter     text        not null,         -- JSON: which assets
    preset_set text,                         -- what is to be made; null: the active set
    owner_id   uuid,                         -- whose assets; null: everybody's
    actor_id   uuid,                         -- who started it; null: the system
    status     text        not null,         -- running, paused, cancelled, completed
    version    bigint      not null,         -- accepted events that steer it
    started_at timestamptz not null,
    paused_at  timestamptz,
    ended_at   timestamptz,
    counts     jsonb,                        -- {requested, completed, failed, skipped}, once all has ended
    steered    uuid[]      not null          -- the last events that steered it, oldest first
);
create index runs_by_age on runs (started_at desc, run_id desc);
create index runs_of_owner on runs (owner_id, started_at desc, run_id desc);
create index runs_open on runs (started_at, run_id) where counts is null;
