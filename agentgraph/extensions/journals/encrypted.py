"""A journal that encrypts runs before another journal stores them.

Each run and each machine has its own key, derived from the program's key. A text is encrypted
together with what it is: a head, a note, or a line with its place and its epoch. So no line can
stand at another place or in another run.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any, Final, TypeVar

from agentgraph.exceptions import AgentDefinitionError
from agentgraph.memory.encoding import ENVELOPE_MARK
from agentgraph.memory.errors import MissingExtra
from agentgraph.memory.journals import (
    Durability,
    IndexTaken,
    JournalError,
    JournalStore,
    RunStatus,
    StoredRun,
)

try:
    from cryptography.fernet import Fernet, InvalidToken
except ImportError as error:
    raise MissingExtra("EncryptedJournal", "encrypt") from error

from agentgraph.extensions.memory.encryption_keys import (
    INLINE_CHARACTERS,
    KEY_ID,
    cipher,
    is_secret,
)

__all__ = ["EncryptedJournal"]

_T = TypeVar("_T")
_RUN_KEY: Final = b"agentgraph.journal.hkdf.v1"
_MACHINE_KEY: Final = b"agentgraph.journal-machine.hkdf.v1"
_VERSION: Final = 1


class EncryptedJournal:
    """A journal that stores only ciphertext, in another journal.

    Heads, lines, notes and machines are encrypted. The ids of runs, statuses, times, the number and
    length of lines, the fingerprints of machines and the names of holders (host and process) are
    not.

    Args:
        store: The journal that stores what is encrypted; any journal.
        encryption_key: A Fernet key, or any other secret text.

    Raises:
        AgentDefinitionError: The key is empty or not a text.
    """

    def __init__(self, store: JournalStore, encryption_key: str) -> None:
        if not is_secret(encryption_key):
            # The message does not quote the value: it may be the secret.
            raise AgentDefinitionError(
                "EncryptedJournal needs an encryption_key that is a non-empty text, such as "
                "Fernet.generate_key().decode()"
            )
        self.store = store
        self._of_run = lru_cache(maxsize=256)(partial(cipher, encryption_key, purpose=_RUN_KEY))
        self._of_machine = partial(cipher, encryption_key, purpose=_MACHINE_KEY)

    @property
    def durability(self) -> Durability:
        """That of the other journal."""
        return self.store.durability

    @property
    def claim_seconds(self) -> float:
        """Those of the other journal."""
        return self.store.claim_seconds

    @property
    def place(self) -> str:
        """Where the other journal is."""
        return self.store.place

    async def open(self, run_id: str, head: str) -> StoredRun:
        """See `JournalStore`."""
        sealed = _sealed(self._of_run(run_id), "head", head)
        return self._opened(await self.store.open(run_id, sealed))

    async def find(self, run_id: str) -> StoredRun | None:
        """See `JournalStore`."""
        run = await self.store.find(run_id)
        return None if run is None else self._opened(run)

    def _opened(self, run: StoredRun) -> StoredRun:
        key, place = self._of_run(run.run_id), f"of run {run.run_id!r} in {self.place}"
        return run._replace(
            head=_opened(key, run.head, f"The head {place}", "head"),
            note=run.note and _opened(key, run.note, f"The note {place}", "note"),
        )

    async def claim(self, run_id: str, holder: str, seconds: float) -> int:
        """See `JournalStore`."""
        return await self.store.claim(run_id, holder, seconds)

    async def renew(self, run_id: str, epoch: int, seconds: float) -> None:
        """See `JournalStore`."""
        await self.store.renew(run_id, epoch, seconds)

    async def append(self, run_id: str, epoch: int, first: int, lines: Sequence[str]) -> None:
        """See `JournalStore`."""
        key = self._of_run(run_id)

        def sealed() -> list[str]:
            return [
                _sealed(key, "line", place, epoch, line) for place, line in enumerate(lines, first)
            ]

        texts = await _beside_the_loop(sealed, lines)
        try:
            await self.store.append(run_id, epoch, first, texts)
        except IndexTaken:
            # Each encryption of a line is another text, so only this class sees equal ones.
            written = [(epoch, line) for line in lines]
            if (await self._read(run_id, first))[: len(lines)] != written:
                raise

    async def read(self, run_id: str, first: int = 0) -> list[str]:
        """See `JournalStore`."""
        return [line for _, line in await self._read(run_id, first)]

    async def _read(self, run_id: str, first: int) -> list[tuple[int, str]]:
        """The lines of a run from a place on, with their epochs."""
        key, texts = self._of_run(run_id), await self.store.read(run_id, first)

        def opened() -> list[tuple[int, str]]:
            return [self._line(key, text, place, run_id) for place, text in enumerate(texts, first)]

        return await _beside_the_loop(opened, texts)

    def _line(self, key: Fernet, text: str, place: int, run_id: str) -> tuple[int, str]:
        name = f"Line {place + 1} of run {run_id!r} in {self.place}"
        kind, was, epoch, line = _parts(key, text, name, 4)
        if (kind, was) != ("line", place):
            raise JournalError(f"{name} was moved: it was written as another part of the run.")
        return epoch, line

    async def finish(self, run_id: str, epoch: int, status: RunStatus, note: str) -> None:
        """See `JournalStore`."""
        stored = await self.store.find(run_id)
        sealed = note and _sealed(self._of_run(run_id), "note", note)
        if stored is not None and note and self._opened(stored).note == note:
            sealed = stored.note  # so that the store sees that it is the same
        await self.store.finish(run_id, epoch, status, sealed)

    async def runs(
        self, statuses: Sequence[RunStatus] = (), *, limit: int = 100, after: str = ""
    ) -> list[StoredRun]:
        """See `JournalStore`."""
        runs = await self.store.runs(statuses, limit=limit, after=after)
        return await _beside_the_loop(
            lambda: list(map(self._opened, runs)), [run.head for run in runs]
        )

    async def delete(self, run_id: str) -> None:
        """See `JournalStore`; the key is not needed for it."""
        await self.store.delete(run_id)

    async def rewrite(self, run_id: str, head: str, lines: Sequence[str]) -> None:
        """See `JournalStore`."""
        key = self._of_run(run_id)

        def sealed() -> list[str]:
            return [_sealed(key, "line", place, 0, line) for place, line in enumerate(lines)]

        texts = await _beside_the_loop(sealed, lines)
        await self.store.rewrite(run_id, _sealed(key, "head", head), texts)

    async def keep_machine(self, run_id: str, fingerprint: str, machine: str) -> None:
        """See `JournalStore`."""
        sealed = _sealed(self._of_machine(fingerprint), "machine", machine)
        await self.store.keep_machine(run_id, fingerprint, sealed)

    async def machine(self, fingerprint: str) -> str | None:
        """See `JournalStore`."""
        text = await self.store.machine(fingerprint)
        if text is None:
            return None
        name = f"Machine {fingerprint} in {self.place}"
        return _opened(self._of_machine(fingerprint), text, name, "machine")

    async def aclose(self) -> None:
        """Close the other journal."""
        await self.store.aclose()


async def _beside_the_loop(work: Callable[[], _T], texts: Sequence[str]) -> _T:
    """Do some work; in a thread if its texts are long."""
    if sum(map(len, texts)) <= INLINE_CHARACTERS:
        return work()
    return await asyncio.to_thread(work)


def _sealed(key: Fernet, *parts: str | int) -> str:
    """The envelope of a text, its last part."""
    payload = key.encrypt(json.dumps(parts).encode()).decode()
    return json.dumps({ENVELOPE_MARK: 1, "v": _VERSION, "kid": KEY_ID, "payload": payload})


def _opened(key: Fernet, envelope: str, name: str, kind: str) -> str:
    is_kind, text = _parts(key, envelope, name, 2)
    if is_kind != kind:
        raise JournalError(f"{name} was moved: it was written as another part of the run.")
    return str(text)


def _parts(key: Fernet, envelope: str, name: str, size: int) -> list[Any]:
    """The parts of an envelope.

    Raises:
        JournalError: It is none, or the key does not decrypt it.
    """
    try:
        fields = json.loads(envelope)
        is_envelope = isinstance(fields, dict) and fields.get(ENVELOPE_MARK) == 1
    except ValueError:
        is_envelope = False
    if not is_envelope:
        raise JournalError(f"{name} is not encrypted; it was stored without an EncryptedJournal.")
    try:
        parts = json.loads(key.decrypt(str(fields.get("payload"))))
    except (InvalidToken, ValueError):
        raise JournalError(
            f"{name} cannot be decrypted: the encryption_key is another one, or the text is"
            " damaged."
        ) from None
    if not isinstance(parts, list) or len(parts) != size:
        raise JournalError(f"{name} was moved: it was written as another part of the run.")
    return parts
