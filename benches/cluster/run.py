#!/usr/bin/env python3
"""Four hosts of one machine, and trainings across them: cargo build --release --features mpi --bench cluster, then as root

    python3 benches/cluster/run.py PROGRAM [--torch PYTHON] [--hosts 1,2,3,4] [--epochs 3] [PART ...]

PROGRAM is target/release/deps/cluster-<hash>. Parts: network, steps, ddp, accuracy, model; all of them without any. The hosts are
network namespaces, joined by veth pairs to a bridge, each link shaped to 1 Gbit/s each way (tbf), and delayed by 0.1 ms each way
where the kernel has netem. Each rank and PyTorch have one thread. Standard library alone; ip, tc, mpirun (Open MPI) are needed.
Results go to target/cluster.json, so that parts may be run one by one, and as tables to standard output.
"""

import argparse
import json
import os
import pathlib
import stat
import subprocess
import tempfile

HOSTS = 4
NET = "10.77.0"
BATCH = {"signal": 50, "mnist": 128}
PARAMS = {"signal": 6000 * 40 + 40 + 40 * 10 + 10 + 10 * 5 + 5, "mnist": 784 * 512 + 512 + 512 * 512 + 512 + 512 * 10 + 10}


def sh(command, check=True):
    return subprocess.run(command.split(), check=check, capture_output=True, text=True)


def down():
    for host in range(1, HOSTS + 1):
        # Remains of an interrupted run.
        for process in sh(f"ip netns pids cornu{host}", check=False).stdout.split():
            sh(f"kill {process}", check=False)
        sh(f"ip netns del cornu{host}", check=False)
        sh(f"ip link del cornu-veth{host}", check=False)
    sh("ip link del cornu-bridge", check=False)


def up():
    """Creates the hosts, and prints the properties of their links."""
    down()
    sh("ip link add cornu-bridge type bridge")
    sh(f"ip addr add {NET}.254/24 dev cornu-bridge")
    sh("ip link set cornu-bridge up")
    delays = True
    for host in range(1, HOSTS + 1):
        name = f"cornu{host}"
        sh(f"ip netns add {name}")
        sh(f"ip link add cornu-veth{host} type veth peer name eth0 netns {name}")
        sh(f"ip link set cornu-veth{host} master cornu-bridge up")
        sh(f"ip -n {name} addr add {NET}.{host}/24 dev eth0")
        sh(f"ip -n {name} link set eth0 up")
        sh(f"ip -n {name} link set lo up")
        for tc, link in ((f"tc -n {name}", "eth0"), ("tc", f"cornu-veth{host}")):
            sh(f"{tc} qdisc add dev {link} root handle 1: tbf rate 1gbit burst 128kb latency 50ms")
            delayed = sh(f"{tc} qdisc add dev {link} parent 1: handle 2: netem delay 100us limit 10000", check=False)
            delays = delays and delayed.returncode == 0
    return "1 Gbit/s each way (tbf)" + (", 0.1 ms each way (netem)" if delays else ", no delay: this kernel has no netem")


def mpirun(hosts, command, **environment):
    """Runs one rank on each host, and returns the JSON that rank 0 prints."""
    with tempfile.TemporaryDirectory() as folder:
        agent = pathlib.Path(folder, "agent")
        # The launcher expects each host to have its own files.
        lines = ["#!/bin/sh", "host=$1", "shift", f"mkdir -p {folder}/$host", f"export TMPDIR={folder}/$host"]
        agent.write_text("\n".join([*lines, 'exec ip netns exec "$host" sh -c "$*"', ""]))
        agent.chmod(agent.stat().st_mode | stat.S_IXUSR)
        names = ",".join(f"cornu{host}:1" for host in range(1, hosts + 1))
        settings = {
            "plm_rsh_agent": agent,
            "plm_rsh_no_tree_spawn": "1",
            "btl": "tcp,self",
            "pml": "ob1",
            "btl_tcp_if_include": f"{NET}.0/24",
            "oob_tcp_if_include": f"{NET}.0/24",
            "hwloc_base_binding_policy": "none",
            "mpi_yield_when_idle": "1",
        }
        settings = [word for name, value in settings.items() for word in ("--mca", name, str(value))]
        environment = {"RAYON_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "eth0", **environment}
        given = [word for name, value in environment.items() for word in ("-x", f"{name}={value}")]
        words = ["mpirun", "--allow-run-as-root", "--host", names, "-n", str(hosts), *settings, *given, *map(str, command)]
        for _ in range(3):
            found = subprocess.run(words, capture_output=True, text=True, timeout=300)
            # The launcher of Open MPI 4.1 sometimes crashes before any rank runs.
            if "ORTE was unable to reliably start" not in found.stderr:
                break
    lines = [line for line in found.stdout.splitlines() if line.startswith("{")]
    if found.returncode != 0 or len(lines) != 1:
        raise SystemExit(f"{' '.join(map(str, words))}\n{found.stdout}{found.stderr}")
    return json.loads(lines[0].replace("(", "[").replace(")", "]"))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program", type=lambda text: pathlib.Path(text).resolve())
    parser.add_argument("parts", nargs="*")
    parser.add_argument("--torch", default=None)
    parser.add_argument("--hosts", default="1,2,3,4")
    parser.add_argument("--workloads", default="signal,mnist")
    parser.add_argument("--every", default="1,4,16")
    parser.add_argument("--batch", type=int, help="another batch size than that of the workload")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--keep", default="target/cluster.json")
    given = parser.parse_intermixed_args()
    parts = given.parts or ["network", "steps", "ddp", "accuracy", "model"]
    kept = pathlib.Path(given.keep)
    results = json.loads(kept.read_text()) if kept.exists() else {}
    results["links"] = up()
    print(results["links"])
    try:
        measure(given, parts, [int(word) for word in given.hosts.split(",")], given.workloads.split(","), results)
    finally:
        down()
        kept.parent.mkdir(exist_ok=True)
        kept.write_text(json.dumps(results, indent=1))
    tables(results)


def measure(given, parts, hosts, workloads, results):
    steps = results.setdefault("steps", {})

    def take(key, *arguments, **environment):
        steps[key] = mpirun(*arguments, **environment)
        print(f"{key}: {steps[key]}", flush=True)

    if "network" in parts:
        for count in hosts[hosts[0] == 1 :]:
            results.setdefault("network", {})[str(count)] = mpirun(count, [given.program, "network"])
    for workload in workloads:
        for count in hosts:
            batch = given.batch or BATCH[workload]
            named = workload if batch == BATCH[workload] else f"{workload}@{batch}"
            if "steps" in parts:
                ways = [("overlap", 1), ("whole", 1), ("overlap", 4), ("overlap", 16)]
                for overlap, every in ways if count > 1 else ways[:1]:
                    if str(every) in given.every.split(","):
                        command = [given.program, "train", workload, overlap, every, given.epochs, batch]
                        take(f"{named} {count} {overlap} {every}", count, command)
            if "ddp" in parts and given.torch:
                script = pathlib.Path(__file__).with_name("ddp.py").resolve()
                command = [given.torch, script, workload, given.epochs, batch]
                take(f"{named} {count} ddp", count, command, CLUSTER_MEET=f"tcp://{NET}.1:29512")
            if "model" in parts:
                # A single rank with its part of the batch.
                command = [given.program, "train", workload, "whole", 1, given.epochs, -(-batch // count)]
                take(f"{named} alone {count}", 1, command)
    if "accuracy" in parts:
        accuracy = results.setdefault("accuracy", {})
        for every in 1, 4, 16, 64:
            for rate in 0.02, 0.1:
                accuracy[f"{every} {rate}"] = mpirun(4, [given.program, "accuracy", every, 20, rate])


def tables(results):
    steps = results["steps"]
    rows = [("overlap 1", "`sync_every` 1"), ("whole 1", "without overlap"), ("overlap 4", "`sync_every` 4"),
            ("overlap 16", "`sync_every` 16"), ("ddp", "PyTorch DDP")]
    print("\n| workload | hosts | how | ms a step | waiting | KB sent a step |\n|---|---|---|---|---|---|")
    for workload in BATCH:
        for count in range(1, HOSTS + 1):
            for key, name in rows:
                found = steps.get(f"{workload} {count} {key}")
                if found:
                    share = f"{found['waited'] / found['step']:.0%}" if "waited" in found else ""
                    print(f"| `{workload}` | {count} | {name} | {1e3 * found['step']:.2f} | {share} | {found['sent'] / 1e3:.0f} |")
    if "accuracy" in results:
        print("\n| `sync_every` | rate | loss | held-out loss | held-out accuracy |\n|---|---|---|---|---|")
        for key, found in results["accuracy"].items():
            every, rate = key.split()
            print(f"| {every} | {rate} | {found['loss']} | {found['held_loss']} | {found['held_accuracy']} |")


if __name__ == "__main__":
    main()
