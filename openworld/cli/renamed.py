"""Options that had another name in earlier states of OpenWorld, and the names they have now."""

from collections.abc import Sequence

#: Old option -> its name now. With a command's name before it, a row is for that command only.
RENAMED = {
    **dict.fromkeys(("train --run-dir", "demo --run-dir", "train-sb3 --run-dir"), "--out"),
    "train-sb3 --envs": "--worlds",
    "--world.id": "--env.id",
    "--world.time-limit": "--env.time-limit",
    "--world.players": "--env.players",
    "--world.sharing": "--env.sharing",
    "--world.revival": "--env.revival",
    "--world.no-revival": "--env.no-revival",
    "--horizon.discount": "--advantage.gamma",
    "--horizon.decay": "--advantage.gae-lambda",
    "--network.recurrent": "--network.memory gru",
    "--network.no-recurrent": "--network.memory none",
    "--learning.clip": "--learning.clip-epsilon",
    "--learning.value-clip": "--learning.value-clip-epsilon",
    "--learning.value-weight": "--learning.value-coefficient",
    "--learning.entropy-weight": "--learning.entropy-coefficient",
}


def check(command: str, words: Sequence[str]) -> None:
    """Refuse an option by its old name.

    Args:
        command: the command's name.
        words: what follows it.

    Raises:
        ValueError: that names the option as it is called now.

    Example:
        >>> check("train-sb3", ["--envs", "64"])
        Traceback (most recent call last):
        ValueError: --envs is called --worlds now
    """
    for word in words:
        option = word.partition("=")[0]
        name = option.replace("_", "-")
        new = RENAMED.get(f"{command} {name}", RENAMED.get(name))
        if new is not None:
            raise ValueError(f"{option} is called {new} now")
