-- A record was folded before anybody knew that it is discarded: the rows are not those of a replay until one is made.
alter table infra.discards add column late boolean not null default false;

-- What each loop of each projector says of itself, every other second, for operators; nobody decides anything by it.
create table infra.loops (
    topic text not null,
    member text not null,
    said_at timestamptz not null,
    beat_at timestamptz not null,             -- when the loop last turned
    held_since timestamptz,                   -- it takes nothing, for too much was set aside
    trouble text,                             -- what keeps it from going on, and since when
    trouble_since timestamptz,
    last_error text,                          -- the last thing that did, over or not
    last_error_at timestamptz,
    oldest jsonb not null,                    -- of each partition it holds that is behind: from when on, in ms
    partitions int[] not null,
    primary key (topic, member)
);
