-- name: how_many
-- Assets that a verification picks, counted.
select count(*)

-- name: wanted
-- The same, by id.
select asset_id

-- name: picked
-- What is picked: each condition counts where its parameter is not null. Without one about the status only
-- assets that have variants are meant; those in the trash are, as they can come back.
from live.assets
where (%(owner_id)s::uuid is null or owner_id = %(owner_id)s)
  and case when %(status)s::text is null then preset_set is not null else status = %(status)s end
  and (%(content_type)s::text is null or content_type = %(content_type)s)
  and (
      %(preset_set)s::text is null
      or starts_with(preset_set, %(preset_set)s)
      or exists (
          select 1 from jsonb_array_elements(kept) one where starts_with(one ->> 'preset_set', %(preset_set)s)
      )
  )

-- name: page
  and (%(after)s::uuid is null or asset_id > %(after)s)
order by asset_id
limit %(limit)s
