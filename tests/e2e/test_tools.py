"""Reproduction, TLS, tokens, hot swap under load: what a team needs on the second day."""
import hashlib
import hmac
import json
import os
import ssl
import subprocess
import threading
import urllib.error
import urllib.request

from conftest import eventually


def test_a_run_is_reproduced_bit_for_bit(churn):
    churn.run("run")
    report = churn.run("reproduce", "churn/1", "--json").json
    assert report["different"] == 0
    fields = {f["field"]: f["verdict"] for f in report["fields"]}
    assert fields["model.onnx (sha256)"] == "bit-equal" and fields["data customers"] == "bit-equal" and fields["test auc"] == "bit-equal"


def test_a_reproduction_that_differs_says_so(churn):
    churn.run("run")
    # The stored data are damaged: that must be noticed, not silently used.
    version = churn.run("data", "list", "--json").json[0]
    stored = churn.folder / ".rondo/cache/files/md5" / version["md5"][:2] / version["md5"][2:]
    stored.chmod(0o644)
    data = bytearray(stored.read_bytes())
    data[len(data) // 2] ^= 1
    stored.write_bytes(data)
    result = churn.run("reproduce", "churn/1", code=1)
    assert version["md5"] in result.text


def test_https_with_a_token(churn):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "cert.pem", "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=IP:127.0.0.1"], cwd=churn.folder, check=True, capture_output=True)
    token = "0123456789abcdef0123456789abcdef"
    process = subprocess.Popen([os.environ.get("RONDO_BIN", "") or str(__import__("conftest").RONDO), "up", "--listen", "127.0.0.1:0", "--tls-certificate", "cert.pem", "--tls-key", "key.pem"],
                               cwd=churn.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "RONDO_TOKEN": token})
    try:
        info = churn.folder / ".rondo/server.json"
        eventually(info.exists, what="the server")
        url = json.loads(info.read_text())["url"]
        assert url.startswith("https://")
        context = ssl.create_default_context(cafile=str(churn.folder / "cert.pem"))

        def get(path, headers=None):
            try:
                with urllib.request.urlopen(urllib.request.Request(url + path, headers=headers or {}), context=context, timeout=10) as answer:
                    return answer.status
            except urllib.error.HTTPError as error:
                return error.code

        assert get("/health") == 200
        assert get("/metrics") == 401
        assert get("/metrics", {"Authorization": "Bearer wrong"}) == 401
        assert get("/metrics", {"Authorization": f"Bearer {token}"}) == 200
    finally:
        process.terminate()
        assert process.wait(15) == 0


def test_pages_of_other_origins_are_refused(churn):
    server = churn.up()
    body = {"name": "x"}
    assert server.status("/api/2.0/mlflow/experiments/create", body)[0] == 200
    assert server.status("/api/2.0/mlflow/experiments/create", {"name": "y"}, headers={"Origin": "http://evil.example"})[0] == 403
    assert server.status("/api/v1/overview", headers={"Host": "evil.example"})[0] == 403


def test_a_new_champion_takes_over_without_a_failed_request(churn):
    churn.run("run")
    churn.run("run", "--set", "train.params.max_depth=2")
    server = churn.up()
    eventually(lambda: server.status("/v2/models/churn/ready")[0] == 200, what="the endpoint")
    signature = churn.json("out/model/signature.json")
    body = {"inputs": [{"name": c["name"], "shape": [1], "datatype": "BYTES" if c["type"] == "string" else "FP64", "data": [None]} for c in signature["inputs"]]}
    stop, seen, failures = threading.Event(), set(), []

    def load():
        while not stop.is_set():
            status, text = server.status("/v2/models/churn/infer", body)
            if status != 200:
                failures.append((status, text))
            else:
                seen.add(json.loads(text)["model_version"])

    threads = [threading.Thread(target=load) for _ in range(4)]
    for t in threads:
        t.start()
    try:
        for turn in range(6):
            version = "1" if turn % 2 else "2"
            churn.run("model", "promote", f"churn/{version}")
            eventually(lambda: json.loads(server.status("/v2/models/churn/infer", body)[1])["model_version"] == version, what=f"version {version}")
    finally:
        stop.set()
        for t in threads:
            t.join()
    assert not failures and seen == {"1", "2"}


def test_the_server_drains_and_leaves_no_children(churn):
    server = churn.up()
    assert server.stop() == 0
    assert not (churn.folder / ".rondo/server.json").exists()
    left = subprocess.run(["pgrep", "-f", str(churn.folder)], capture_output=True, text=True).stdout
    assert left == ""


def test_a_webhook_starts_one_run(churn):
    churn.write("rondo.yaml", "project: churn\ndata: {customers: {from: data/telco_churn.csv}}\ntriggers: {push: {webhook: \"${env:HOOK_SECRET}\", run: [ingest]}}\n")
    server = churn.up(env={"HOOK_SECRET": "right and long enough"})
    body = b'{"ref":"main"}'
    signature = "sha256=" + hmac.new(b"right and long enough", body, hashlib.sha256).hexdigest()

    def call(name, body=body, **headers):
        request = urllib.request.Request(f"{server.url}/api/v1/hooks/{name}", data=body, headers={k.replace("_", "-"): v for k, v in headers.items()})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    assert call("push", X_Rondo_Secret="wrong")[0] == 403
    assert call("nope", X_Rondo_Secret="right and long enough")[0] == 403
    assert call("push", body=body + b" ", X_Hub_Signature_256=signature)[0] == 403
    first = call("push", X_Hub_Signature_256=signature, Idempotency_Key="delivery-1")
    assert first[0] == 202
    assert call("push", X_Rondo_Secret="right and long enough", Idempotency_Key="delivery-1") == first
    eventually(lambda: [r["status"] for r in server.get("/api/v1/pipeline/runs") if r["id"] == first[1]["run_id"]] == ["succeeded"], wait=20, what=lambda: server.get("/api/v1/pipeline/runs"))
