"""Standard output and standard error of a command.

A write that fails is recorded and stops nothing: the run continues when standard output was closed
by cron, is on a full disk, is read by a `head` that has ended, or has an encoding that lacks a
character. While plugins work, what they print to standard output goes to standard error, so that
the output of a command is its own.
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


class DescriptorWriter(io.BufferedIOBase):
    """Writes to a file descriptor; the first error is kept in `error` and not raised.

    Args:
        fd: where to write.
        retries_after_error: whether later writes are still tried. Right for a log; a document
            with a hole in it would be wrong.
    """

    def __init__(self, fd: int, *, retries_after_error: bool) -> None:
        self._fd = fd
        self._retries_after_error = retries_after_error
        self.error: OSError | None = None
        self.has_written = False

    def writable(self) -> bool:
        """Say yes."""
        return True

    def fileno(self) -> int:
        """Return the file descriptor."""
        return self._fd

    def isatty(self) -> bool:
        """Tell whether it is a terminal."""
        return os.isatty(self._fd)

    def write(self, data: ReadableBuffer, /) -> int:
        """Write everything, or record why that failed.

        There is no buffer: what Ctrl-C interrupts is not written a second time.
        """
        view = memoryview(data)
        self.has_written = True
        try:
            if self.error is None or self._retries_after_error:
                self._write_all(view)
        except OSError as err:
            self.error = self.error or err
        return view.nbytes

    def close(self) -> None:
        """Do nothing: several streams share the descriptor, and a plugin may close its own."""

    def close_descriptor(self) -> None:
        """Close the descriptor; later writes are lost and reach no other file."""
        fd, self._fd = self._fd, -1
        os.close(fd)

    def _write_all(self, view: memoryview) -> None:
        while view:
            try:
                view = view[os.write(self._fd, view) :]
            except BlockingIOError:  # somebody who shares it made it non-blocking
                select.select((), (self._fd,), ())


class Streams:
    """The streams of one command line: for its own text, and for what plugins print.

    Args:
        ends_process: whether the process ends with the command. If so, `close` leaves the
            redirection in place, so that what a plugin prints at exit stays out of the output;
            otherwise `close` restores the streams as they were.

    Attributes:
        out, err: for the command's own text. Plugins do not know them, and so cannot close or
            replace them.
        shows_tracebacks: whether errors are printed with a traceback, for `--debug`.
    """

    def __init__(self, *, ends_process: bool) -> None:
        self._ends_process = ends_process
        self._closed = _open_closed_descriptors()
        codecs.register_error(_ESCAPE, _escape)
        self._before = sys.stdout, sys.stderr
        self._out_writer, self.out = _own_stream(sys.stdout, 1, retries_after_error=False)
        self._err_writer, self.err = _own_stream(sys.stderr, 2, retries_after_error=True)
        # A stream of its own: a plugin that closes it does not close ours.
        self._for_plugins = (
            _text_stream(self._err_writer, self.err) if self._err_writer else sys.stderr
        )
        self.shows_tracebacks = False
        self._is_redirected = False
        self._saved: int | None = None
        sys.stdout, sys.stderr = self.out, self._for_plugins

    def close(self) -> None:
        """Flush, and restore the streams, unless the process ends with the command."""
        self.flush()
        if self._ends_process:
            self.redirect_plugins()
            return
        sys.stdout, sys.stderr = self._before
        if self._saved is not None:
            os.dup2(self._saved, 1)
            os.close(self._saved)
        for writer in (self._out_writer, self._err_writer):
            if writer is not None:
                writer.close_descriptor()

    def flush(self) -> None:
        """Flush both streams."""
        self.out.flush()
        self.err.flush()

    @property
    def write_error(self) -> OSError | None:
        """The error that kept output from being written; None if all was written."""
        self.out.flush()
        return self._out_writer.error if self._out_writer is not None else None

    def error_message(self) -> str | None:
        """Return a line that says why output was lost; None if none was.

        A reader that closed the pipe (`| head`) wanted no more, and gets no message.
        """
        write_error = self.write_error
        if write_error is not None:
            is_reader_gone = write_error.errno == errno.EPIPE
            message = f"the output could not be written: {write_error.strerror}"
            return None if is_reader_gone else message
        if 1 in self._closed and self._out_writer is not None and self._out_writer.has_written:
            return "standard output is closed; what would have stood there is lost"
        return None

    def redirect_plugins(self) -> None:
        """Send what plugins print to standard error, for as long as the command lasts."""
        if not self._is_redirected:
            self._is_redirected = True
            if not self._ends_process:
                self._saved = os.dup(1)
            self._redirect()

    @contextmanager
    def plugins_redirected(self) -> Iterator[None]:
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
        sys.stdout = _text_stream(self._err_writer, self.err) if self._err_writer else sys.stderr
        os.dup2(2, 1)


def _open_closed_descriptors() -> frozenset[int]:
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


def _own_stream(
    known: TextIO | None, fd: int, *, retries_after_error: bool
) -> tuple[DescriptorWriter | None, TextIO]:
    """Make a private copy of a standard stream; one without a file descriptor is used as it is."""
    try:
        is_ours = known is None or known.fileno() == fd
    except (OSError, ValueError):  # a test's or a notebook's, in memory
        is_ours = False
    if known is not None and not is_ours:
        return None, known
    if known is not None:
        with suppress(OSError):
            known.flush()
    writer = DescriptorWriter(os.dup(fd), retries_after_error=retries_after_error)
    return writer, _text_stream(writer, known)


def _text_stream(writer: DescriptorWriter, like: TextIO | None) -> TextIO:
    """Make a text stream with the encoding of another; characters it lacks are escaped."""
    encoding = getattr(like, "encoding", None) or "utf-8"
    errors = getattr(like, "errors", None) or "strict"
    if errors in ("strict", "surrogateescape", "backslashreplace"):
        errors = _ESCAPE
    return io.TextIOWrapper(  # type: ignore[type-var]  # typeshed wants a `raw`, which is not used
        writer, encoding=encoding, errors=errors, line_buffering=True
    )


def _escape(err: UnicodeError) -> tuple[str, int]:
    r"""Write a character that an encoding lacks as `\u3042`, which JSON reads as that character."""
    if not isinstance(err, UnicodeEncodeError):
        raise err
    units = err.object[err.start : err.end].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2)), err.end
