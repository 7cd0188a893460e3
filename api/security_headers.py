"""The headers that every answer carries so that browsers do no more with it than they should."""

from typing import Final

from secure import (
    ContentSecurityPolicy,
    CrossOriginOpenerPolicy,
    CrossOriginResourcePolicy,
    PermissionsPolicy,
    ReferrerPolicy,
    Secure,
    StrictTransportSecurity,
    XContentTypeOptions,
    XFrameOptions,
)

Headers = tuple[tuple[bytes, bytes], ...]

# For pages of ours: scripts and data from here alone, never inline. Both pages style themselves as they run.
PAGE_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; worker-src 'self' blob:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


def security_headers(*, production: bool) -> Headers:
    """What is sent unless the answer says something of the same name itself; over TLS in production alone."""
    policy = ContentSecurityPolicy().default_src("'none'").frame_ancestors("'none'").base_uri("'none'")
    chosen = Secure(
        csp=policy,
        coop=CrossOriginOpenerPolicy().same_origin(),
        corp=CrossOriginResourcePolicy().same_origin(),
        hsts=StrictTransportSecurity().max_age(31_536_000).include_subdomains() if production else None,
        permissions=PermissionsPolicy().geolocation().camera().microphone(),
        referrer=ReferrerPolicy().no_referrer(),
        xcto=XContentTypeOptions().nosniff(),
        xfo=XFrameOptions().deny(),
    )
    return tuple((name.lower().encode(), value.encode()) for name, value in chosen.headers.items())
