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
    deleted_at         timestamptz,
    taken_at           text,                  -- as the camera wrote it: local time, no zone
    camera             text,
    thumbhash          text,                  -- base64
    width              bigint,                -- pixels, upright
    height             bigint, 
    upload_id          uuid,
    original_key       text,
    variants           jsonb       not null,  -- [{name, object_key, content_type, width, height, size}]
    preset_set         text,
    job_id             uuid,                  -- the newest job
    error_kind         text,
    error_code         text,
    version            bigint      not null,  -- accepted events that a person caused
    position_partition integer     not null,  -- the last record that changed this row
    position_offset    bigint      not null
);
create index assets_of_owner on assets (owner_id, listed_at desc, asset_id desc);
