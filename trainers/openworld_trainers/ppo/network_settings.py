"""The settings of the network."""

from dataclasses import dataclass
from typing import Literal

from openworld_trainers.ppo.records import check, check_choice, check_positive

Activation = Literal["relu", "tanh"]
Encoding = Literal["flat", "board"]
Memory = Literal["none", "gru", "mingru"]
Precision = Literal["auto", "float32", "bfloat16"]

#: The largest network that settings may ask for, far above what is useful.
MOST_NETWORK = {
    "width": 1 << 16,
    "depth": 128,
    "embedding": 1 << 12,
    "memory_layers": 128,
    "channels": 1 << 12,
    "blocks": 128,
}


@dataclass(frozen=True, kw_only=True)
class Network:
    """The actor-critic: an encoder, `depth` hidden layers of `width` units, a memory, and two heads.

    Attributes:
        width: units in each hidden layer.
        depth: number of hidden layers.
        activation: activation of the hidden layers: relu or tanh.
        encoder: how the network reads the tokens: flat, all side by side; or board, the view by convolutions.
            Board needs tokens.
        channels: numbers for each tile of the board.
        blocks: number of convolution blocks of the board.
        embedding: numbers that represent one tile of the view.
        learn_embedding: learn these numbers; fixed random ones cost half as much on a CPU.
        memory: what follows the hidden layers, so that the policy remembers: none, gru, or mingru (as fast to
            train as hidden layers).
        memory_layers: number of these layers, each of `width` units.
        mask: never choose an action that, by the tokens, can do nothing (`Environment.mask_of`). An
            environment without tokens has no mask.
        previous_action: show the policy its previous action, and whether that changed what it sees. Needs
            tokens.
        predict_change: a third head, which predicts for each action whether it changes what the policy sees.
        precision: dtype of the arithmetic; parameters are always float32. "auto" is bfloat16 on GPUs and
            TPUs, and float32 on CPUs.
    """

    width: int = 256
    depth: int = 3
    activation: Activation = "relu"
    encoder: Encoding = "flat"
    channels: int = 64
    blocks: int = 2
    embedding: int = 8
    learn_embedding: bool = True
    memory: Memory = "none"
    memory_layers: int = 1
    mask: bool = True
    previous_action: bool = False
    predict_change: bool = False
    precision: Precision = "auto"

    def __post_init__(self) -> None:
        check_positive(self, *MOST_NETWORK)
        for name, most in MOST_NETWORK.items():
            check(getattr(self, name) <= most, f"{name}={getattr(self, name)} must be at most {most}")
        choices = {"activation": Activation, "encoder": Encoding, "memory": Memory, "precision": Precision}
        for name, kind in choices.items():
            check_choice(name, getattr(self, name), kind)

    @property
    def recurrent(self) -> bool:
        """True if the network has a memory."""
        return self.memory != "none"
