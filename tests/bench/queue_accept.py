#!/usr/bin/python3
"""How fast queue_async accepts, as a share of what redis-benchmark's XADD reaches: same Redis
(appendfsync always, unix socket), same size, same concurrency, no pipelining, in turns.

    tests/bench/queue_accept.py [--build DIR] [--clients 64] [--bytes 768] [--rounds 3] [--seconds 2]
"""
import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--build", default=os.environ.get("ADUAN_BUILD", "build"))
    p.add_argument("--clients", type=int, default=64)
    p.add_argument("--bytes", type=int, default=768)
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--seconds", type=float, default=2)
    o = p.parse_args()
    with tempfile.TemporaryDirectory(prefix="aduan-bench-") as d:
        sock = f"{d}/redis.sock"
        redis = subprocess.Popen(["redis-server", "--port", "0", "--unixsocket", sock, "--dir", d, "--save", "",
                                  "--appendonly", "yes", "--appendfsync", "always", "--logfile", f"{d}/log"])
        try:
            while not os.path.exists(sock):
                time.sleep(0.02)
            theirs, ours = [], []
            for _ in range(o.rounds):
                theirs.append(benchmark(sock, o))
                out = subprocess.run([f"{o.build}/tests/bench_queue_accept", f"unix:{sock}", str(o.clients),
                                      str(o.bytes), str(o.seconds)], capture_output=True, text=True, check=True)
                ours.append(json.loads(out.stdout))
        finally:
            redis.kill()
            redis.wait()
    reference = statistics.median(theirs)
    rate = statistics.median(r["per_second"] for r in ours)
    print(json.dumps({"what": "queue_async accept / redis-benchmark XADD", "clients": o.clients, "bytes": o.bytes,
                      "redis_benchmark": round(reference), "queue_async": round(rate),
                      "ratio": round(rate / reference, 2), "p99_ms": max(r["p99_ms"] for r in ours)}))


def benchmark(sock, o):
    out = subprocess.run(["redis-benchmark", "-s", sock, "-c", str(o.clients), "-n", "40000", "--csv", "XADD",
                          "benchmark", "*", "record", "x" * o.bytes], capture_output=True, text=True, check=True)
    found = re.search(r'x","([0-9.]+)"', out.stdout.splitlines()[-1])  # the command, then its rate
    if not found:
        sys.exit(f"redis-benchmark said nothing: {out.stdout[-300:]}")
    return float(found.group(1))


if __name__ == "__main__":
    main()
