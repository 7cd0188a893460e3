-- Live streams counted for all doors together, and what the doors' soft state needs to be forgotten by age.

-- One row a process that holds streams, with its lease: a process that died frees its places with it. Lost with
-- a crash of the database; every process writes its own again.
create unlogged table api.stream_holders (
    holder uuid primary key,
    until timestamptz not null
);

-- How many streams of a user each process holds. Of two writes the one of the higher `said` counts, in whatever
-- order they arrive; a process counts its own up.
create unlogged table api.stream_places (
    owner_id uuid not null,
    holder uuid not null references api.stream_holders on delete cascade,
    places int not null,
    said bigint not null,
    primary key (owner_id, holder)
);

create index stream_places_of_holder on api.stream_places (holder);

-- Since when somebody is known to hold these bytes, and until when that matters; null: as long as the asset is there.
alter table api.contents
    add column noted_at timestamptz not null default now(),
    add column until timestamptz;

create index contents_until on api.contents (until) where until is not null;
create index quota_reservations_until on api.quota_reservations (until);
