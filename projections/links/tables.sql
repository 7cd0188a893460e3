-- One row a shared link, revoked or not; they go with their asset. The key begins with the asset, so that no
-- row is ever fed by two partitions.
create table links (
    asset_id   uuid        not null,
    link_id    uuid        not null,
    owner_id   uuid        not null,
    variant    text,                          -- null: any
    issued_at  timestamptz not null,
    expires_at timestamptz,                   -- null: never
    revoked_at timestamptz,
    primary key (asset_id, link_id)
);
create index links_by_id on links (link_id);
