"""Replacing a file in one step, so that a failure half way leaves neither half a file nor a damaged old one."""

import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from docrec.errors import FileAccessError

ADVICE = {
    errno.ENOENT: "the folder it is to lie in does not exist; create it, or name another",
    errno.ENOTDIR: "a part of its path is not a folder; name another place",
    errno.EISDIR: "it is a folder; name a file in it",
    errno.EACCES: "permission is denied; name another place, or change the permissions",
    errno.EPERM: "permission is denied; name another place, or change the permissions",
    errno.EROFS: "the file system is read-only; name another place",
    errno.ENOSPC: "no space is left on the device; make room, or name another place",
    errno.EDQUOT: "the disk quota is used up; make room, or name another place",
    errno.ENAMETOOLONG: "the name is too long; name it shorter",
}

TEMPORARY = (".docrec-", ".tmp")
"""How the names of temporary files begin and end; a process that is killed leaves them behind."""


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open `path` for writing bytes, and let its new content take effect only if the `with` block ends without an exception.

    The content goes to a temporary file in the same folder, which at the end is renamed to `path`. An existing file keeps its
    permissions, and a symbolic link stays one. What is not a regular file, or lies under /dev, is opened and written directly.

    Raises:
        FileAccessError: the file cannot be created, written or replaced.
    """
    name = os.fspath(path)
    with writing_to(name):
        mode = _mode(name)
        if mode is None or (stat.S_ISREG(mode) and not os.path.abspath(name).startswith("/dev/")):
            target = Path(os.path.realpath(name))
            permissions = 0o666 & ~_umask() if mode is None else stat.S_IMODE(mode)
            descriptor, temporary = tempfile.mkstemp(prefix=TEMPORARY[0], suffix=TEMPORARY[1], dir=target.parent)
        else:
            # Appending writes alike to pipes and terminals, and respects `>>` where /dev/stdout is a file.
            descriptor, temporary = os.open(name, os.O_WRONLY | os.O_APPEND), ""
    stream = open(descriptor, "wb")  # noqa: SIM115 (closing it can fail with its own message)
    try:
        yield stream
        with writing_to(name):
            stream.flush()
            if temporary:
                os.fsync(descriptor)  # a full disk may show only here
                os.chmod(temporary, permissions)
            stream.close()
            if temporary:
                os.replace(temporary, target)
    except BaseException:
        with suppress(OSError):
            stream.close()
        if temporary:
            with suppress(OSError):
                os.unlink(temporary)
        raise


@contextmanager
def writing_to(name: str) -> Iterator[None]:
    """Turn an OSError of the `with` block into a FileAccessError about the output `name`; a broken pipe passes through."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        reason = ADVICE.get(error.errno or 0) or error.strerror or str(error)
        raise FileAccessError(f"the output {name} cannot be written: {reason}") from error


def _mode(name: str) -> int | None:
    """File type and permissions of `name`, None if nothing is there; refuses what must not be overwritten."""
    if not name:
        raise FileAccessError("the output needs a name, got an empty one")
    try:
        mode = os.stat(name).st_mode
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, "is a folder")
    if not os.access(name, os.W_OK):
        raise PermissionError(errno.EACCES, "is write-protected")
    return mode


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
