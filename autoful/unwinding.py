"""Being told to end, and putting away first what is half done."""

import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType


class Terminated(KeyboardInterrupt):
    """SIGTERM or SIGHUP. Not a SystemExit: pytest takes that for one test's failure and goes on."""


@contextmanager
def unwinding_on_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP end the block as Ctrl-C does, so that what it holds is put away."""

    def leave(_signum: int, _frame: FrameType | None) -> None:
        raise Terminated

    with ExitStack() as stack:
        for name in ("SIGTERM", "SIGHUP"):  # Windows has no SIGHUP
            signum = getattr(signal, name, None)
            # Only the main thread can set a handler, and one that somebody else set is theirs.
            if (
                signum is not None
                and threading.current_thread() is threading.main_thread()
                and signal.getsignal(signum) is signal.SIG_DFL
            ):
                signal.signal(signum, leave)
                stack.callback(signal.signal, signum, signal.SIG_DFL)
        yield
