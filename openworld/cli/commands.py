"""The commands export, demo, bench, render and info. Each reads its options and calls another module."""

import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from openworld.cli.options import EXTRAS, check_ending, parse, prepare, require
from openworld.cli.training import new_folder
from openworld.system.files import FILM, PICTURE, check_output
from openworld.system.foreign_text import plain


def export(words: list[str]) -> None:
    """Write a trained agent to a new folder."""
    import tyro

    @dataclass(frozen=True)
    class Export:
        """Write a trained agent to a folder: its parameters as safetensors, and a model card.

        `openworld_trainers.load_agent` reads it as a function from observations to actions.

        Attributes:
            run: folder of a run, one of its checkpoints, or an export.
            out: the new folder.
            dtype: keep the parameters in float32, or in float16, which halves the size; None: as they are kept
                now.
            force: replace an existing export.
        """

        run: tyro.conf.Positional[Path]
        out: Path
        dtype: Literal["float32", "float16"] | None = None
        force: bool = False

    options = parse(Export, "export", words)
    prepare()
    from openworld_trainers.run.export import export as run

    made = run(options.run, options.out, force=options.force, dtype=options.dtype)
    print(f"written to {plain(made, 500)}")


def demo(words: list[str]) -> None:
    """Train a small agent, evaluate it and make a video of it."""

    @dataclass(frozen=True)
    class Demo:
        """Train a small agent in a few minutes, evaluate it on held-out worlds, and show it in a video.

        Attributes:
            out: folder of the run; None: runs/demo-TIME.
        """

        out: Path | None = None

    options = parse(Demo, "demo", words)
    require("optax", "orbax.checkpoint", "rich")
    prepare()
    from openworld_trainers.run.demo import demo as run

    run(options.out or new_folder("demo"))


def bench(words: list[str]) -> int:
    """Measure this machine."""
    from openworld.bench.run import main as run

    return run(words)


def render(words: list[str]) -> None:
    """Show a world under random play."""

    @dataclass(frozen=True)
    class Render:
        """Show a world, at its beginning or after some steps of random play.

        Attributes:
            id: environment id.
            seed: number of the world.
            steps: random steps to play first.
            out: the file: a .png of the last frame, or an .mp4 or .gif of all frames; None: text.
            scale: screen pixels for each pixel of a tile.
            map: draw the map of all floors made so far instead of the view; needs --out NAME.png.
            tile: pixels of a tile's side, in a map.
            force: replace an existing file, also one that this command did not write.
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
        raise ValueError("--map writes a picture: add --out NAME.png")
    if options.out is not None:
        picture = options.out.suffix.lower() == ".png"
        check_output(options.out, PICTURE if picture else FILM, force=options.force)
    prepare()
    if options.map and options.out is not None:
        draw_map(options.id, options.seed, options.steps, options.out, options.tile)
        return
    show(at_random(options.id, options.seed, options.steps), options.out, options.scale)


def info(words: list[str]) -> None:
    """Show the environments, this installation and this machine."""

    @dataclass(frozen=True)
    class Info:
        """Show the sizes of the environments, this installation and this machine.

        Attributes:
            id: environment id; None: all.
        """

        id: str | None = None

    options = parse(Info, "info", words)
    from openworld import registry
    from openworld.cli import sizes
    from openworld.system import cache, provenance, shipped

    table = sizes.table([options.id] if options.id else list(registry.ENVIRONMENTS))
    facts = provenance.facts()
    print(table)
    print(f"versions: {', '.join(f'{name} {number}' for name, number in facts['versions'].items())}")
    machine, devices = facts["machine"], ", ".join(facts["devices"])
    print(f"machine: {machine['processor']}, {machine['cores']} cores; {devices}")
    print(f"compiled programs are kept in: {plain(cache.folder() or 'nowhere (turned off)', 500)}")
    print(f"agents: {'; '.join(agent.line for agent in shipped.agents()) or 'none'}")
    missing = {extra for package, extra in EXTRAS.items() if importlib.util.find_spec(package) is None}
    print(f"extras not installed: {', '.join(sorted(missing)) or 'none'}")


def at_random(id: str, seed: int, steps: int) -> Any:
    """Play some random steps, and return the replay."""
    import numpy as np

    from openworld import registry
    from openworld.storage.replay import record

    env, random = registry.make(id, num_agents=1), np.random.default_rng(seed)

    def policy(carry: None, key: object, obs: object) -> tuple[None, int]:
        return carry, int(random.integers(env.num_actions))

    return record(env, policy, seed, steps)


def draw_map(id: str, seed: int, steps: int, out: Path, tile: int) -> None:
    """Play some random steps, and write the map of the world after them."""
    import jax.numpy as jnp
    import numpy as np

    from openworld import registry
    from openworld.render import map, png

    env, random = registry.make(id, observation="tokens", num_agents=1), np.random.default_rng(seed)
    _, state = env.reset(seed, 1)
    for _ in range(steps):
        action = jnp.asarray(random.integers(env.num_actions, size=1, dtype=np.int32))
        _, state, _, terminated, truncated, _ = env.advance(state, action)
        if terminated[0] or truncated[0]:
            break
    print(f"written to {plain(png.write(map.picture(state, env.ruleset, scale=tile), out), 500)}")


def show(played: Any, out: Path | None, scale: int) -> None:
    """Play a replay to its end, and show it: as text without `out`, else as a picture or a video."""
    from openworld.render import ansi, picture, png, video
    from openworld.storage.replay import frames

    if out is not None and out.suffix.lower() != ".png":
        print(f"written to {plain(video.write(played, out, scale=scale), 500)}")
        return
    rules = played.env().ruleset
    *_, last = frames(played)
    if out is None:
        print(ansi.ansi(last, colour=sys.stdout.isatty(), rules=rules), end="")
    else:
        print(f"written to {plain(png.write(picture.picture(last, scale, rules), out), 500)}")
