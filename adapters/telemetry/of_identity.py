"""The metrics of people and their credentials; security events are counted beside them (of_doors)."""

from adapters.telemetry.families import Families, nothing


class IdentityMetrics:
    """Passwords and what was taken back."""

    def __init__(self, families: Families) -> None:
        """Makes the families."""
        self.password_seconds = families.histogram(
            "darkroom_password_seconds",
            "Hashing or checking a password, waiting for a thread included.",
            nothing,
        )
        self.passwords_waiting = families.gauge(
            "darkroom_passwords_in_hand",
            "Passwords being hashed or waiting; PASSWORD_QUEUE bounds them.",
            nothing,
        )
        self.denials = families.gauge(
            "darkroom_denials",
            "Sessions, keys and account versions that are refused before their time.",
            nothing,
        )
        self.verdict_seconds = families.histogram(
            "darkroom_verdict_seconds",
            "How long registrations, role and password changes and erasures waited for the log's word.",
            nothing,
        )
