"""Linux's inotify: which of some files were written to, as an event."""

from __future__ import annotations

import ctypes
import os
import struct
import threading

_MODIFY = 0x2
_OVERFLOW = -1  # the descriptor of an event that says that others were dropped
_HEADER = struct.Struct("iIII")  # descriptor, mask, cookie, length of the name behind it


class Inotify:
    """Watches files for writes; `fd` is readable when there were some. Raises OSError where it cannot."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        if not hasattr(self._libc, "inotify_init1"):
            raise OSError("this system has no inotify")
        self.fd = self._checked(self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))

    def add(self, path: str) -> int:
        """Watch a file; return the descriptor that its events carry. Raises OSError."""
        return self._checked(self._libc.inotify_add_watch(self.fd, os.fsencode(path), _MODIFY))

    def remove(self, descriptor: int) -> None:
        """Watch a file no more; one that was deleted is watched no more already."""
        self._libc.inotify_rm_watch(self.fd, descriptor)

    def read(self) -> set[int] | None:
        """Return the descriptors of the files written to since the last call; None: any may have been."""
        written: set[int] = set()
        try:
            data = os.read(self.fd, 1 << 16)
        except BlockingIOError:
            return written
        while data:
            descriptor, _, _, length = _HEADER.unpack_from(data)
            if descriptor == _OVERFLOW:
                return None
            written.add(descriptor)
            data = data[_HEADER.size + length :]
        return written

    def close(self) -> None:
        """Let go of everything, in a thread: the kernel takes 10 ms and more, for which nobody need wait."""
        threading.Thread(target=os.close, args=(self.fd,), daemon=True).start()

    def _checked(self, result: int) -> int:
        if result < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        return result
