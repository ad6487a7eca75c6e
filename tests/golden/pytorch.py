"""Writes `.safetensors` files of PyTorch, and what it computes by them, which `pytorch.rs` compares with.

    env/bin/pip install torch safetensors numpy
    env/bin/python tests/golden/pytorch.py
"""
import json
from pathlib import Path

import torch
from safetensors.torch import save_file

HERE = Path(__file__).parent
torch.manual_seed(7)


class Last(torch.nn.Module):
    def forward(self, x):
        return x[0][:, -1]


class First(torch.nn.Module):
    def forward(self, x):
        return x[0]


class Turn(torch.nn.Module):
    """Channels come second in PyTorch."""

    def forward(self, x):
        return x.movedim(-1, 1)


class Back(torch.nn.Module):
    def forward(self, x):
        return x.movedim(1, -1)


N = torch.nn
NETS = {
    "dense": (N.Sequential(N.Linear(6, 5), N.ReLU(), N.Linear(5, 3)), (4, 6)),
    "conv1d": (N.Sequential(Turn(), N.Conv1d(4, 3, 3), N.BatchNorm1d(3), N.Tanh(), N.Conv1d(3, 6, 2, groups=3), Back()), (4, 8, 4)),
    "conv2d": (N.Sequential(Turn(), N.Conv2d(2, 3, (3, 2), stride=2), Back()), (4, 7, 6, 2)),
    "lstm": (N.Sequential(N.LSTM(3, 4, batch_first=True), Last(), N.Linear(4, 2)), (4, 5, 3)),
    "embedding": (N.Sequential(N.Embedding(7, 3), N.LayerNorm(3)), (4, 5)),
}

stored = {}


def store(nets):
    for name, (net, shape) in nets.items():
        net.train()
        x = torch.randint(0, 7, shape) if name == "embedding" else torch.round(torch.randn(shape) * 256) / 256
        net(x)
        net.eval()
        save_file(net.state_dict(), HERE / "files" / f"{name}.safetensors")
        stored[name] = {"x": x.flatten().tolist(), "shape": list(shape), "predictions": net(x).detach().flatten().tolist()}


store(NETS)
# Drawn later, so that those above stay as they were.
store({
    "gru": (N.Sequential(N.GRU(3, 4, batch_first=True), Last(), N.Linear(4, 2)), (4, 5, 3)),
    "gru_no_bias": (N.Sequential(N.GRU(3, 4, batch_first=True, bias=False), Last()), (4, 5, 3)),
    "gru_both": (N.Sequential(N.GRU(3, 4, batch_first=True, bidirectional=True), First()), (4, 5, 3)),
})
store({
    "transposed_1d": (N.Sequential(Turn(), N.Conv1d(3, 6, 2, groups=3), N.ConvTranspose1d(6, 4, 3, stride=2), Back()), (4, 5, 3)),
    "transposed_2d": (N.Sequential(Turn(), N.Conv2d(2, 4, (3, 2), groups=2), N.ConvTranspose2d(4, 3, (3, 2), stride=(2, 1)), Back()), (4, 5, 4, 2)),
})
half = {name: value.half() for name, value in NETS["dense"][0].state_dict().items()}
save_file(half, HERE / "files" / "dense_half.safetensors")
(HERE / "pytorch.json").write_text(json.dumps(stored, separators=(",", ":")).replace("},", "},\n") + "\n")
