"""Where a job's objects lie: keys that name what they hold, so that writing them again changes nothing."""

import hashlib
import json
from dataclasses import asdict
from functools import cache
from uuid import UUID

from schemas.events import Encoder

_EXTENSIONS = {"jpeg": "jpg"}


@cache
def encoder_hash(encoder: Encoder) -> str:
    """Names the programs that decide a variant's bytes: SHA-256 in hex over their versions."""
    text = json.dumps(asdict(encoder), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def variants_folder(*, asset_id: UUID, object_key: str, preset_set: str, encoder: Encoder) -> str:
    """The prefix, without a final slash, of what one preset set and encoder make of one original."""
    made_by = f"{preset_set[:12]}-{encoder_hash(encoder)[:8]}"
    return f"assets/{asset_id}/variants/{_source_name(asset_id, object_key)}/{made_by}"


def variant_key(folder: str, name: str, image_format: str) -> str:
    """The key of one variant; `image_format` is jpeg, webp, avif or png."""
    return f"{folder}/{name}.{_EXTENSIONS.get(image_format, image_format)}"


def manifest_key(folder: str) -> str:
    """The key of the manifest, which is written last."""
    return f"{folder}/manifest.json"


def metadata_key(*, asset_id: UUID, object_key: str) -> str:
    """The key of what the camera wrote into the original; it belongs to the original, not to a set."""
    return f"assets/{asset_id}/metadata/{_source_name(asset_id, object_key)}.json"


def _source_name(asset_id: UUID, object_key: str) -> str:
    """The original's nonce; of a key that is not shaped as ours, a digest."""
    nonce = object_key.removeprefix(f"assets/{asset_id}/original/")
    if nonce != object_key and nonce and "/" not in nonce:
        return nonce
    return hashlib.sha256(object_key.encode()).hexdigest()[:32]
