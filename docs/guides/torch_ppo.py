"""PPO in PyTorch on OpenWorld, complete and small.

`python torch_ppo.py` learns within two minutes on two CPU cores.

The default observation of this interface is "tokens". `TorchWorlds(..., observation="symbolic")` chooses another.
Tensors share JAX's memory on the device of the environment, so nothing is copied between playing and learning.
PPO is Schulman et al. 2017 (1707.06347). Generalised advantage estimation is Schulman et al. 2016 (1506.02438).
"""

import time
from collections import deque
from dataclasses import dataclass

import torch
from torch import nn
from torch.distributions import Categorical

from openworld.adapters.torch import TorchWorlds


@dataclass(frozen=True)
class Settings:
    id: str = "OpenWorld-Classic-v0"
    worlds: int = 64
    steps: int = 64  # steps of each world between two updates
    updates: int = 200
    epochs: int = 4
    minibatches: int = 8
    learning_rate: float = 5e-4
    discount: float = 0.99
    gae_lambda: float = 0.8
    clip: float = 0.2
    entropy: float = 0.01
    width: int = 256
    seed: int = 0


class ActorCritic(nn.Module):
    def __init__(self, inputs: int, actions: int, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU())
        self.policy, self.value = nn.Linear(width, actions), nn.Linear(width, 1)
        for layer, gain in ((self.body[0], 2**0.5), (self.body[2], 2**0.5), (self.policy, 0.01), (self.value, 1.0)):
            nn.init.orthogonal_(layer.weight, gain)
            nn.init.zeros_(layer.bias)

    def forward(self, obs: torch.Tensor) -> tuple[Categorical, torch.Tensor]:
        hidden = self.body(obs)
        return Categorical(logits=self.policy(hidden)), self.value(hidden).squeeze(-1)


def play(env: TorchWorlds, network: ActorCritic, obs: torch.Tensor, s: Settings, finished: deque) -> tuple:
    """Play `steps` steps in every world. Return the next observation and the batch of transitions."""
    rollout = {name: [] for name in ("obs", "action", "log_probability", "value", "reward", "bootstrap", "ended")}
    for _ in range(s.steps):
        policy, value = network(obs)
        action = policy.sample()
        next_obs, reward, terminated, truncated, info = env.step(action)
        ended = terminated | truncated
        # The value after a terminated episode is 0. After a truncated one it is that of the last observation.
        bootstrap = torch.zeros_like(value)
        if truncated.any():
            bootstrap = torch.where(truncated, network(info["final_obs"])[1], bootstrap)
        finished.extend(info["episode_return"][ended].tolist())
        row = (obs, action, policy.log_prob(action), value, reward, bootstrap, ended)
        for name, value_of in zip(rollout, row, strict=True):
            rollout[name].append(value_of)
        obs = next_obs
    batch = {name: torch.stack(rows) for name, rows in rollout.items()}
    batch["advantage"] = advantages(batch, network(obs)[1], s)
    batch["target"] = batch["advantage"] + batch["value"]
    return obs, {name: rows.flatten(0, 1) for name, rows in batch.items()}


def advantages(batch: dict[str, torch.Tensor], last_value: torch.Tensor, s: Settings) -> torch.Tensor:
    """Return generalised advantages [steps, worlds]. They do not reach over the end of an episode."""
    next_value = torch.where(batch["ended"], batch["bootstrap"], torch.cat([batch["value"][1:], last_value[None]]))
    delta = batch["reward"] + s.discount * next_value - batch["value"]
    out, gae = torch.empty_like(delta), torch.zeros_like(last_value)
    for t in reversed(range(s.steps)):
        gae = delta[t] + s.discount * s.gae_lambda * ~batch["ended"][t] * gae
        out[t] = gae
    return out


def loss(network: ActorCritic, batch: dict[str, torch.Tensor], s: Settings) -> torch.Tensor:
    policy, value = network(batch["obs"])
    ratio = (policy.log_prob(batch["action"]) - batch["log_probability"]).exp()
    advantage = (batch["advantage"] - batch["advantage"].mean()) / (batch["advantage"].std() + 1e-8)
    surrogate = torch.min(ratio * advantage, ratio.clamp(1 - s.clip, 1 + s.clip) * advantage).mean()
    return -surrogate + 0.5 * (value - batch["target"]).square().mean() - s.entropy * policy.entropy().mean()


def train(s: Settings = Settings(), show: bool = False) -> list[float]:  # noqa: B008
    """Train. Return, for each update, the mean return of the last hundred finished episodes."""
    torch.manual_seed(s.seed)
    env = TorchWorlds(s.worlds, s.id, observation="symbolic")
    obs, _ = env.reset(s.seed)
    network = ActorCritic(obs.shape[1], env.num_actions, s.width).to(env.device)
    optimiser = torch.optim.Adam(network.parameters(), s.learning_rate, eps=1e-5)
    finished, curve, began = deque(maxlen=100), [], time.time()
    for update in range(1, s.updates + 1):
        with torch.no_grad():
            obs, batch = play(env, network, obs, s, finished)
        for _ in range(s.epochs):
            for minibatch in torch.randperm(s.worlds * s.steps, device=env.device).chunk(s.minibatches):
                optimiser.zero_grad()
                loss(network, {name: rows[minibatch] for name, rows in batch.items()}, s).backward()
                nn.utils.clip_grad_norm_(network.parameters(), 0.5)
                optimiser.step()
        curve.append(sum(finished) / max(1, len(finished)))
        if show and update % 10 == 0:
            steps = update * s.worlds * s.steps
            print(f"{steps:>9,} steps  return {curve[-1]:5.2f}  {steps / (time.time() - began):7,.0f} steps/s")
    env.close()
    return curve


if __name__ == "__main__":
    train(show=True)
