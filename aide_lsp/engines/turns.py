"""Turns on one session: several generations share it, and one forward runs at a time.

A turn is one forward: a chunk of a prompt, or one step of decoding (`shares.py` says whose is next). Turns
decide when a forward runs, never what it gives.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Lock
from time import monotonic

from aide_lsp.engines.shares import Shares
from aide_lsp.errors import BrokenSessionError
from aide_lsp.inference.cancel import CancelToken
from aide_lsp.inference.prefix_cache import CHUNK_ROWS, RowRule
from aide_lsp.inference.session import Alone, Session

PAUSE_SECONDS = 0.005
"""So long the session waits for who had the last turn, if the next one is theirs too. Between two forwards, a
generation chooses a token: without this, someone else would always come in between with a longer forward."""
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
        self._count, self._since = 0, 0.0
        self._kept_for: Turn | None = None
        self._kept_until = 0.0
        self._failure: BrokenSessionError | None = None
        self.last: Turn | None = None
        """Whose forward ran last."""
        rule: RowRule = session.row_rule
        self._depends_on_rows = bool(rule.block)
        self._shares = Shares()

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
        """Forget how long an owner, which is gone, has had the session."""
        with self._lock:
            self._served.pop(owner, None)
            self._shares.forget(owner)
            self._no_longer_keep(owner)
            if self.last is not None and self.last.owner == owner:
                self.last = None  # it would keep a KV cache

    def leave(self, owner: str) -> None:
        """Do not wait for an owner, whose generation has ended."""
        with self._lock:
            self._no_longer_keep(owner)
            self._grant()

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
            self._shares.asks(turn)
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
                    turn.granted.wait(self._shorter(left))
                    turn.granted.clear()
                    # What was set just before it was cleared is seen here, or by the loop.
                    with self._lock:
                        self._grant()
        except BaseException:
            with self._lock:
                if turn in self._waiting:
                    self._waiting.remove(turn)
                    self._shares.gives_up(turn)
                    self._wake()
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
            now = monotonic()
            self._shares.had(turn, now - self._since)
            turn.rows_left = max(1, turn.rows_left - turn.rows)
            self._kept_for, self._kept_until = turn, now + PAUSE_SECONDS
            self._release()

    def _release(self) -> None:
        self._holder = None
        self._grant()
        if self._holder is None:
            self._wake()

    def _wake(self) -> None:
        """Have one of those who wait look again when the pause is over."""
        if self._waiting and self._kept_for is not None:
            self._waiting[0].granted.set()

    def _no_longer_keep(self, owner: str) -> None:
        if self._kept_for is not None and self._kept_for.owner == owner:
            self._kept_for = None

    def _shorter(self, seconds: float | None) -> float | None:
        """Return how long to wait: during a pause, until it is over."""
        if self._kept_for is None:
            return seconds
        pause = max(0.0, self._kept_until - monotonic())
        return pause if seconds is None else min(seconds, pause)

    def _is_kept(self, turn: Turn) -> bool:
        """Whether the session waits for another one who comes before this turn."""
        kept = self._kept_for
        if kept is None or kept is turn or monotonic() >= self._kept_until:
            return False
        return self._shares.next([turn, kept]) is kept

    def _grant(self) -> None:
        if self._holder is None and self._waiting and self._failure is None:
            turn = self._shares.next(self._waiting)
            if self._is_kept(turn):
                return
            self._waiting.remove(turn)
            self._holder, self._since, self._kept_for = turn, monotonic(), None
            self._count += 1
            self._served[turn.owner] = self._count
            turn.granted.set()
