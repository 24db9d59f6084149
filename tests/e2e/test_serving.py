"""Serving with the real program: a canary that survives kill -9, commands of another process that the server follows, batches that equal single rows."""
import csv
import json
import signal
import time
import urllib.request

from conftest import CHURN, eventually

YAML = """project: churn
seed: 7
problem: {task: binary, target: churn, positive: "Yes", success: [auc >= 0.80]}
data: {customers: {from: data/telco_churn.csv}}
deploy: {endpoint: churn, rollout: canary, steps: [20%, 50%, 100%], hold: {requests: 60}, guard: [error_rate <= 2%, score_psi <= 0.5]}
monitor: {window: 100000 rows}
"""


def records(n):
    with open(CHURN, newline="") as f:
        return [{k: v if v != "" else None for k, v in row.items() if k != "churn"} for _, row in zip(range(n), csv.DictReader(f))]


def ask(server, row, key):
    body = json.dumps({"dataframe_records": [row]}).encode()
    request = urllib.request.Request(server.url + "/endpoints/churn/invocations", data=body, headers={"Content-Type": "application/json", "x-rondo-key": key})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return answer.headers["x-rondo-version"], json.loads(answer.read())


def two_versions(churn):
    churn.write("rondo.yaml", YAML)
    churn.run("run")
    server = churn.up()
    eventually(lambda: server.status("/v2/models/churn/ready")[0] == 200, what="the endpoint")
    churn.run("run", "--set", "train.params.max_depth=2")
    eventually(lambda: len(server.get("/api/v1/endpoints/churn")["variants"]) == 2, what="the canary")
    return server


def test_canary_survives_kill_9_and_is_promoted(churn):
    server = two_versions(churn)
    rows = records(300)
    dealt = {}
    for i, row in enumerate(rows[:150]):
        dealt[f"c{i}"] = ask(server, row, f"c{i}")[0]
    assert set(dealt.values()) == {"1", "2"}
    server.stop(signal.SIGKILL)

    server = churn.up()
    endpoint = server.get("/api/v1/endpoints/churn")
    assert endpoint["rollout"]["state"] == "running" and len(endpoint["variants"]) == 2
    moved = [key for key, version in list(dealt.items())[:60] if version == "2" and ask(server, rows[0], key)[0] != "2"]
    assert not moved, "a key that had the new version keeps it"
    sent = 0
    while server.get("/api/v1/endpoints/churn")["rollout"]["state"] == "running":
        for _ in range(100):
            ask(server, rows[sent % len(rows)], f"d{sent}")
            sent += 1
        assert sent < 6000, server.get("/api/v1/endpoints/churn")["rollout"]
    endpoint = server.get("/api/v1/endpoints/churn")
    assert endpoint["rollout"]["state"] == "promoted", endpoint["rollout"]
    assert [v["version"] for v in endpoint["variants"]] == [2]
    # Back by hand, from another process: the server follows within a moment.
    churn.run("model", "rollback", "churn", "--reason", "a look at the way back")
    eventually(lambda: [v["version"] for v in server.get("/api/v1/endpoints/churn")["variants"]] == [1], what="version 1 again")
    assert churn.run("audit", "verify").code == 0


def test_commands_steer_a_running_rollout(churn):
    server = two_versions(churn)
    assert churn.run("rollout", "pause", "--json").json["state"] == "paused"
    eventually(lambda: server.get("/api/v1/endpoints/churn")["rollout"]["state"] == "paused", what="the pause")
    churn.run("rollout", "resume")
    assert churn.run("rollout", "advance", "--json").json["step"] == 1
    eventually(lambda: server.get("/api/v1/endpoints/churn")["variants"][1]["weight"] == 0.5, what="half of the traffic")
    churn.run("rollout", "abort", "--reason", "enough")
    eventually(lambda: len(server.get("/api/v1/endpoints/churn")["variants"]) == 1, what="the champion alone")
    result = churn.run("rollout", "pause", code=None)
    assert result.code != 0 and "no rollout" in result.text


def test_a_batch_equals_its_rows(churn):
    churn.run("run")
    churn.run("predict", "churn@champion", "--data", "data/telco_churn.csv", "--out", "out/scores.csv")
    with open(churn.folder / "out/scores.csv", newline="") as f:
        batch = list(csv.DictReader(f))
    server = churn.up()
    eventually(lambda: server.status("/v2/models/churn/ready")[0] == 200, what="the endpoint")
    rows = records(200)
    answers = server.post("/endpoints/churn/invocations", {"dataframe_records": rows})
    for i, row in enumerate(rows[:20]):
        assert ask(server, row, "x")[1]["predictions"][0] == answers["predictions"][i]
    for scored, answer in zip(batch, answers["predictions"]):
        assert scored["decision"] == answer["label"]
        assert abs(float(scored["score"]) - answer["probabilities"]["Yes"]) < 1e-7


def test_a_canary_is_judged_by_its_labels(churn):
    """`auc` needs the truth: without labels the canary waits, labels that contradict the new version bring the old one back."""
    churn.write("rondo.yaml", YAML.replace("guard: [error_rate <= 2%, score_psi <= 0.5]", "guard: [auc >= champion - 0.05]").replace("[20%, 50%, 100%]", "[50%, 100%]"))
    churn.run("run")
    server = churn.up()
    eventually(lambda: server.status("/v2/models/churn/ready")[0] == 200, what="the endpoint")
    churn.run("run", "--set", "train.params.max_depth=2")
    eventually(lambda: len(server.get("/api/v1/endpoints/churn")["variants"]) == 2, what="the canary")
    with open(CHURN, newline="") as f:
        truth = [row["churn"] for _, row in zip(range(600), csv.DictReader(f))]
    dealt = [ask(server, row, f"g{i}")[0] for i, row in enumerate(records(600))]
    waiting = server.get("/api/v1/endpoints/churn")["rollout"]
    assert waiting["state"] == "running" and waiting["step"] == 0
    eventually(lambda: "labelled" in json.dumps(server.get("/api/v1/endpoints/churn")["rollout"]["guards"]), what="a guard that waits for labels")
    other = {"Yes": "No", "No": "Yes"}
    server.post("/endpoints/churn/labels", [{"key": f"g{i}", "label": other[y] if version == "2" else y} for i, (y, version) in enumerate(zip(truth, dealt))])
    eventually(lambda: server.get("/api/v1/endpoints/churn")["rollout"]["state"] == "rolled_back", wait=40, what="the way back")
    rollout = server.get("/api/v1/endpoints/churn")["rollout"]
    assert "auc" in rollout["why"] and rollout["guards"][0]["high"] < rollout["guards"][0]["limit"]


def test_a_declared_prediction_runs_by_name(churn):
    churn.write("rondo.yaml", YAML + 'predict:\n  nightly: {data: customers, model: churn@champion, out: "scores/{date}.parquet"}\n')
    churn.run("run")
    summary = churn.run("predict", "nightly", "--json").json
    assert summary["rows"] == 7043
    day = time.strftime("%Y-%m-%d", time.gmtime())
    assert summary["out"] == f"scores/{day}.parquet" and (churn.folder / summary["out"]).stat().st_size > 10_000
    assert "predict:" in churn.run("predict", "weekly", code=2).text
