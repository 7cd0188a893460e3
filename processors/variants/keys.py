"""Where a job's objects lie: keys that name what they hold, so that writing them again changes nothing."""

import hashlib
import json
from dataclasses import asdict
from functools import cache
from uuid import UUID

from processors.jobs import Request
from schemas.events import Encoder, VariantsRequested

_EXTENSIONS = {"jpeg": "jpg"}


@cache
def encoder_hash(encoder: Encoder) -> str:
    """Names the programs that decide a variant's bytes: SHA-256 in hex over their versions."""
    text = json.dumps(asdict(encoder), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def variants_folder(request: Request, encoder: Encoder) -> str:
    """The prefix, without a final slash, of what the job that is asked for makes of its original.

    A set that is made again lies in a folder of its own: an older one by the same presets may be retired, and
    its objects deleted, at any moment.
    """
    made_by = f"{request.preset_set[:12]}-{encoder_hash(encoder)[:8]}"
    if isinstance(request, VariantsRequested):
        made_by += f"-{request.job_id.hex}"
    return (
        f"{variants_prefix(request.asset_id)}{_source_name(request.asset_id, request.object_key)}/{made_by}"
    )


def variants_prefix(asset_id: UUID) -> str:
    """What the keys of all variants of an asset begin with."""
    return f"assets/{asset_id}/variants/"


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
