"""The folder `.darkroom/`: what lies where."""

from dataclasses import dataclass
from pathlib import Path

from ops.stack.settings import StackSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """Paths inside one `.darkroom/`; `cache` may lie elsewhere and be shared."""

    root: Path
    cache: Path

    @property
    def data(self) -> Path:
        """What the servers keep; losing it loses everything."""
        return self.root / "data"

    @property
    def config(self) -> Path:
        """Configuration written anew at each start."""
        return self.root / "config"

    @property
    def logs(self) -> Path:
        """One file a program."""
        return self.root / "logs"

    @property
    def state(self) -> Path:
        """What our own processes keep on this machine, a folder each."""
        return self.root / "state"

    @property
    def env(self) -> Path:
        """Addresses and credentials as shell assignments."""
        return self.root / "env"

    @property
    def secrets(self) -> Path:
        """Random secrets, made once."""
        return self.root / "secrets.json"

    @property
    def record(self) -> Path:
        """Who runs, for `status`, `down` and the clean-up after a crash."""
        return self.root / "state.json"

    @property
    def lock(self) -> Path:
        """Held by the supervisor as long as it lives."""
        return self.root / "lock"

    @property
    def sample_taken(self) -> Path:
        """Present once the sample photograph has been through."""
        return self.root / "sample-taken"

    def log_of(self, name: str) -> Path:
        """The log file of one program."""
        return self.logs / f"{name}.log"

    def create(self) -> None:
        """Make the folders that every start needs; other users read none but the cache."""
        for path in (self.root, self.cache):
            path.mkdir(parents=True, exist_ok=True)
        for path in (self.data, self.config, self.logs, self.state):
            path.mkdir(mode=0o700, exist_ok=True)


def folder_of(settings: StackSettings) -> Folder:
    """The folder that these settings name."""
    root = settings.darkroom_home / ".darkroom"
    cache = settings.darkroom_cache or root / "cache"
    return Folder(root=root, cache=cache.expanduser().resolve())
