"""Start-up, idle cost, and the time of `rondo run` from nothing and unchanged."""
import statistics
import subprocess
import time

import harness as h


def wall(command, cwd=None, runs=20):
    times = []
    for _ in range(runs):
        begin = time.perf_counter()
        subprocess.run(command, cwd=cwd, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        times.append((time.perf_counter() - begin) * 1e3)
    return statistics.median(times), min(times), max(times)


def up(folder):
    """Milliseconds from exec to the first answer of /health, then memory and CPU while idle."""
    port = h.free_port()
    begin = time.perf_counter()
    process = subprocess.Popen([h.RONDO, "up", "--listen", f"127.0.0.1:{port}"], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        h.wait_http(f"http://127.0.0.1:{port}/health", process)
        ready = (time.perf_counter() - begin) * 1e3
        time.sleep(1)
        cpu = h.cpu_seconds(process.pid)
        time.sleep(10)
        return ready, h.rss_mb(process.pid), (h.cpu_seconds(process.pid) - cpu) / 10 * 100
    finally:
        process.terminate()
        process.wait(15)


median, low, high = wall([h.RONDO, "version"])
print(f"rondo version: {median:.1f} ms median of 20 (min {low:.1f}, max {high:.1f}; target 10)")
with h.project() as folder:
    (folder / "rondo.yaml").unlink()
    ready, rss, cpu = up(folder)
    print(f"rondo up, empty: /health after {ready:.0f} ms (target 200), idle {rss:.0f} MB RSS (target 50), {cpu:.2f} % of a core")
with h.project() as folder:
    begin = time.perf_counter()
    h.rondo(folder, "run")
    print(f"rondo run from nothing: {time.perf_counter() - begin:.2f} s (target 6)")
    median, low, high = wall([h.RONDO, "run"], cwd=folder)
    print(f"rondo run, unchanged: {median:.1f} ms median of 20 (min {low:.1f}, max {high:.1f}; target 30)")
    # 10,000 runs through MLflow's API, then start again.
    port = h.free_port()
    process = subprocess.Popen([h.RONDO, "up", "--listen", f"127.0.0.1:{port}"], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        h.wait_http(url + "/health", process)
        experiment = h.post(url + "/api/2.0/mlflow/experiments/create", {"name": "many"})["experiment_id"]

        def make(i):
            run = h.post(url + "/api/2.0/mlflow/runs/create", {"experiment_id": experiment, "start_time": 1700000000000 + i})["run"]["info"]["run_id"]
            h.post(url + "/api/2.0/mlflow/runs/log-batch", {"run_id": run, "metrics": [{"key": k, "value": i * 0.1, "timestamp": 1, "step": 0} for k in "abcde"],
                                                            "params": [{"key": k, "value": str(i)} for k in "pqrst"], "tags": []})

        import concurrent.futures
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            list(pool.map(make, range(10_000)))
    finally:
        process.terminate()
        process.wait(15)
    ready, rss, cpu = up(folder)
    print(f"rondo up, 10,000 runs: /health after {ready:.0f} ms (target 200), idle {rss:.0f} MB RSS (target 50), {cpu:.2f} % of a core")
