"""Turns on one session: several generations share it, and one forward runs at a time.

A turn is one forward: a chunk of a prompt, or one step of decoding. Requests come before work ahead; among
them, the owner whose last turn is longest ago comes next. So nobody waits for more than one forward of each
other owner, whatever they ask for. Which turn a forward gets decides when it runs, never what it gives.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Lock
from time import monotonic

from aide_lsp.errors import BrokenSessionError
from aide_lsp.inference.cancel import CancelToken
from aide_lsp.inference.prefix_cache import CHUNK_ROWS, RowRule
from aide_lsp.inference.session import Alone, Session

SHARED_CHUNK_ROWS = 64
"""Rows of one forward of a prompt where others are about to wait for it, if results do not depend on that. A
prompt of 1,024 tokens then takes a seventh more of the processor than in forwards of CHUNK_ROWS."""
RECENT_TURNS = 200
"""Others are about to wait if they had one of this many last turns: about ten requests."""


class Turn(Alone):
    """The turns of one generation. For one thread; it may hold a turn within a turn."""

    def __init__(self, turns: "Turns", owner: str, *, ahead: bool) -> None:
        super().__init__(ahead=ahead)
        self._turns, self.owner = turns, owner
        self.granted = Event()
        self._depth = 0

    @property
    def chunk_rows(self) -> int:  # type: ignore[override]
        """See `Alone`."""
        return self._turns.chunk_rows(self.owner)

    @property
    def was_interrupted(self) -> bool:  # type: ignore[override]
        """See `Alone`."""
        return self._turns.last is not self

    @contextmanager
    def held(self, cancel: CancelToken, deadline: float | None) -> Iterator[None]:
        """Wait for a turn, and have the session while the body runs.

        Raises:
            BrokenSessionError: the session cannot be used anymore.
            Cancelled: no one waits for the result anymore.
            TimeoutError: the deadline, a time of `time.monotonic`, has passed.
        """
        if not self._depth:
            self._turns.begin(self, cancel, deadline)
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            if not self._depth:
                self._turns.end(self)


class Turns:
    """Decides whose forward runs next on a session. Thread-safe."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._lock = Lock()
        self._waiting: list[Turn] = []
        self._holder: Turn | None = None
        self._served: dict[str, int] = {}  # by owner: the number of its last turn
        self._count = 0
        self._failure: BrokenSessionError | None = None
        self.last: Turn | None = None
        """Whose forward ran last."""
        rule: RowRule = session.row_rule
        self._depends_on_rows = bool(rule.block)

    @property
    def waiting(self) -> int:
        """How many generations wait for a turn."""
        return len(self._waiting)

    def chunk_rows(self, owner: str) -> int:
        """Return how many rows one forward of a prompt has."""
        with self._lock:
            others = [at for name, at in self._served.items() if name != owner]
            is_busy = bool(others) and self._count - max(others) < RECENT_TURNS
        return SHARED_CHUNK_ROWS if is_busy and not self._depends_on_rows else CHUNK_ROWS

    def turn(self, owner: str, *, ahead: bool = False) -> Turn:
        """Return the turns of a new generation; `ahead`: no one waits for its result."""
        return Turn(self, owner, ahead=ahead)

    def forget(self, owner: str) -> None:
        """Forget when an owner, which is gone, had its last turn."""
        with self._lock:
            self._served.pop(owner, None)
            if self.last is not None and self.last.owner == owner:
                self.last = None  # it would keep a KV cache

    def fail(self, error: BrokenSessionError) -> None:
        """Give no more turns: the session is broken."""
        with self._lock:
            self._failure = error
            for turn in self._waiting:
                turn.granted.set()

    def begin(self, turn: Turn, cancel: CancelToken, deadline: float | None) -> None:
        """Wait until a turn is granted. Raises as `Turn.held`."""
        turn.granted.clear()
        with self._lock:
            self._waiting.append(turn)
            self._grant()
        try:
            # It also wakes up when it is canceled or interrupted.
            with cancel.watch(turn.granted.set):
                while self._holder is not turn:
                    self._check()
                    cancel.check()
                    left = None if deadline is None else deadline - monotonic()
                    if left is not None and left <= 0:
                        raise TimeoutError
                    turn.granted.wait(left)
                    if self._holder is not turn:
                        turn.granted.clear()
                        # What was set just before it was cleared must not be lost.
                        if self._holder is turn:
                            break
        except BaseException:
            with self._lock:
                if turn in self._waiting:
                    self._waiting.remove(turn)
                elif self._holder is turn:
                    self._release()
            raise
        if turn.kv is not None:
            self._session.use(turn.kv)

    def _check(self) -> None:
        if self._failure is not None:
            raise BrokenSessionError(str(self._failure))

    def end(self, turn: Turn) -> None:
        """End a turn; the next one begins."""
        with self._lock:
            self.last = turn
            self._release()

    def _release(self) -> None:
        self._holder = None
        self._grant()

    def _grant(self) -> None:
        if self._holder is None and self._waiting and self._failure is None:
            turn = min(self._waiting, key=lambda one: (one.ahead, self._served.get(one.owner, 0)))
            self._waiting.remove(turn)
            self._holder, self._count = turn, self._count + 1
            self._served[turn.owner] = self._count
            turn.granted.set()
