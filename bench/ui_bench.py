"""The pages in Chromium: first paint of the table with 10,000 runs, a chart of 100 runs with 100,000 points each, and the server's part of both.
Everything is written through MLflow's REST API. Checked: rows, counts, and that each run's spike of one point is in the answer."""
import http.client
import json
import os
import random
import shutil
import statistics
import subprocess
import tempfile
import threading
import time
import urllib.request

import harness as h

RUNS = int(os.environ.get("BENCH_RUNS", 10_000))
CURVES = int(os.environ.get("BENCH_CURVES", 100))
POINTS = int(os.environ.get("BENCH_POINTS", 100_000))
PEAK = 50.0


def in_threads(port, jobs, work, threads=8):
    todo = iter(jobs)
    lock = threading.Lock()
    failed = []

    def loop():
        connection = http.client.HTTPConnection("127.0.0.1", port)

        def post(path, body):
            connection.request("POST", "/api/2.0/mlflow/" + path, json.dumps(body), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            data = answer.read()
            if answer.status != 200:
                raise RuntimeError(f"{path}: {answer.status} {data[:200]}")
            return json.loads(data)

        while not failed:
            with lock:
                job = next(todo, None)
            if job is None:
                return
            try:
                work(post, job)
            except Exception as e:  # told below, by the main thread
                failed.append(e)

    all_ = [threading.Thread(target=loop) for _ in range(threads)]
    for t in all_:
        t.start()
    for t in all_:
        t.join()
    if failed:
        raise SystemExit(f"seeding: {failed[0]}")


def seed(port):
    experiment = h.post(f"http://127.0.0.1:{port}/api/2.0/mlflow/experiments/create", {"name": "many/runs"})["experiment_id"]
    curves = h.post(f"http://127.0.0.1:{port}/api/2.0/mlflow/experiments/create", {"name": "many/curves"})["experiment_id"]

    def run(post, i):
        rng = random.Random(i)
        run_id = post("runs/create", {"experiment_id": experiment, "run_name": f"run-{i}", "start_time": 1_700_000_000_000 + i * 1000})["run"]["info"]["run_id"]
        post("runs/log-batch", {"run_id": run_id, "metrics": [{"key": k, "value": rng.random(), "timestamp": 1, "step": 0} for k in ("auc", "recall", "loss", *(f"m{j}" for j in range(7)))],
                                "params": [{"key": f"p{j}", "value": str(rng.randint(0, 9))} for j in range(10)], "tags": []})
        post("runs/update", {"run_id": run_id, "status": "FINISHED", "end_time": 1_700_000_005_000 + i * 1000})

    ids, spikes = [], {}

    def curve(post, i):
        rng = random.Random(-i)
        run_id = post("runs/create", {"experiment_id": curves, "run_name": f"curve-{i}", "start_time": 1_800_000_000_000 + i})["run"]["info"]["run_id"]
        at = rng.randrange(POINTS)
        ids.append(run_id)
        spikes[run_id] = at
        value = 1.0
        for begin in range(0, POINTS, 1000):
            batch = []
            for step in range(begin, min(POINTS, begin + 1000)):
                value += rng.gauss(0, 0.01)
                batch.append({"key": "loss", "value": PEAK if step == at else value, "timestamp": 1_800_000_000_000 + step * 10, "step": step})
            post("runs/log-batch", {"run_id": run_id, "metrics": batch, "params": [], "tags": []})

    begin = time.perf_counter()
    in_threads(port, range(RUNS), run)
    middle = time.perf_counter()
    in_threads(port, range(CURVES), curve)
    print(f"seeded {RUNS:,} runs in {middle - begin:.0f} s, {CURVES * POINTS:,} points in {time.perf_counter() - middle:.0f} s (the client is Python)")
    return ids, spikes


def get(url):
    begin = time.perf_counter()
    with urllib.request.urlopen(url, timeout=60) as answer:
        data = answer.read()
    return data, (time.perf_counter() - begin) * 1e3


def line(name, times, target, how):
    print(f"{name}: {statistics.median(times):.0f} ms median of {len(times)} (min {min(times):.0f}, max {max(times):.0f}; target {target}; {how})")


WATCH_ROWS = """new MutationObserver(() => { if (!window.rowsAt && document.querySelector('.grid tbody a')) requestAnimationFrame(() => setTimeout(() => { window.rowsAt ??= performance.now(); })); })
  .observe(document, {childList: true, subtree: true})"""


def main():
    from playwright.sync_api import sync_playwright

    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    folder = tempfile.mkdtemp(prefix="rondo-bench-ui-")
    port = h.free_port()
    url = f"http://127.0.0.1:{port}"
    try:
        with h.server([h.RONDO, "up", "--listen", f"127.0.0.1:{port}"], url + "/health", cwd=folder) as process:
            ids, spikes = seed(port)
            print(f"server after seeding: {h.rss_mb(process.pid):.0f} MB RSS")
            chart = f"{url}/api/v1/metrics?runs={','.join(ids)}&keys=loss&columns=400"
            times = []
            for _ in range(7):
                data, ms = get(chart)
                times.append(ms)
            curves = json.loads(data)
            assert len(curves) == CURVES and all(c["total"] == POINTS for c in curves), [(c["run"], c["total"]) for c in curves][:3]
            for c in curves:
                assert (spikes[c["run"]], PEAK) in zip(c["x"], c["value"]), f"the spike of {c['run']} is lost"
            line(f"server: {CURVES} curves of {POINTS:,} points for 400 pixel columns", times, 300, f"{sum(len(c['x']) for c in curves):,} points, {len(data) / 1e6:.1f} MB, every spike there")
            zoom = [get(chart + f"&from={POINTS // 2}&to={POINTS // 2 + POINTS // 50}")[1] for _ in range(5)]
            line("server: the same, zoomed to a fiftieth", zoom, 300, "rows instead of digests")
            line("server: first 100 of the runs", [get(f"{url}/api/v1/runs?order_by=start_time%20DESC&max=100")[1] for _ in range(9)], 60, "as the page asks")
            with sync_playwright() as p:
                browser = p.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
                paint, drawn, page_drawn = [], [], []
                context = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
                for i in range(8):
                    page = context.new_page()
                    page.add_init_script(WATCH_ROWS)
                    page.goto(url + "/runs", wait_until="load")
                    page.wait_for_selector(".grid tbody a")
                    page.wait_for_timeout(300)
                    if i:  # the first one also starts the browser's processes
                        paint.append(page.evaluate("() => window.rowsAt"))
                    if i == 7:
                        page.wait_for_selector(f"text={RUNS + CURVES:,} runs", timeout=20_000)
                        page.evaluate("() => { document.querySelector('.grid').scrollTop = 1e9; }")
                        page.wait_for_selector("text=run-0")
                    page.close()
                line(f"table of {RUNS + CURVES:,} runs: rows painted", paint, 300, "from the start of the navigation, cached files")
                for i in range(6):
                    page = context.new_page()
                    page.goto(f"{url}/compare?runs={','.join(ids)}", wait_until="load")
                    page.locator(".chart-box").first.scroll_into_view_if_needed(timeout=30_000)
                    deadline = time.time() + 30
                    mark = None
                    while mark is None and time.time() < deadline:
                        mark = page.evaluate("() => performance.getEntriesByName('chart loss')[0]?.startTime ?? null")
                        page.wait_for_timeout(20)
                    assert mark, "the chart was not drawn"
                    asked = page.evaluate("() => performance.getEntriesByType('resource').find((r) => r.name.includes('/api/v1/metrics?')).startTime")
                    if i:
                        drawn.append(mark - asked)
                        page_drawn.append(mark)
                    page.close()
                line(f"chart of {CURVES} x {POINTS:,} points: drawn", drawn, 500, "from its request")
                line("the same, with the page", page_drawn, "none", "from the start of the navigation to /compare")
                browser.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
