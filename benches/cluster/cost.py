#!/usr/bin/env python3
"""The cost of a step on N machines, from computation, latency and bandwidth: python3 benches/cluster/cost.py [target/cluster.json]

Compares with what run.py has measured (its parts network, steps and model), and says what follows for more machines.
"""

import json
import math
import sys

CORES = 2  # of the machine that runs all hosts
PARAMS = {"signal": 240_505, "mnist": 669_706}
BATCH = {"signal": 50, "mnist": 128}
SLOTS = {"signal": 0, "mnist": 2}  # slots of the optimizer: SGD, Adam
STEPS = 100  # per epoch of either


def ring(hosts, numbers, alpha, beta):
    """The time of a sum of f32 in a ring: 2(N − 1) rounds, each with 1/N of the numbers."""
    return 2 * (hosts - 1) * (alpha + 4 * numbers / hosts * beta)


def few(hosts, alpha):
    """The time of a sum of few numbers, up a tree and down again."""
    return 2 * math.ceil(math.log2(hosts)) * alpha


def step(hosts, compute, params, alpha, beta, meetings=1.0, arrays=1):
    """The time of a step with `meetings` synchronizations per step, each of which sums `arrays` arrays as long as the weights."""
    return compute + meetings * (few(hosts, alpha) + ring(hosts, params * arrays, alpha, beta))


def check(found):
    """Prints predicted and measured times."""
    alpha, beta = found["network"]["2"]["alpha"], found["network"]["2"]["beta"]
    print(f"α = {1e6 * alpha:.0f} µs a message, β = {1e9 * beta:.2f} ns a byte ({8 / beta / 1e9:.2f} Gbit/s)\n")
    print("| workload | hosts | `sync_every` | predicted ms | measured ms | error |\n|---|---|---|---|---|---|")
    errors = []
    for workload, params in PARAMS.items():
        for hosts in 2, 3, 4:
            for every in 1, 4, 16:
                measured = found["steps"].get(f"{workload} {hosts} {'whole' if every == 1 else 'overlap'} {every}")
                alone = found["steps"].get(f"{workload} alone {hosts}")
                if not measured or not alone:
                    continue
                compute = alone["step"] * max(1, hosts / CORES)
                meetings = math.ceil(STEPS / every) / STEPS
                arrays = 1 if every == 1 else 1 + SLOTS[workload]
                predicted = step(hosts, compute, params, alpha, beta, meetings, arrays)
                errors.append(predicted / measured["step"] - 1)
                print(f"| `{workload}` | {hosts} | {every} | {1e3 * predicted:.2f} | {1e3 * measured['step']:.2f} | {errors[-1]:+.0%} |")
    worst = max(errors, key=abs)
    print(f"\nmean of absolute errors {sum(map(abs, errors)) / len(errors):.0%}, the worst {worst:+.0%}\n")
    return alpha, beta


def ahead(alpha, beta, rate):
    """Extrapolates to 10, 100 and 1000 machines with `rate` operations per second each, 6 per parameter and row."""
    print(f"Each machine: {rate / 1e9:.0f} billion operations a second.\n")
    print("| parameters | machines | ms to sum | rows a machine for half of it | `sync_every` for half, 128 rows a machine | 1,024 rows in all |\n|---|---|---|---|---|---|")
    for params in 240_000, 10_000_000, 100_000_000:
        row = 6 * params / rate
        alone = 1024 * row
        for hosts in 10, 100, 1000:
            sum_time = ring(hosts, params, alpha, beta) + few(hosts, alpha)
            speedup = alone / (alone / hosts + sum_time)
            every = max(1, math.ceil(sum_time / (128 * row)))
            print(f"| {params:,} | {hosts:,} | {1e3 * sum_time:,.0f} | {math.ceil(sum_time / row):,} | {every} | {speedup:.2f} times as quick |")
        best = max(range(1, 1001), key=lambda hosts: alone / (alone / hosts + (ring(hosts, params, alpha, beta) + few(hosts, alpha) if hosts > 1 else 0)))
        print(f"| {params:,} | best: {best} | | | | |")


def main():
    found = json.load(open(sys.argv[1] if len(sys.argv) > 1 else "target/cluster.json"))
    alpha, beta = check(found)
    # The rate of one thread of this machine on the larger network: forward pass, backward pass and update.
    rate = 6 * PARAMS["mnist"] * BATCH["mnist"] / found["steps"]["mnist alone 1"]["step"]
    for name, network in (("this network", beta), ("25 times as wide, 25 Gbit/s", beta / 25)):
        print(f"\nOver {name}. ", end="")
        ahead(alpha, network, rate)


if __name__ == "__main__":
    main()
