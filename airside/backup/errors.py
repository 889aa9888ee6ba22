"""Why a backup isn't written or restored; each error's sentence is what the operator reads."""

from airside.errors import Refused


class BackupRefused(Refused):
    """A backup can't be written, or can't be restored here."""

    code = "backup_refused"


class ForeignFile(BackupRefused):
    """The file isn't a backup of Airside, or one of a format that this version doesn't know."""

    code = "backup_foreign"


class DamagedFile(BackupRefused):
    """The file isn't what was written: changed, cut off or put together from others."""

    code = "backup_damaged"


class WrongPassphrase(BackupRefused):
    code = "backup_passphrase"
    sentence = "That isn't the passphrase of this backup."


class TargetNotEmpty(BackupRefused):
    """There is an instance already."""

    code = "backup_target_not_empty"


class RestoredOtherwise(BackupRefused):
    """What the database gives back differs from what the backup holds; nothing was kept."""

    code = "backup_differs"
