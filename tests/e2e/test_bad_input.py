"""Bad input: a clear message (what, where, which value, what to do), the documented exit code, and nothing lost."""
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

import pytest

from conftest import CHURN_YAML, RONDO, eventually

GOOD_CSV = "id,age,plan,churn\n" + "".join(f"{i},{20 + i % 50},{'ab'[i % 2]},{'Yes' if i % 3 == 0 else 'No'}\n" for i in range(300))
BASE = """project: t
problem: {task: binary, target: churn, positive: "Yes", key: id}
data: {d: {from: d.csv}}
"""


def yaml(**changes):
    """BASE with whole lines replaced by key."""
    lines = dict(line.split(": ", 1) for line in BASE.strip().splitlines())
    lines.update(changes)
    return "".join(f"{k}: {v}\n" for k, v in lines.items() if v is not None)


# name, rondo.yaml, exit code, fragments of the message
YAML_CASES = [
    ("unknown top key", yaml(trian="{algorithm: xgboost}"), 2, ["trian", "train", "rondo.yaml:4"]),
    ("unknown nested key", yaml(problem='{task: binary, targt: churn, positive: "Yes"}'), 2, ["targt", "target"]),
    ("bad task", yaml(problem='{task: clustering, target: churn}'), 2, ["clustering", "binary"]),
    ("no target", yaml(problem='{task: binary, positive: "Yes"}'), 2, ["target"]),
    ("no positive", yaml(problem='{task: binary, target: churn}'), 2, ["positive"]),
    ("bad gate operator", yaml(problem='{task: binary, target: churn, positive: "Yes", success: [auc is high]}'), 2, ["auc is high"]),
    ("unknown metric", yaml(problem='{task: binary, target: churn, positive: "Yes", success: [acu >= 0.8]}'), 2, ["acu", "auc"]),
    ("metric of another task", yaml(problem='{task: binary, target: churn, positive: "Yes", success: [rmse <= 1]}'), 2, ["rmse"]),
    ("gate value not a number", yaml(problem='{task: binary, target: churn, positive: "Yes", success: [auc >= high]}'), 2, ["high"]),
    ("split over 100 %", yaml(split="{test: 60%, validation: 50%}"), 2, ["split"]),
    ("bad split kind", yaml(split="{by: colour}"), 2, ["colour", "key"]),
    ("negative share", yaml(split="{test: -10%}"), 2, ["-10%"]),
    ("bad algorithm", yaml(train="{algorithm: xgbost}"), 2, ["xgbost", "xgboost"]),
    ("bad param", yaml(train="{algorithm: xgboost, params: {max_dept: 3}}"), 2, ["max_dept", "max_depth"]),
    ("param of wrong type", yaml(train="{algorithm: xgboost, params: {max_depth: deep}}"), 2, ["max_depth", "deep"]),
    ("bad rollout", yaml(deploy="{endpoint: e, rollout: yolo}"), 2, ["yolo", "canary"]),
    ("falling rollout steps", yaml(deploy="{endpoint: e, rollout: canary, steps: [50%, 10%, 100%]}"), 2, ["steps"]),
    ("bad endpoint name", yaml(deploy="{endpoint: ../etc}"), 2, ["../etc"]),
    ("bad duration", yaml(deploy="{endpoint: e, hold: {time: soon}}"), 2, ["soon"]),
    ("bad window", yaml(monitor="{window: many}"), 2, ["many"]),
    ("bad cron", yaml(retrain='{when: [{cron: "99 * * * *"}]}'), 2, ["99"]),
    ("unsupported tune", yaml(train="{algorithm: xgboost, tune: {search: tpe, trials: 3}}"), 2, ["tune", "support"]),
    ("unsupported source", yaml(data="{d: {from: 'postgresql://h/db', table: t}}"), 2, ["postgresql", "support"]),
    ("unclosed brace", "project: t\nproblem: {task: binary\n", 2, ["rondo.yaml:"]),
    ("tab indentation", "project: t\nproblem:\n\ttask: binary\n", 2, ["rondo.yaml:3"]),
    ("duplicate key", "project: t\nproject: u\n", 2, ["project"]),
    ("alias bomb", "a: &a [x,x,x]\nb: &b [*a,*a,*a]\nproject: t\n", 2, ["rondo.yaml"]),
    ("not a mapping", "- a\n- b\n", 2, ["rondo.yaml"]),
    ("empty file", "", 2, ["rondo.yaml"]),
    ("binary garbage", b"\x00\xff\xfe\x01", 2, ["rondo.yaml"]),
    ("stage cycle", yaml(stages="{a: {cmd: x, deps: [b.txt], outs: [a.txt]}, b: {cmd: x, deps: [a.txt], outs: [b.txt]}}"), 2, ["cycle"]),
    ("same out twice", yaml(stages="{a: {cmd: x, outs: [o]}, b: {cmd: x, outs: [o]}}"), 2, ["o"]),
    ("out outside the project", yaml(stages="{a: {cmd: x, outs: [../../o]}}"), 2, ["../../o"]),
    ("stage without cmd", yaml(stages="{a: {outs: [o]}}"), 2, ["cmd"]),
    ("derive unknown column", yaml(features="{derive: {x: agee * 2}}"), 2, ["agee", "age"]),
    ("derive bad syntax", yaml(features="{derive: {x: 'age * (2'}}"), 2, ["age * (2"]),
    ("bad type in contract", yaml(data="{d: {from: d.csv, contract: {columns: {age: {type: integer}}}}}"), 2, ["integer", "int"]),
    ("bad pattern", yaml(data="{d: {from: d.csv, contract: {columns: {plan: {matches: '('}}}}}"), 2, ["("]),
]

# name, CSV bytes, changes of rondo.yaml, exit code, fragments
DATA_CASES = [
    ("missing file", None, {}, 1, ["d.csv"]),
    ("empty file", b"", {}, 1, ["d.csv", "empty"]),
    ("header only", b"id,age,plan,churn\n", {}, 1, ["d.csv"]),
    ("ragged row", GOOD_CSV.encode() + b"1,2\n", {}, 1, ["d.csv", "302"]),
    ("too many fields", GOOD_CSV.encode() + b"1,2,3,4,5,6\n", {}, 1, ["d.csv", "302"]),
    ("latin-1 bytes", GOOD_CSV.encode() + "999,30,é,No\n".encode("latin-1"), {}, 1, ["d.csv", "encoding"]),
    ("duplicate columns", b"id,age,age,churn\n1,2,3,Yes\n", {}, 1, ["age"]),
    ("open quote", GOOD_CSV.encode() + b'999,30,"open,No\n', {}, 1, ["d.csv"]),
    ("missing target column", GOOD_CSV.replace("churn", "left", 1).encode(), {}, 1, ["churn"]),
    ("one class", GOOD_CSV.replace("Yes", "No").encode(), {}, 1, ["churn"]),
    ("positive never occurs", GOOD_CSV.encode(), {"problem": '{task: binary, target: churn, positive: "yes", key: id}'}, 1, ["yes", "Yes"]),
    ("three classes", GOOD_CSV.encode() + b"999,30,a,Maybe\n" * 1, {}, 1, ["churn", "Maybe"]),
    ("duplicate keys", GOOD_CSV.encode() + b"1,30,a,No\n", {}, 1, ["id"]),
    ("null keys", GOOD_CSV.encode() + b",30,a,No\n", {}, 1, ["id"]),
    ("text for a number", GOOD_CSV.encode(), {"problem": "{task: regression, target: plan, key: id}", "train": "{algorithm: linear}"}, 1, ["plan"]),
    ("contract: range", GOOD_CSV.encode(), {"data": "{d: {from: d.csv, contract: {columns: {age: {max: 40}}}}}"}, 1, ["age", "40"]),
    ("contract: set", GOOD_CSV.encode(), {"data": "{d: {from: d.csv, contract: {columns: {plan: {in: [a]}}}}}"}, 1, ["plan"]),
    ("contract: rows", GOOD_CSV.encode(), {"data": "{d: {from: d.csv, contract: {min_rows: 1000}}}"}, 1, ["1000", "300"]),
    ("contract: missing column", GOOD_CSV.encode(), {"data": "{d: {from: d.csv, contract: {columns: {income: {type: float}}}}}"}, 1, ["income"]),
    ("contract: wrong type", GOOD_CSV.encode(), {"data": "{d: {from: d.csv, contract: {columns: {plan: {type: int}}}}}"}, 1, ["plan"]),
    ("all null column", GOOD_CSV.replace(",a,", ",,").replace(",b,", ",,").encode(), {}, 0, []),
    ("no glob match", GOOD_CSV.encode(), {"data": "{d: {from: 'x*.csv'}}"}, 1, ["x*.csv"]),
    ("gate fails", GOOD_CSV.encode(), {"problem": '{task: binary, target: churn, positive: "Yes", key: id, success: [auc >= 0.999999]}'}, 1, ["auc >= 0.999999"]),
    ("sql leaves the engine", GOOD_CSV.encode(), {"data": "{d: {from: d.csv}, e: {sql: \"SELECT * FROM read_csv('/etc/passwd')\"}}",
                                                  "problem": '{task: binary, target: churn, positive: "Yes", key: id, data: d}'}, 2, ["data.e", "read_csv"]),
]


def assert_clear(result, fragments):
    for fragment in fragments:
        assert fragment in result.text, f"{fragment!r} is not in:\n{result.text}"
    for forbidden in ("terminate called", "Assertion", "Segmentation", "std::"):
        assert forbidden not in result.text, result.text


@pytest.mark.parametrize("case", YAML_CASES, ids=[c[0] for c in YAML_CASES])
def test_wrong_project_files(project, case):
    _, text, code, fragments = case
    project.write("rondo.yaml", text)
    project.write("d.csv", GOOD_CSV)
    assert_clear(project.run("run", code=code), fragments)


@pytest.mark.parametrize("case", DATA_CASES, ids=[c[0] for c in DATA_CASES])
def test_wrong_data(project, case):
    _, data, changes, code, fragments = case
    project.write("rondo.yaml", yaml(**{"train": "{algorithm: logistic}", **changes}))
    if data is not None:
        project.write("d.csv", data)
    assert_clear(project.run("run", code=code), fragments)


def test_no_project(project):
    assert_clear(project.run("run", code=2), ["rondo.yaml", "rondo init"])


def test_unknown_command_and_option(project):
    assert_clear(project.run("rnu", code=2), ["rnu", "run"])
    assert_clear(project.run("run", "--frobnicate", code=2), ["--frobnicate"])


def test_missing_engine(churn):
    empty = churn.folder / "empty"
    empty.mkdir()
    # A copy of the program elsewhere finds no engines beside it.
    program = churn.folder / "bin" / "rondo"
    program.parent.mkdir()
    program.write_bytes(RONDO.read_bytes())
    program.chmod(0o755)
    done = subprocess.run([program, "run"], cwd=churn.folder, capture_output=True, text=True, env={**os.environ, "RONDO_ENGINES": str(empty)})
    assert done.returncode == 3
    assert "duckdb" in done.stdout + done.stderr


def test_busy_port(churn):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        port = s.getsockname()[1]
        assert_clear(churn.run("up", "--listen", f"127.0.0.1:{port}", code=3), [str(port), "in use"])


def test_second_server_on_the_same_folder(churn):
    churn.up()
    assert_clear(churn.run("up", "--listen", "127.0.0.1:0", code=3), ["another"])


def test_open_address_asks_for_a_login(churn):
    with open(churn.folder / "open.log", "w+") as log:
        process = subprocess.Popen([str(RONDO), "up", "--listen", "0.0.0.0:0"], cwd=churn.folder, stdout=log, stderr=log)
        try:
            info = churn.folder / ".rondo/server.json"
            eventually(info.exists, what="the server")
            url = churn.json(".rondo/server.json")["url"].replace("0.0.0.0", "127.0.0.1")
            assert urllib.request.urlopen(url + "/health", timeout=10).status == 200
            with pytest.raises(urllib.error.HTTPError) as error:
                urllib.request.urlopen(url + "/api/v1/models", timeout=10)
            assert error.value.code == 401
            eventually(lambda: "/login?setup=" in churn.read("open.log"), what="the link for the first administrator")
            assert "unencrypted" in churn.read("open.log")
        finally:
            process.terminate()
            assert process.wait(15) == 0


def test_read_only_folder_and_full_disk(churn):
    if os.geteuid() == 0 and subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(churn.write("full/.keep", "").parent)], capture_output=True).returncode == 0:
        folder = churn.folder / "full"
        try:
            for name in ("rondo.yaml", "data/telco_churn.csv"):
                target = folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes((churn.folder / name).read_bytes())
            result = churn.run("run", cwd=folder, code=None)
            assert result.code == 3, result.text
            assert_clear(result, ["o space left"])
        finally:
            subprocess.run(["umount", "-l", str(folder)], check=True)
    else:
        pytest.skip("needs root for a small file system")


@pytest.mark.parametrize("delay", [0.05, 0.2, 0.5, 1.0])
def test_kill_9_at_any_moment_loses_nothing(churn, delay):
    process = subprocess.Popen([str(RONDO), "run"], cwd=churn.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(delay)
    process.send_signal(signal.SIGKILL)
    process.wait()
    churn.run("run")
    again = churn.run("run")
    assert "up to date" in again.text or "nothing to do" in again.text
    assert churn.run("audit", "verify").code == 0


def test_server_answers_errors_without_paths(churn):
    churn.run("run")
    server = churn.up()
    eventually(lambda: server.status("/v2/models/churn/ready")[0] == 200, what="the endpoint")
    for path, body, wanted in [
        ("/v2/models/nope/infer", {"inputs": []}, 404),
        ("/v2/models/churn/infer", b"{", 400),
        ("/v2/models/churn/infer", {"inputs": "x"}, 400),
        ("/v2/models/churn/infer", {"inputs": [{"name": "tenure", "shape": [1], "datatype": "FP64", "data": ["x"]}]}, 400),
        ("/v2/models/churn/infer", {"inputs": [{"name": "tenure", "shape": [-1], "datatype": "FP64", "data": []}]}, 400),
        ("/endpoints/churn/labels", [{"nothing": 1}], 400),
        ("/endpoints/churn/invocations", {"a": 1}, 400),
        ("/api/v1/nowhere", None, 404),
    ]:
        status, text = server.status(path, body)
        assert status == wanted, (path, status, text)
        assert str(churn.folder) not in text and "/src/" not in text
