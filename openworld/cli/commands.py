"""The commands, thin: each reads its options, turns the cache on, and calls what does the work."""

import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openworld.cli.options import EXTRAS, check_ending, parse, prepare, require
from openworld.cli.training import new_folder
from openworld.system.files import FILM, PICTURE, check_output


def export(words: list[str]) -> None:
    """Write a trained agent to a folder of its own."""
    import tyro

    @dataclass(frozen=True)
    class Export:
        """Write a trained agent to a folder: its parameters as safetensors, and a model card beside them.

        `openworld_trainers.load_agent` reads it back as a function from observations to actions.

        Attributes:
            run: the folder of a run, or one of its checkpoints.
            out: a new folder.
            force: replace an export that is there.
        """

        run: tyro.conf.Positional[Path]
        out: Path
        force: bool = False

    options = parse(Export, "export", words)
    require("orbax.checkpoint", "safetensors")
    prepare()
    from openworld_trainers.run.policy import export as run

    print(f"written to {run(options.run, options.out, force=options.force)}")


def demo(words: list[str]) -> None:
    """Train a small agent, measure and film it."""

    @dataclass(frozen=True)
    class Demo:
        """Train a small agent in a few minutes, measure it on held-out worlds, and film it.

        Attributes:
            run_dir: the run's folder (default: runs/demo and the time).
        """

        run_dir: Path | None = None

    options = parse(Demo, "demo", words)
    require("optax", "orbax.checkpoint", "rich")
    prepare()
    from openworld_trainers.run.demo import demo as run

    run(options.run_dir or new_folder("demo"))


def bench(words: list[str]) -> int:
    """Measure this machine."""
    from openworld.bench import main as run

    return run(words)


def render(words: list[str]) -> None:
    """Show a world under random play."""

    @dataclass(frozen=True)
    class Render:
        """Show a world, at its beginning or after some steps of random play.

        Attributes:
            id: which world.
            seed: which of its worlds.
            steps: random steps to play first.
            out: a .png (the last frame), or an .mp4 or .gif (all of them); without it, text on the terminal.
            scale: screen pixels for each pixel of a tile.
            map: the whole map instead of the view, all floors made so far; needs --out NAME.png.
            tile: of a map, pixels of a tile's side.
            force: write over a file that is there, even if this command did not write it.
        """

        id: str = "OpenWorld-v0"
        seed: int = 0
        steps: int = 0
        out: Path | None = None
        scale: int = 3
        map: bool = False
        tile: int = 8
        force: bool = False

    options = parse(Render, "render", words)
    check_ending(options.out, (".png", ".mp4", ".gif"))
    if options.map and (options.out is None or options.out.suffix.lower() != ".png"):
        raise ValueError("--map writes a picture: give --out NAME.png")
    if options.out is not None:
        picture = options.out.suffix.lower() == ".png"
        check_output(options.out, PICTURE if picture else FILM, force=options.force)
    prepare()
    if options.map and options.out is not None:
        draw_map(options.id, options.seed, options.steps, options.out, options.tile)
        return
    show(at_random(options.id, options.seed, options.steps), options.out, options.scale)


def info(words: list[str]) -> None:
    """Tell what is installed here."""

    @dataclass(frozen=True)
    class Info:
        """Tell about the worlds, this installation and this machine.

        Attributes:
            id: the world to tell about; without it, all of them.
        """

        id: str | None = None

    options = parse(Info, "info", words)
    from openworld import registry
    from openworld.bench import machine
    from openworld.cli import sizes
    from openworld.system import cache

    table = sizes.table([options.id] if options.id else list(registry.WORLDS))
    facts = machine.facts()
    print(table)
    print(f"versions: {', '.join(f'{name} {number}' for name, number in facts['versions'].items())}")
    machine_facts = facts["machine"]
    print(
        f"machine: {machine_facts['processor']}, {machine_facts['cores']} cores; {', '.join(facts['devices'])}"
    )
    print(f"compiled programs are kept in: {cache.folder() or 'nowhere (turned off)'}")
    missing = sorted(
        {extra for package, extra in EXTRAS.items() if importlib.util.find_spec(package) is None}
    )
    print(f"extras not installed: {', '.join(missing) or 'none'}")


def at_random(id: str, seed: int, steps: int) -> Any:
    """Play some steps at random, and return the replay."""
    import numpy as np

    from openworld import registry
    from openworld.storage.replay import record

    world, random = registry.make(id, num_agents=1), np.random.default_rng(seed)

    def policy(carry: None, key: object, obs: object) -> tuple[None, int]:
        return carry, int(random.integers(world.num_actions))

    return record(world, policy, seed, steps)


def draw_map(id: str, seed: int, steps: int, out: Path, tile: int) -> None:
    """Play some steps at random, and write the map of the world as it is then."""
    import jax.numpy as jnp
    import numpy as np

    from openworld import registry
    from openworld.render import map, png

    world, random = registry.make(id, observation="tokens", num_agents=1), np.random.default_rng(seed)
    _, state = world.reset(seed, 1)
    for _ in range(steps):
        action = jnp.asarray(random.integers(world.num_actions, size=1, dtype=np.int32))
        _, state, _, terminated, truncated, _ = world.advance(state, action)
        if terminated[0] or truncated[0]:
            break
    print(f"written to {png.write(map.picture(state, world.ruleset, scale=tile), out)}")


def show(played: Any, out: Path | None, scale: int) -> None:
    """Play a replay to its end, and show it where it is wanted."""
    from openworld.render import picture, png, terminal, video
    from openworld.storage.replay import frames

    if out is not None and out.suffix.lower() != ".png":
        print(f"written to {video.write(played, out, scale=scale)}")
        return
    rules = played.env().ruleset
    *_, last = frames(played)
    if out is None:
        print(terminal.ansi(last, colour=sys.stdout.isatty(), rules=rules), end="")
    else:
        print(f"written to {png.write(picture.picture(last, scale, rules), out)}")
