"""Every setting there is, by concern: type, default, variable and meaning."""

from adapters.settings.doors import DoorSettings, LimitSettings
from adapters.settings.identity import IdentitySettings
from adapters.settings.loading import Settings, SettingsError, load_settings, settings_or_exit
from adapters.settings.programs import ProjectorSettings, RuntimeSettings, WorkerSettings
from adapters.settings.quotas import QuotaSettings
from adapters.settings.rates import Rate, RateSettings
from adapters.settings.secrets import MasterKey, NamedSecret, SecretSettings, StaticKey
from adapters.settings.servers import KafkaSettings, PostgresSettings, RegistrySettings, StoreSettings

__all__ = [
    "DoorSettings",
    "IdentitySettings",
    "KafkaSettings",
    "LimitSettings",
    "MasterKey",
    "NamedSecret",
    "PostgresSettings",
    "ProjectorSettings",
    "QuotaSettings",
    "Rate",
    "RateSettings",
    "RegistrySettings",
    "RuntimeSettings",
    "SecretSettings",
    "Settings",
    "SettingsError",
    "StaticKey",
    "StoreSettings",
    "WorkerSettings",
    "load_settings",
    "settings_or_exit",
]
