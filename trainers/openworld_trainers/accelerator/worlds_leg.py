"""The leg "worlds": steps per second of worlds alone, and the share of the memory's bandwidth that they take."""

from typing import Any

from openworld import registry
from openworld.bench import cpu_hashes, device, worlds
from openworld.bench.roofline import measure, model
from openworld_trainers.accelerator.leg import Leg

#: Numbers of worlds, the most important first.
SIZES = (2**20, 2**17, 2**14)


class WorldsLeg(Leg):
    """Measure each size, and compare its first steps with a CPU's hashes."""

    name = "worlds"

    def prepare(self) -> None:
        """Add two programs for each size."""
        for size in self.sizes():
            add_programs(self, size)

    def play(self) -> None:
        """Measure each size while time is left."""
        bandwidth = measure.memory_bandwidth()
        id = self.work.scale.id
        expected, env = cpu_hashes.committed()[id], registry.make(id)
        self.add({"bandwidth_bytes_per_second": bandwidth}, f"bandwidth {bandwidth / 1e9:,.0f} GB/s")
        for number, size in enumerate(self.sizes()):
            if number and self.work.scale.factor == 1 and self.left() < 0.15 * self.seconds:
                self.add({"worlds": size, "left_out": True}, f"{size:,} worlds: no time is left")
                continue
            try:
                row = worlds.alone(self.bench(size), id, size, compile=compiled_ahead(self, size))
            except device.TooLargeError as error:
                self.add({"worlds": size, "left_out": str(error)}, f"{size:,} worlds: {error}")
                continue
            row |= model.share(env, row["steps_per_second"], bandwidth)
            cpu_hashes.check(row, expected)
            same = "the same as a CPU's" if row["check"]["same"] else "NOT the same as a CPU's"
            self.add(
                {"id": id, **row},
                f"{size:,} worlds: {row['steps_per_second']:,.0f} steps/s, "
                f"{100 * row['bandwidth_share']:.1f} % of the bandwidth; {same}",
            )
            device.tidy(clear=False)

    def sizes(self) -> tuple[int, ...]:
        """Return the numbers of worlds; a rehearsal has two small ones."""
        if self.work.scale.factor == 1:
            return SIZES
        return (self.work.scale.worlds(SIZES[0]), self.work.scale.worlds(SIZES[-1]))


def add_programs(leg: Leg, size: int) -> None:
    """Add the programs that measure a number of worlds, if they are not there yet."""
    made: dict[str, tuple[Any, ...]] = {}

    def lower(name: str) -> Any:
        if not made:
            made.update(worlds.ahead(leg.bench(size), leg.work.scale.id, size))
        function, *arguments = made[name]
        return function.lower(*arguments)

    for name in ("reset", "play"):
        leg.work.programs.add(f"worlds {size}: {name}", lambda name=name: lower(name))


def compiled_ahead(leg: Leg, size: int) -> worlds.Compile:
    """Return the function that gives `worlds` its programs."""
    return lambda name, *_: leg.program(f"worlds {size}: {name}")
