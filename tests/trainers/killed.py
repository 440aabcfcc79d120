"""A run of a probe in a process of its own, to be killed: `python -m tests.trainers.killed CASE FOLDER`."""

import dataclasses
import sys
from pathlib import Path

import jax

from openworld_trainers.errors import TrainerError
from openworld_trainers.ppo.config import Learning, Network, Rollout, Run
from openworld_trainers.run.folder import CONFIG, RunFolder
from openworld_trainers.run.settings import exclusive_run, new_run_config, resumed_run_config
from openworld_trainers.run.signals import Ended
from openworld_trainers.run.train import train_in
from tests.trainers import probes
from tests.trainers.helpers import small

UPDATES = 6
LEARNING = Learning(
    minibatch_size=64,
    epochs=2,
    learning_rate=3e-3,
    schedule="linear",
    entropy_coefficient=0.0,
    ewma=0.9,
)
RUN = Run(transitions=UPDATES * 32 * 8, save_every_s=0.0, film=False)
PLAIN = small(learning=LEARNING, run=RUN)
REMEMBERING = dataclasses.replace(
    PLAIN,
    network=Network(width=32, depth=1, activation="tanh", memory="gru"),
    rollout=Rollout(worlds=32, steps=8, stagger=3),
)
CASES = {"plain": (probes.BOTH, PLAIN), "remembering": (probes.MEMORY, REMEMBERING)}


def run(case, path):
    """Train to the end, from wherever the folder stands."""
    env, config = CASES[case]
    folder = RunFolder(path)
    with exclusive_run(folder, "a test") as lock:
        resume = (Path(path) / CONFIG).exists()
        config = resumed_run_config(folder, None) if resume else new_run_config(folder, config)
        return train_in(env, config, folder, resume, lock=lock)


if __name__ == "__main__":
    # As the tests' own process has it, so that both run the same programs.
    jax.config.update("jax_numpy_dtype_promotion", "strict")
    jax.config.update("jax_numpy_rank_promotion", "raise")
    try:
        run(*sys.argv[1:])
    except TrainerError as error:
        print(error)
        sys.exit(getattr(error, "exit_code", 2))
    except Ended as ended:
        sys.exit(ended.exit_code)
