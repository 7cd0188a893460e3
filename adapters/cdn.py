"""Signs addresses on a CDN as Amazon CloudFront wants it: RSA with SHA-1 over its canned policy.

CloudFront's developer guide, "Create a signed URL using a canned policy"; SHA-1 is its choice, not ours.
"""

import base64
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import load_pem_private_key

# A page of 200 assets has a thousand addresses, and each costs half a millisecond of RSA.
_REMEMBERED = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class CdnSigner:
    """The key pair that a distribution trusts."""

    key_id: str
    key: rsa.RSAPrivateKey = field(repr=False)

    @classmethod
    def from_file(cls, key_id: str, path: Path) -> "CdnSigner":
        """With the RSA key in a PEM file; raises ValueError where there is none."""
        key = load_pem_private_key(path.read_bytes(), password=None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise ValueError("must hold an RSA key")
        return cls(key_id=key_id, key=key)

    def signed(self, url: str, expires_at: datetime) -> str:
        """The address, good until then; the same for the same arguments."""
        return _signed(self, url, int(expires_at.timestamp()))


@lru_cache(maxsize=_REMEMBERED)
def _signed(signer: CdnSigner, url: str, expires: int) -> str:
    condition = f'{{"DateLessThan":{{"AWS:EpochTime":{expires}}}}}'
    policy = f'{{"Statement":[{{"Resource":"{url}","Condition":{condition}}}]}}'
    signature = signer.key.sign(policy.encode(), padding.PKCS1v15(), SHA1())  # noqa: S303 - CloudFront's
    text = base64.b64encode(signature).decode().translate(str.maketrans("+=/", "-_~"))
    return f"{url}?Expires={expires}&Signature={text}&Key-Pair-Id={signer.key_id}"
