"""/metrics is read by the real Prometheus: its linter finds no fault, and a server scrapes it."""
import json
import shutil
import socket
import subprocess
import urllib.request

import pytest

from conftest import eventually


def row():
    texts = {"multiple_lines": "No", "internet_service": "DSL", "online_security": "No", "online_backup": "Yes", "device_protection": "No", "tech_support": "No", "streaming_tv": "No",
             "streaming_movies": "No", "contract": "Month-to-month", "payment_method": "Electronic check"}
    numbers = {"female": 1, "senior_citizen": 0, "partner": 1, "dependents": 0, "tenure": 1, "phone_service": 1, "paperless_billing": 1, "monthly_charges": 29.85, "total_charges": None}
    return {**texts, **numbers}


@pytest.fixture
def served(churn):
    churn.run("run")
    server = churn.up()
    eventually(lambda: server.status("/v2/models/churn/ready")[0] == 200, what="the endpoint")
    for _ in range(30):
        server.post("/endpoints/churn/invocations", {"dataframe_records": [row()]})
    return server


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed: ./dev setup --tests")
def test_the_linter_is_content(served):
    text = served.get("/metrics", raw=True)
    assert b"rondo_endpoint_requests_total" in text
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()


@pytest.mark.skipif(not shutil.which("prometheus"), reason="prometheus is not installed: ./dev setup --tests")
def test_a_real_server_scrapes(served, tmp_path):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    (tmp_path / "prometheus.yml").write_text(f"""global: {{scrape_interval: 1s}}
scrape_configs:
- job_name: rondo
  static_configs: [{{targets: ['127.0.0.1:{served.port}']}}]
""")
    process = subprocess.Popen(["prometheus", f"--config.file={tmp_path}/prometheus.yml", f"--storage.tsdb.path={tmp_path}/tsdb", f"--web.listen-address=127.0.0.1:{port}"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        def query(text):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/query?query={text}", timeout=2) as answer:
                    return json.loads(answer.read())["data"]["result"]
            except OSError:
                return []
        found = eventually(lambda: query("rondo_endpoint_requests_total"), wait=30, what="the first scrape")
        assert sum(float(r["value"][1]) for r in found) >= 30
        assert query("up")[0]["value"][1] == "1"
    finally:
        process.terminate()
        process.wait(15)
