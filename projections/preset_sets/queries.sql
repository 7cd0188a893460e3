-- name: all
select preset_set, presets, defined_at, activated_at,
    activated_offset is not null and activated_offset = max(activated_offset) over () as active
from live.preset_sets
order by activated_offset desc nulls last, defined_at desc, preset_set
