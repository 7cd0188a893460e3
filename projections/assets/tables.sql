-- One row an asset, as its owner sees it. Words and facts stand here in the clear; erasure deletes the row.
create table assets (
    asset_id           uuid        primary key,
    owner_id           uuid        not null,
    status             text        not null,
    title              text,
    description        text,
    tags               text[]      not null,
    file_name          text,
    content_type       text,
    size               bigint,
    requested_at       timestamptz not null,
    uploaded_at        timestamptz,
    listed_at          timestamptz not null,  -- the gallery's order: uploaded, else requested
    processed_at       timestamptz,
    expires_at         timestamptz,
    deleted_at         timestamptz,           -- since when it lies in the trash
    doomed             boolean     not null,  -- its time in the trash is over: nothing brings it back
    taken_at           text,                  -- as the camera wrote it: local time, no zone
    camera             text,
    thumbhash          text,                  -- base64
    width              bigint,                -- pixels, upright
    height             bigint, 
    upload_id          uuid,
    incoming_key       text        not null,  -- where the upload was awaited
    original_key       text,
    data_key_id        uuid,                  -- the owner's data key that results are sealed with
    sealed_digests     bytea,                 -- of the original, as its completion said
    variants           jsonb       not null,  -- [{name, object_key, content_type, width, height, size}]
    preset_set         text,
    manifest_key       text,                  -- of the set that is served
    metadata_key       text,                  -- the object with the camera's metadata
    kept               jsonb       not null,  -- [{job_id, preset_set, manifest_key, superseded_at}]
    job_id             uuid,                  -- the newest job
    error_kind         text,
    error_code         text,
    search             text[]      not null,  -- the terms it is found by (projections.assets.search)
    version            bigint      not null,  -- accepted events that a person caused
    position_partition integer     not null,  -- the last record that changed this row
    position_offset    bigint      not null
);
create index assets_of_owner on assets (owner_id, listed_at desc, asset_id desc);

-- The other orders of a gallery.
create index assets_by_taken on assets (owner_id, (coalesce(taken_at, '')), asset_id);
create index assets_by_title on assets (owner_id, (left(lower(coalesce(title, file_name, '')), 64)), asset_id);
create index assets_by_size on assets (owner_id, (coalesce(size, 0)), asset_id);
-- What an owner searches for, by words and tags.
create index assets_found on assets using gin (array_to_tsvector(search || owner_id::text));
-- What few assets are, for those who look after them.
create index assets_trashed on assets (deleted_at) where deleted_at is not null;
create index assets_overdue on assets (expires_at) where status = 'requested';
create index assets_with_kept_sets on assets (asset_id) where kept <> '[]';
