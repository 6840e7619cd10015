"""A study's checkpoints: found again for a ticket, checked before use, bounded, swept."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING, Any

from optuna.artifacts.exceptions import ArtifactNotFound

from tuner.files import UNFINISHED
from tuner.search.checkpoints.store import AtomicFileStore
from tuner.storage import records
from tuner.training.identity import differences
from tuner.training.state import SavedState, SavedStateError, from_file, read_notes, to_bytes

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.study._frozen import FrozenStudy

    from tuner.training.state import TrainingState

#: Bytes of one training's state beyond which it has no checkpoint.
MOST_BYTES = 256 << 20
#: Seconds after which a checkpoint is removed whosever it is: nobody came back for it.
KEPT = 30 * 86400.0
#: The same for a file that was never finished: writing one takes seconds.
KEPT_UNFINISHED = 3600.0

_NAME = re.compile(r"checkpoint-(?P<study>[0-9a-f]+)-(?P<ticket>\d+)x\d+\.npz")
_TICKETS, _RESUMED = "tickets", "resumed"


@dataclass(eq=False)
class Checkpoint:
    """The checkpoint of one training: of one ticket, or of those that train in one stack.

    Its name follows from the study and the tickets, so that the next attempt finds it, whatever
    its trial's number; what it holds says of which training it is.

    Attributes:
        resumed: after `load`, the epochs after which the training went on, this time included.
        seconds: after `load`, what the epochs before took.
    """

    owner: Checkpoints
    name: str
    tickets: list[int]
    identity: Callable[[], Mapping[str, str]]
    resumed: list[int] = field(default_factory=list)
    seconds: float = 0.0

    def load(self) -> SavedState | None:
        """What an interrupted attempt left; None if there is nothing, or nothing to be used:
        then a warning tells so, and the file is removed."""
        try:
            with self.owner.store.open_reader(self.name) as file:
                saved = from_file(file)
        except (ArtifactNotFound, NotADirectoryError):
            return None
        except (OSError, SavedStateError) as error:
            reason = str(error)
        else:
            other = differences(self.identity(), saved.identity)
            run = saved.state.run
            if not other and run is not None:
                self.resumed = [*saved.notes[_RESUMED], run.epochs]
                self.seconds = float(run.epoch_seconds.sum())
                return saved
            reason = f"it is of another training: {', '.join(other)}"
        named = ", ".join(map(str, self.tickets))
        self.owner.warn(
            f"the checkpoint of ticket {named} is not used ({reason}); training begins at epoch 0"
        )
        self.remove()
        return None

    def save(self, state: TrainingState, notes: Mapping[str, Any]) -> bool:
        """Put `state` in the place of what was saved before; False if it is too large and
        ever will be. Of that, and of files that cannot be written, a worker warns once."""
        owner = self.owner
        if state.nbytes > MOST_BYTES:
            owner.warn_once(
                f"a checkpoint has at most {MOST_BYTES / 2**20:.0f} MB; the state of ticket "
                f"{self.tickets[0]} has {state.nbytes / 2**20:.0f} MB: it has none, and begins at "
                "epoch 0 if it is interrupted",
                key="size",
            )
            return False
        own = {_TICKETS: self.tickets, _RESUMED: self.resumed}
        saved = SavedState(state, self.identity(), {**notes, **own})
        try:
            owner.store.write(self.name, BytesIO(to_bytes(saved)))
        except (OSError, MemoryError) as error:
            owner.warn_once(
                f"checkpoints cannot be written ({type(error).__name__}: {error}): an interrupted "
                "trial begins at the last one, or at epoch 0. Available: --artifacts DIR or "
                "TUNER_ARTIFACTS with another folder",
                key="write",
            )
        return True

    def remove(self) -> None:
        self.owner.store.remove(self.name)


@dataclass(eq=False)
class Checkpoints:
    """One worker's way to the checkpoints of one study.

    Args:
        store: where they are kept, possibly beside those of other studies.
        study: what tells this study from all others: `study_key`.
        warn: told what a person should read.
    """

    store: AtomicFileStore
    study: str
    warn: Callable[[str], None]
    _warned: set[str] = field(default_factory=set)

    def of(
        self,
        tickets: Collection[int],
        identity: Callable[[], Mapping[str, str]],
        trainings: int = 1,
    ) -> Checkpoint:
        """The checkpoint of the training of `tickets`.

        Args:
            identity: of the training, see `TrainerLike.identity`; asked for when needed.
            trainings: how many candidates share the stack: if a stack falls apart, its parts
                have checkpoints of their own.
        """
        return Checkpoint(self, self._named(tickets, trainings), sorted(tickets), identity)

    def remove(self, tickets: Collection[int]) -> None:
        """Remove the checkpoint of one candidate's training that has ended, if there is one."""
        self.store.remove(self._named(tickets, 1))

    def sweep(self, settled: Callable[[], Collection[int]]) -> None:
        """Remove what nobody comes back for, see `orphans`."""
        for name in self.orphans(settled):
            self.store.remove(name)

    def orphans(self, settled: Callable[[], Collection[int]]) -> list[str]:
        """This study's checkpoints whose tickets are all `settled` (asked for if there is
        one), and old files of whichever study."""
        ours: set[str] = set()
        found: list[str] = []
        for name, age in self.store.ages().items():
            match = _NAME.match(name)
            if match is None:
                continue
            unfinished = name.endswith(UNFINISHED)
            if age > (KEPT_UNFINISHED if unfinished else KEPT):
                found.append(name)
            elif match["study"] == self.study and not unfinished:
                ours.add(name)
        ended = set(settled()) if ours else set()
        return sorted(found + [name for name in ours if ended.issuperset(self._tickets_of(name))])

    def warn_once(self, text: str, *, key: str) -> None:
        if key not in self._warned:
            self._warned.add(key)
            self.warn(text)

    def _named(self, tickets: Collection[int], trainings: int) -> str:
        return f"checkpoint-{self.study}-{min(tickets)}x{trainings}.npz"

    def _tickets_of(self, name: str) -> list[int]:
        try:
            with self.store.open_reader(name) as file:
                return [int(ticket) for ticket in read_notes(file)[_TICKETS]]
        except (ArtifactNotFound, OSError, SavedStateError, KeyError):
            # Whoever works on its ticket warns that it cannot be read.
            found = _NAME.match(name)
            assert found is not None
            return [int(found["ticket"])]


def study_key(study: Study | FrozenStudy) -> str:
    """What tells a study from all others, whatever it is called and wherever it is reached."""
    attributes = study.user_attrs
    key = attributes.get(records.STUDY_KEY)
    if isinstance(key, str):
        return key
    # Made before studies had keys.
    parts = (records.STUDY_DEFINITION_HASH, records.STUDY_DATA_HASH)
    text = "\n".join([study.study_name, *(str(attributes.get(part)) for part in parts)])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def remove_all(store: AtomicFileStore, study: str) -> None:
    """Remove every checkpoint of a study, which is about to be deleted."""
    for name in store.ages():
        found = _NAME.match(name)
        if found is not None and found["study"] == study:
            store.remove(name)
