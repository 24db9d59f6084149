// Made-up model versions.
import type { AliasChange, Gate, ModelDetail, VersionDetail, VersionRow } from "../src/api/types";
import { DAY, HOUR, MIN, hex, normal, now } from "./random";
import { commits, runs } from "./runs";

const gate = (text: string, value: number, limit: number, lower = false, warn = false): Gate => {
  const passed = lower ? value <= limit : value >= limit;
  return { gate: text, value, limit, passed, warn, why: passed ? "" : `${value.toFixed(4)} against ${limit} on 1,409 test rows` };
};
const around = (value: number, half: number) => ({ value, low: value - half, high: value + half });

export const versions: VersionRow[] = [8, 7, 6, 5, 4, 3, 2, 1].map((n) => {
  const auc = 0.8312 + n * 0.0019 + normal() * 0.001;
  const recall = n === 3 ? 0.688 : 0.735 + normal() * 0.01;
  return {
    name: "churn", version: n, time: now - (n === 8 ? 35 * MIN : (8 - n) * 5.5 * DAY), user: n % 3 === 2 ? "rondo:retrain" : "anna", run_id: (runs[n === 8 ? 1 : 3 + (7 - n) * 40] ?? runs[5])!.id, digest: hex(64), status: "READY", stage: n === 7 ? "Production" : "None", description: "",
    aliases: n === 7 ? ["champion"] : n === 8 ? ["challenger"] : [], endpoints: n >= 7 ? ["churn"] : [],
    metrics: { auc: around(auc, 0.019), average_precision: around(0.655 + normal() * 0.006, 0.035), recall: around(recall, 0.04), precision: around(0.53, 0.03), f1: around(0.62, 0.027), brier: around(0.1372 + normal() * 0.001, 0.006), log_loss: around(0.416, 0.017) },
    gates: [gate("auc >= 0.83", auc, 0.83), gate("recall >= 0.70", recall, 0.7), gate("auc >= champion - 0.005", auc, 0.8335), gate("demographic_parity_ratio[female] >= 0.80", 0.94, 0.8), gate("brier <= 0.15", 0.1372, 0.15, true, true)],
    approved: n === 7 ? 2 : n === 8 ? 1 : n > 3 ? 2 : 0, rejected: n === 3 ? 1 : 0,
  };
});
const change = (alias: string, from: number | undefined, to: number | undefined, time: number, actor: string, reason: string): AliasChange => ({ model: "churn", alias, ...(from ? { from } : {}), ...(to ? { to } : {}), time, actor, reason });
const history: AliasChange[] = [
  change("challenger", undefined, 8, now - 33 * MIN, "rondo:rollout", "canary of v8 began"),
  change("champion", 6, 7, now - 5.4 * DAY, "rondo:rollout", "all 5 guards passed at 100%"),
  change("champion", 7, 6, now - 8 * DAY, "anna", "support saw odd scores for new contracts"),
  change("champion", 6, 7, now - 9 * DAY, "rondo:rollout", "promoted"),
  change("champion", 5, 6, now - 13 * DAY, "rondo:rollout", "promoted after retrain on drift"),
  change("champion", 2, 5, now - 20 * DAY, "jonas", "better recall for two-year contracts"),
  change("champion", 1, 2, now - 33 * DAY, "anna", "first tuned model"),
  change("champion", undefined, 1, now - 38.5 * DAY, "anna", "first model"),
];
const summary = { name: "churn", description: "Which customers leave within a month, so that the retention team calls the right ones.", versions: 8, updated: now - 33 * MIN, aliases: { champion: 7, challenger: 8 }, endpoints: ["churn"] };
export const model: ModelDetail = { ...summary, champion: versions[1]!, rows: versions, history };
export const summaries = [{ ...summary, champion: versions[1]! }];

const card = `# churn

**Predicts** whether a customer leaves within the next month (\`churn = Yes\`).

## Intended use

The retention team calls the 200 customers with the highest scores each week. Not for pricing, not for credit decisions.

## Figures on the test part (1,409 rows)

| metric | value | 95% interval |
| --- | --- | --- |
| auc | 0.8446 | 0.826 to 0.864 |
| recall | 0.7353 | 0.694 to 0.775 |
| brier | 0.1372 | 0.131 to 0.143 |

## Data

- 7,043 customers, version 3 of \`customers\`, contract checked: 24 checks hold
- split by a hash of the customer's key: 60% training, 20% validation, 20% test
`;
export function versionDetail(n: number): VersionDetail | undefined {
  const row = versions.find((v) => v.version === n);
  if (!row) return undefined;
  const g = (rows: number, rate: number) => ({ rows, selection_rate: rate, recall: 0.73, false_positive_rate: 0.2 });
  return {
    ...row,
    facts: {
      task: "binary", algorithm: "xgboost", threshold: 0.2143, rows: 7043, commit: commits[0]!, seed: 7,
      slices: [
        { column: "contract", value: "Month-to-month", rows: 775, auc: 0.7512, recall: 0.82, precision: 0.54 },
        { column: "contract", value: "One year", rows: 301, auc: 0.7791, recall: 0.41, precision: 0.38 },
        { column: "contract", value: "Two year", rows: 333, auc: 0.8034, recall: 0.22, precision: 0.31 },
        { column: "payment_method", value: "Electronic check", rows: 468, auc: 0.8011, recall: 0.85, precision: 0.57 },
        { column: "payment_method", value: "Voucher", rows: 12, auc: "NaN", recall: 0.5, precision: 0.5 },
      ],
      fairness: { female: { demographic_parity_ratio: 0.9412, equalized_odds_difference: 0.0312, groups: { "0": g(711, 0.36), "1": g(698, 0.38) } }, senior_citizen: { demographic_parity_ratio: 0.611, equalized_odds_difference: 0.142, groups: { "0": g(1181, 0.33), "1": g(228, 0.54) } } },
      importance: [{ feature: "contract", importance: 0.0731 }, { feature: "tenure", importance: 0.0514 }, { feature: "internet_service", importance: 0.0322 }, { feature: "monthly_charges", importance: 0.0187 }, { feature: "total_charges", importance: 0.0121 }, { feature: "payment_method", importance: 0.0098 }, { feature: "online_security", importance: 0.0077 }, { feature: "paperless_billing", importance: 0.0031 }],
      signature: { inputs: inputs.map((i) => ({ name: i.name, type: i.type })) },
    },
    ...(n === 7 ? {} : { champion: { version: 7, metrics: versions[1]!.metrics } }),
    approvals: row.approved ? [{ model: "churn", version: n, digest: row.digest, decision: "approved", actor: "mira", role: "risk", reason: "figures and slices read", time: row.time + HOUR, valid: true }, ...(row.approved > 1 ? [{ model: "churn", version: n, digest: row.digest, decision: "approved" as const, actor: "tom", role: "risk", reason: "", time: row.time + 2 * HOUR, valid: true }] : [])] : [],
    approvals_needed: 2, roles: ["risk"],
    files: [{ path: "model/model.onnx", size: 412_311, sha256: row.digest }, { path: "model/signature.json", size: 2104, sha256: hex(64) }, { path: "metrics.json", size: 18_022, sha256: hex(64) }, { path: "reference.json", size: 31_290 }],
    card,
    lineage: { data: [{ kind: "dataset", id: "customers/3" }, { kind: "commit", id: commits[0]! }, { kind: "config", id: hex(64) }], run: [{ kind: "run", id: row.run_id }, { kind: "pipeline_run", id: "p0042" }], serves: n >= 7 ? [{ kind: "endpoint", id: "churn" }, ...(n === 7 ? [{ kind: "alarm" as const, id: "a0000000000000000000000000000012" }] : [])] : [] },
  };
}

const yes = ["No", "Yes"];
export const inputs = [
  { name: "gender", type: "category", values: ["Female", "Male"], example: "Female" }, { name: "senior_citizen", type: "int", example: 0 }, { name: "partner", type: "category", values: yes, example: "Yes" }, { name: "dependents", type: "category", values: yes, example: "No" }, { name: "tenure", type: "int", example: 5 },
  { name: "phone_service", type: "category", values: yes, example: "Yes" }, { name: "multiple_lines", type: "category", values: ["No", "No phone service", "Yes"], example: "No" }, { name: "internet_service", type: "category", values: ["DSL", "Fiber optic", "No"], example: "Fiber optic" }, { name: "online_security", type: "category", values: ["No", "No internet service", "Yes"], example: "No" }, { name: "tech_support", type: "category", values: ["No", "No internet service", "Yes"], example: "No" },
  { name: "contract", type: "category", values: ["Month-to-month", "One year", "Two year"], example: "Month-to-month" }, { name: "paperless_billing", type: "category", values: yes, example: "Yes" }, { name: "payment_method", type: "category", values: ["Bank transfer (automatic)", "Credit card (automatic)", "Electronic check", "Mailed check"], example: "Electronic check" }, { name: "monthly_charges", type: "float", example: 89.1 }, { name: "total_charges", type: "float", example: 445.5 },
];
