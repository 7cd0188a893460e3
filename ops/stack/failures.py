"""What can keep the stack from running; each text is a sentence for the person at the terminal.

StackFailure
├── PortTaken          another program listens where ours should
├── NoRoom             the disk is too full to go on
├── Unsuited           wrong platform, wrong Python, or a package that is missing
├── DigestMismatch     a downloaded file is not the one that was committed
├── FetchFailed        a download did not come through
├── AlreadyRunning     another supervisor holds this folder
└── ProgramFailed      a program ended, or never became ready, while the stack was starting
"""


class StackFailure(Exception):
    """The stack can't run; the text says why and what to do."""


class PortTaken(StackFailure):
    """Another program listens where ours should."""


class NoRoom(StackFailure):
    """The disk is too full to go on."""


class Unsuited(StackFailure):
    """Wrong platform, wrong Python, or a package that is missing."""


class DigestMismatch(StackFailure):
    """A downloaded file is not the one that was committed."""


class FetchFailed(StackFailure):
    """A download did not come through."""


class AlreadyRunning(StackFailure):
    """Another supervisor holds this folder."""


class ProgramFailed(StackFailure):
    """A program ended, or never became ready, while the stack was starting."""
