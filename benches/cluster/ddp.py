"""One rank of the same training by PyTorch's DistributedDataParallel (gloo), which run.py starts.

Arguments: signal|mnist, epochs, batch. Rank 0 prints one line of JSON.
"""

import json
import os
import sys
import time

import torch
from torch import nn

torch.set_num_threads(1)
torch.manual_seed(1)
rank, size = (int(os.environ["OMPI_COMM_WORLD_" + name]) for name in ("RANK", "SIZE"))
workload, epochs, batch = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])

if workload == "mnist":
    rows, widths = 12_800, [784, 512, 512, 10]
    x, y = torch.rand(rows, 784), torch.randint(10, (rows,))
else:
    rows, widths = 5000, [6000, 40, 10, 5]
    y = torch.arange(rows) // (rows // 5)
    t = torch.arange(6000) / 6000
    x = torch.sin(2 * torch.pi * (3 + 2 * y[:, None]) * t + y[:, None]) + 0.1 * (torch.rand(rows, 6000) - 0.5)
layers = []
for wide, narrow in zip(widths, widths[1:]):
    layers += [nn.Linear(wide, narrow), nn.ReLU()]
model = nn.Sequential(*layers[:-1])
if size > 1:
    torch.distributed.init_process_group("gloo", init_method=os.environ["CLUSTER_MEET"], rank=rank, world_size=size)
    model = nn.parallel.DistributedDataParallel(model)
if workload == "mnist":
    optimizer = torch.optim.Adam(model.parameters(), 0.001)
else:
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
loss = nn.CrossEntropyLoss()
order = torch.Generator().manual_seed(7)


def sent():
    try:
        with open("/sys/class/net/eth0/statistics/tx_bytes") as file:
            return int(file.read())
    except OSError:
        return 0


def epoch():
    places = torch.randperm(rows, generator=order)
    for start in range(0, rows, batch):
        own = places[start : start + batch].tensor_split(size)[rank]
        optimizer.zero_grad()
        value = loss(model(x[own]), y[own])
        value.backward()
        optimizer.step()
    return value.item()


epoch()
steps = -(-rows // batch)
times, before = [], sent()
for _ in range(epochs):
    start = time.perf_counter()
    last = epoch()
    times.append((time.perf_counter() - start) / steps)
if rank == 0:
    found = {"step": sorted(times)[len(times) // 2], "sent": round((sent() - before) / steps / epochs), "loss": last}
    print(json.dumps(found))
if size > 1:
    torch.distributed.barrier()
    torch.distributed.destroy_process_group()
