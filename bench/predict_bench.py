"""One row of the churn model over HTTP keep-alive: server CPU per request, beside FastAPI + onnxruntime serving the same file, answers compared."""
import csv
import json
import sys

import harness as h

# The churn model with every default: monitoring and the prediction log are on, as for any user.
YAML = """project: churn
problem: {task: binary, target: churn, positive: "Yes", success: [auc >= 0.80]}
data: {customers: {from: data/telco_churn.csv}}
train: {algorithm: xgboost, params: {max_depth: 4, learning_rate: 0.1, rounds: 300, early_stopping: 20}}
deploy: {endpoint: churn}
"""

with h.project(YAML) as folder:
    h.rondo(folder, "run")
    signature = json.loads((folder / "out/model/signature.json").read_text())
    with open(folder / "data/telco_churn.csv", newline="") as f:
        rows = list(csv.DictReader(f))[:50]
    text = {"string", "category", "date", "datetime"}

    def body(row):
        inputs = []
        for c in signature["inputs"]:
            is_text = c["type"] in text
            value = row[c["name"]] or None
            inputs.append({"name": c["name"], "shape": [1], "datatype": "BYTES" if is_text else "FP32", "data": [value if is_text or value is None else float(value)]})
        return {"inputs": inputs}

    port, tuned_port, plain_port = h.free_port(), h.free_port(), h.free_port()
    ours, tuned, plain = (f"http://127.0.0.1:{p}" for p in (port, tuned_port, plain_port))

    def uvicorn(app, at, *options):
        return [sys.executable, "-m", "uvicorn", f"{app}:app", "--app-dir", str(h.ROOT / "bench/peers"), "--port", str(at), "--log-level", "warning", "--no-access-log", *options]

    model = {"MODEL": str(folder / "out/model")}
    with h.server([h.RONDO, "up", "--listen", f"127.0.0.1:{port}"], ours + "/v2/models/churn/ready", cwd=folder) as us, \
            h.server(uvicorn("fastapi_onnx", tuned_port, "--loop", "uvloop", "--http", "httptools"), tuned + "/health", env=model) as them, \
            h.server(uvicorn("fastapi_plain", plain_port, "--loop", "asyncio", "--http", "h11"), plain + "/health", env=model) as others:
        worst = 0.0
        for row in rows:
            a, b, c = ({o["name"]: o["data"] for o in h.post(url, body(row))["outputs"]}["probabilities"]
                       for url in (ours + "/v2/models/churn/infer", tuned + "/infer", plain + "/infer"))
            worst = max(worst, *(abs(x - y) for x, y in zip(a, b)), *(abs(x - y) for x, y in zip(a, c)))
        if worst > 1e-5:
            raise SystemExit(f"the answers differ by {worst}")
        rounds = {}
        text = json.dumps(body(rows[0]))
        for _ in range(5):  # in turn, so that all see the same states of the machine; the median is the figure
            for name, process, url in (("rondo", us, ours + "/v2/models/churn/infer"), ("fastapi as its tutorial writes it", others, plain + "/infer"),
                                       ("fastapi tuned (uvloop, httptools, no pydantic)", them, tuned + "/infer")):
                h.wrk(url, text, 1)
                before = h.cpu_split(process.pid)
                requests, bad = h.wrk(url, text, 3)
                user, system = (b - a for a, b in zip(before, h.cpu_split(process.pid)))
                if bad:
                    raise SystemExit(f"{name}: {bad} of {requests} requests failed")
                rounds.setdefault(name, []).append(((user + system) / requests * 1e6, user / requests * 1e6, system / requests * 1e6, requests / 3))
        figures = {}
        for name, measured in rounds.items():
            measured.sort()
            figures[name], user, system, rate = measured[len(measured) // 2]
            print(f"{name}: {figures[name]:.1f} us of server CPU a request ({user:.1f} user, {system:.1f} system; from {measured[0][0]:.1f} to {measured[-1][0]:.1f} in {len(measured)} rounds; "
                  f"{rate:.0f} requests/s, 4 connections)")
        print(f"answers of {len(rows)} rows agree within {worst:.1e}")
        for name, figure in figures.items():
            if name != "rondo":
                print(f"rondo answers {figure / figures['rondo']:.1f} times the requests per CPU-second of {name} (target 40)")
        print(f"target of at most 15 us a request: {'met' if figures['rondo'] <= 15 else 'MISSED'}")
