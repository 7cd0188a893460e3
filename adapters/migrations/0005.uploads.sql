-- What the doors remember of uploads: soft state, which comes back from the read models or is not missed.

-- Room that was promised to an upload and that the read models do not count yet. A row whose asset they have
-- heard of says nothing any more, and none says anything after `until`.
create table api.quota_reservations (
    asset_id uuid primary key,
    owner_id uuid not null,
    bytes bigint not null,
    until timestamptz not null
);

create index quota_reservations_of_owner on api.quota_reservations (owner_id);

-- Which asset holds which bytes: `digest` is a keyed hash of an owner and of their file's digest, so that nobody
-- learns from it what anybody has. `position` is where its completion stands in the log.
create table api.contents (
    owner_id uuid not null,
    digest bytea not null,
    asset_id uuid not null,
    position text not null,
    primary key (owner_id, digest)
);

create index contents_of_asset on api.contents (asset_id);
