"""Labelled predictions that join the training data: a new version, the contract still judged."""
import shutil

YAML = """project: churn
problem: {task: binary, target: churn, positive: "Yes", success: [auc >= 0.80]}
data:
  customers:
    from: data/telco_churn.csv
    personal: {partner: drop}
    contract: {columns: {partner: {type: int, in: [0, 1], nulls: 0%}}}
train: {algorithm: logistic}
deploy: {endpoint: churn}
retrain: {when: [{cron: "0 3 1 1 *"}], feedback: append}
"""


def test_fed_back_rows_make_a_new_version_and_keep_the_judgement_on_dropped_columns(churn):
    churn.write("rondo.yaml", YAML)
    churn.run("run")
    before = churn.json("out/data/customers.json")
    assert not churn.json("out/check/customers.json")["anomalies"]
    (churn.folder / "out/feedback").mkdir()
    shutil.copy(churn.folder / "out/data/customers.parquet", churn.folder / "out/feedback/customers.parquet")
    churn.run("run")
    after = churn.json("out/data/customers.json")
    assert after["rows"] == 2 * before["rows"] and after["md5"] != before["md5"]
    assert not churn.json("out/check/customers.json")["anomalies"], "the column that ingest dropped was judged by ingest"
