"""`--ray` and its figures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tuner.errors import UsageError

if TYPE_CHECKING:
    from tuner.workers.ray import RayEngine

F = TypeVar("F", bound=Callable[..., Any])


def ray_options(command: F) -> F:
    """`--ray`, `--ray-cpus` and `--ray-gpus`: parameters `ray`, `ray_cpus`, `ray_gpus`."""
    for option in reversed(
        (
            click.option(
                "--ray",
                is_flag=False,
                flag_value="local",
                metavar="[ADDRESS]",
                help="Put the workers on a Ray cluster: auto, HOST:PORT or ray://HOST:PORT. "
                "Without an address, a Ray of its own on this machine.",
            ),
            click.option(
                "--ray-cpus",
                type=click.FloatRange(min=0.0001),
                metavar="N",
                help="CPUs of one worker on Ray, which are its threads.  [default: 1]",
            ),
            click.option(
                "--ray-gpus",
                type=click.FloatRange(min=0),
                metavar="N",
                help="GPUs of one worker on Ray, such as 0.25.  [default: 0]",
            ),
        )
    ):
        command = option(command)
    return command


@dataclass(frozen=True)
class RayFlags:
    """Where workers run on Ray, and what one of them takes."""

    address: str
    cpus: float
    gpus: float

    def text(self) -> str:
        """The flags as they are typed, with a space in front of each."""
        cpus = "" if self.cpus == 1 else f" --ray-cpus {self.cpus:g}"
        gpus = "" if self.gpus == 0 else f" --ray-gpus {self.gpus:g}"
        return f" --ray {self.address}{cpus}{gpus}"

    def engine(self, storage_url: str, workers: int | None) -> RayEngine:
        from tuner.workers.ray import RayEngine, Share

        return RayEngine(self.address, Share(self.cpus, self.gpus), storage_url, workers=workers)


def read_ray(address: str | None, cpus: float | None, gpus: float | None) -> RayFlags | None:
    """The flags together; None without `--ray`. Raises `UsageError`."""
    if address is None:
        for name, value in (("--ray-cpus", cpus), ("--ray-gpus", gpus)):
            if value is not None:
                raise UsageError(
                    f"{name} says what a worker on Ray takes; received {name} {value:g} without "
                    "--ray. Available: --ray, or --workers N for processes of this machine"
                )
        return None
    from tuner.workers.ray import check_address

    if gpus is not None and gpus > 1 and gpus != int(gpus):
        raise UsageError(
            "several GPUs of one worker are whole ones, as Ray has it; received --ray-gpus "
            f"{gpus:g}. Available: a fraction up to 1, or 2, 3, ..."
        )
    return RayFlags(check_address(address), cpus or 1.0, gpus or 0.0)
