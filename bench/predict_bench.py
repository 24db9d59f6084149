"""One row of the churn model over HTTP keep-alive: server CPU per request, beside FastAPI + onnxruntime serving the same file, answers compared."""
import csv
import json
import sys

import harness as h

with h.project() as folder:
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

    port, peer_port = h.free_port(), h.free_port()
    ours, theirs = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{peer_port}"
    peer = [sys.executable, "-m", "uvicorn", "fastapi_onnx:app", "--app-dir", str(h.ROOT / "bench/peers"), "--port", str(peer_port), "--log-level", "warning", "--no-access-log"]
    with h.server([h.RONDO, "up", "--listen", f"127.0.0.1:{port}"], ours + "/v2/models/churn/ready", cwd=folder) as us, \
            h.server(peer, theirs + "/health", env={"MODEL": str(folder / "out/model")}) as them:
        worst = 0.0
        for row in rows:
            a = {o["name"]: o["data"] for o in h.post(ours + "/v2/models/churn/infer", body(row))["outputs"]}["probabilities"]
            b = {o["name"]: o["data"] for o in h.post(theirs + "/infer", body(row))["outputs"]}["probabilities"]
            worst = max(worst, *(abs(x - y) for x, y in zip(a, b)))
        if worst > 1e-5:
            raise SystemExit(f"the answers differ by {worst}")
        figures = {}
        for name, process, url, seconds in (("rondo", us, ours + "/v2/models/churn/infer", 5), ("fastapi + onnxruntime", them, theirs + "/infer", 5)):
            h.wrk(url, json.dumps(body(rows[0])), 1)
            before = h.cpu_seconds(process.pid)
            requests, bad = h.wrk(url, json.dumps(body(rows[0])), seconds)
            used = h.cpu_seconds(process.pid) - before
            if bad:
                raise SystemExit(f"{name}: {bad} of {requests} requests failed")
            figures[name] = used / requests * 1e6
            print(f"{name}: {figures[name]:.1f} us of server CPU a request ({requests} requests in {seconds} s, 4 connections)")
        print(f"answers of {len(rows)} rows agree within {worst:.1e}")
        print(f"ratio: {figures['fastapi + onnxruntime'] / figures['rondo']:.1f} times the requests per CPU-second (target 40)")
        print(f"target: at most 15 us a request: {'met' if figures['rondo'] <= 15 else 'MISSED'}")
