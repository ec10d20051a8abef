"""Standard output and standard error: what cannot be written is noted, and changes nothing else.

A run goes on whatever becomes of its output: closed by cron, on a disk that is full, read by a
`head` that is gone, in an encoding that lacks a character. And what plugins print is not our
output: while they are at work, their standard output is standard error.
"""

from __future__ import annotations

import codecs
import errno
import io
import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_ESCAPE = "llmeval_escape"


class Sink(io.BufferedIOBase):
    """Writes to a file descriptor, and keeps the first error for later.

    Args:
        fd: where to.
        goes_on: whether to try again after an error: a log may, a document with a hole may not.
    """

    def __init__(self, fd: int, *, goes_on: bool) -> None:
        self._fd = fd
        self._goes_on = goes_on
        self.error: OSError | None = None
        self.is_used = False

    def writable(self) -> bool:
        """Say yes."""
        return True

    def fileno(self) -> int:
        """Return the file descriptor."""
        return self._fd

    def isatty(self) -> bool:
        """Say whether a person is looking."""
        return os.isatty(self._fd)

    def write(self, data: ReadableBuffer, /) -> int:
        """Write everything, or note why not.

        Nothing is kept here: what Ctrl-C interrupts is not written a second time.
        """
        view = memoryview(data)
        self.is_used = True
        try:
            if self.error is None or self._goes_on:
                self._write_all(view)
        except OSError as err:
            self.error = self.error or err
        return view.nbytes

    def close(self) -> None:
        """Stay open: several streams write here, and a plugin may close its own."""

    def release(self) -> None:
        """Close the descriptor; what is still written is lost, and reaches no other file."""
        fd, self._fd = self._fd, -1
        os.close(fd)

    def _write_all(self, view: memoryview) -> None:
        while view:
            try:
                view = view[os.write(self._fd, view) :]
            except BlockingIOError:  # somebody who shares it made it non-blocking
                select.select((), (self._fd,), ())


class Streams:
    """The streams of one command line, for our own text and for what plugins print.

    Args:
        lasting: whether the process ends with the command. What a plugin prints at the very end
            is then kept out of our output too; else everything is put back as it was.

    Attributes:
        out, err: for our own text; no plugin knows them, so none can close or replace them.
    """

    def __init__(self, *, lasting: bool) -> None:
        self._lasting = lasting
        self._closed = _fill_closed()
        codecs.register_error(_ESCAPE, _escape)
        self._before = sys.stdout, sys.stderr
        self._sink_out, self.out = _private(sys.stdout, 1, goes_on=False)
        self._sink_err, self.err = _private(sys.stderr, 2, goes_on=True)
        # Of its own, so that a plugin that closes it closes nothing of ours.
        self._for_plugins = _text(self._sink_err, self.err) if self._sink_err else sys.stderr
        self._is_redirected = False
        self._saved: int | None = None
        sys.stdout, sys.stderr = self.out, self._for_plugins

    def close(self) -> None:
        """Write what waits, and put back what was there; or keep out what plugins print later."""
        self.flush()
        if self._lasting:
            self.keep_plugins_out()
            return
        sys.stdout, sys.stderr = self._before
        if self._saved is not None:
            os.dup2(self._saved, 1)
            os.close(self._saved)
        for sink in (self._sink_out, self._sink_err):
            if sink is not None:
                sink.release()

    def flush(self) -> None:
        """Write what waits."""
        self.out.flush()
        self.err.flush()

    @property
    def lost(self) -> OSError | None:
        """Why our output could not be written; None if it was."""
        self.out.flush()
        return self._sink_out.error if self._sink_out is not None else None

    def complaint(self) -> str | None:
        """Say in one line what became of output that could not be written.

        Nothing to say is there of a reader that went away: it had enough.
        """
        lost = self.lost
        if lost is not None:
            quiet = lost.errno == errno.EPIPE
            return None if quiet else f"the output could not be written: {lost.strerror}"
        if 1 in self._closed and self._sink_out is not None and self._sink_out.is_used:
            return "standard output is closed; what would have stood there is lost"
        return None

    def keep_plugins_out(self) -> None:
        """Send what plugins print to standard error, for as long as the command lasts."""
        if not self._is_redirected:
            self._is_redirected = True
            if not self._lasting:
                self._saved = os.dup(1)
            self._redirect()

    @contextmanager
    def plugins_kept_out(self) -> Iterator[None]:
        """Send what plugins print to standard error, for as long as the block lasts."""
        if self._is_redirected:
            yield
            return
        saved = os.dup(1)
        before = sys.stdout
        self._is_redirected = True
        self._redirect()
        try:
            yield
        finally:
            self._is_redirected = False
            sys.stdout = before
            os.dup2(saved, 1)
            os.close(saved)

    def _redirect(self) -> None:
        """Redirect `print`, and also `os.write(1, ...)`, C libraries and child processes."""
        self.flush()
        sys.stdout = _text(self._sink_err, self.err) if self._sink_err else sys.stderr
        os.dup2(2, 1)


def _fill_closed() -> frozenset[int]:
    """Open the null device in place of closed standard streams.

    Otherwise the next file that is opened, such as the journal, would be standard output.
    """
    closed = set()
    for fd in (0, 1, 2):
        try:
            os.fstat(fd)
        except OSError:
            closed.add(fd)
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != fd:
                os.dup2(opened, fd)
                os.close(opened)
            os.set_inheritable(fd, True)  # noqa: FBT003  os takes it so only
    return frozenset(closed)


def _private(known: TextIO | None, fd: int, *, goes_on: bool) -> tuple[Sink | None, TextIO]:
    """Make a stream of our own of a standard stream; one that is no file stays as it is."""
    try:
        is_ours = known is None or known.fileno() == fd
    except (OSError, ValueError):  # a test's or a notebook's, in memory
        is_ours = False
    if known is not None and not is_ours:
        return None, known
    if known is not None:
        with suppress(OSError):
            known.flush()
    sink = Sink(os.dup(fd), goes_on=goes_on)
    return sink, _text(sink, known)


def _text(sink: Sink, like: TextIO | None) -> TextIO:
    """Make a text stream in the encoding of another one; what that lacks is written out."""
    encoding = getattr(like, "encoding", None) or "utf-8"
    errors = getattr(like, "errors", None) or "strict"
    if errors in ("strict", "surrogateescape", "backslashreplace"):
        errors = _ESCAPE
    return io.TextIOWrapper(  # type: ignore[type-var]  # typeshed wants a `raw`, which is not used
        sink, encoding=encoding, errors=errors, line_buffering=True
    )


def _escape(err: UnicodeError) -> tuple[str, int]:
    r"""Write what an encoding lacks as `\u3042`, which JSON reads as the character again."""
    if not isinstance(err, UnicodeEncodeError):
        raise err
    units = err.object[err.start : err.end].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2)), err.end
