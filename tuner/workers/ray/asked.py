"""What somebody asks of Ray, by flags or in Python, before Ray itself is imported."""

from __future__ import annotations

from dataclasses import dataclass

from tuner.errors import UsageError
from tuner.workers.ray.connection import check_address, require_ray
from tuner.workers.ray.engine import RayEngine
from tuner.workers.ray.nodes import Share


@dataclass(frozen=True)
class RayAsked:
    """Workers on a cluster.

    Attributes:
        address: see `check_address`; None: no Ray.
        cpus, gpus: of one worker; None: not said.

    Raises `UsageError` for what does not go together, and without the package.
    """

    address: str | None = None
    cpus: float | None = None
    gpus: float | None = None

    def __post_init__(self) -> None:
        if self.address is None:
            for name, value in self.shares().items():
                raise UsageError(
                    f"{name} says what a worker on Ray takes; received {name} {value:g} without "
                    "--ray. Available: --ray, or --workers N for processes of this machine"
                )
            return
        check_address(self.address)
        require_ray()
        gpus = self.gpus or 0.0
        if gpus > 1 and gpus != int(gpus):
            raise UsageError(
                "several GPUs of one worker are whole ones, as Ray has it; received --ray-gpus "
                f"{gpus:g}. Available: a fraction up to 1, or 2, 3, ..."
            )

    def shares(self) -> dict[str, float]:
        """What is said of a worker's share, by its flag."""
        given = {"--ray-cpus": self.cpus, "--ray-gpus": self.gpus}
        return {name: value for name, value in given.items() if value is not None}

    def engine(self, storage_url: str, workers: int | None) -> RayEngine | None:
        """Where so many workers run, or as many as fit; None: as processes of this machine."""
        if self.address is None:
            return None
        share = Share(self.cpus or 1.0, self.gpus or 0.0)
        return RayEngine(self.address, share, storage_url, workers=workers)
