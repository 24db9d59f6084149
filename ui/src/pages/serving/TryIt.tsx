// Sends one row to the endpoint and shows the answer; and the code that does the same.
import { useState } from "preact/hooks";
import { seg, send } from "../../api/client";
import type { ApiError, Endpoint, EndpointInput } from "../../api/types";
import { Button } from "../../components/Button";
import { Chip, VersionChip } from "../../components/Chip";
import { Problem, Section } from "../../components/Page";
import { Snippets } from "../../components/Snippet";
import { metric } from "../../lib/format";
import { snippetsFor } from "./snippets";

const isNumeric = (i: EndpointInput) => i.type === "int" || i.type === "float" || i.type === "bool";

interface Output {
  name: string;
  shape: number[];
  data: (number | string | null)[];
}
interface Answer {
  id?: string;
  model_version?: string;
  outputs: Output[];
  parameters?: Record<string, unknown>;
}

/** One tensor a column, as the Open Inference Protocol has it; an empty field is missing. */
export function requestOf(inputs: EndpointInput[], values: Record<string, string>) {
  return {
    inputs: inputs.map((i) => {
      const text = values[i.name] ?? "";
      const value = text === "" ? null : isNumeric(i) ? Number(text) : text;
      return { name: i.name, shape: [1, 1], datatype: isNumeric(i) ? "FP64" : "BYTES", data: [value] };
    }),
  };
}

export function TryIt({ endpoint: e }: { endpoint: Endpoint }) {
  const [values, setValues] = useState<Record<string, string>>(() => Object.fromEntries(e.inputs.map((i) => [i.name, i.example === null || i.example === undefined ? "" : String(i.example)])));
  const [answer, setAnswer] = useState<{ data: Answer; ms: number; version: string; variant: string; id: string }>();
  const [error, setError] = useState<ApiError>();
  const [busy, setBusy] = useState(false);
  const url = `/v2/models/${seg(e.name)}/infer`;
  if (!e.inputs.length) return null;
  const run = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    const start = performance.now();
    const got = await send<Answer>("POST", url, requestOf(e.inputs, values));
    setBusy(false);
    setError(got.error);
    setAnswer(got.data && { data: got.data, ms: performance.now() - start, version: got.headers?.get("x-rondo-version") ?? got.data.model_version ?? "", variant: got.headers?.get("x-rondo-variant") ?? String(got.data.parameters?.["variant"] ?? ""), id: got.headers?.get("x-rondo-prediction-id") ?? got.data.id ?? "" });
  };
  const output = (...names: string[]) => answer?.data.outputs.find((o) => names.includes(o.name));
  const scores = output("score", "probabilities", "prediction");
  const score = scores?.data[scores.data.length - 1];
  const decision = output("decision", "label")?.data[0];
  return (
    <Section title="Try it" note={<code>POST {url}</code>}>
      <div class="try">
        <form onSubmit={(ev) => void run(ev)}>
          <div class="try-fields">
            {e.inputs.map((i) => (
              <label key={i.name}>
                <span class="clip" title={`${i.name}, ${i.type}`}>{i.name}</span>
                {i.values && i.values.length > 0 && i.values.length <= 12 ? (
                  <select class="input" value={values[i.name] ?? ""} onChange={(ev) => setValues({ ...values, [i.name]: ev.currentTarget.value })}>
                    <option value="">missing</option>
                    {i.values.map((v) => <option key={v} value={v}>{v}</option>)}
                  </select>
                ) : (
                  <input class="input" value={values[i.name] ?? ""} placeholder="missing" inputMode={isNumeric(i) ? "decimal" : "text"} {...(isNumeric(i) ? { pattern: "[+\\-]?[0-9]*\\.?[0-9]*([eE][+\\-]?[0-9]+)?", title: "a number" } : {})} onInput={(ev) => setValues({ ...values, [i.name]: ev.currentTarget.value })} />
                )}
              </label>
            ))}
          </div>
          <Button kind="main" submit disabled={busy}>{busy ? "Asking…" : "Predict"}</Button>
        </form>
        <div aria-live="polite">
          {error && <Problem error={error} />}
          {answer && (
            <div class="answer">
              <p><span class="answer-score">{typeof score === "number" ? metric(score) : String(score ?? "")}</span> {decision !== undefined && <b>{String(decision)}</b>}</p>
              {typeof score === "number" && score >= 0 && score <= 1 && <p class="answer-bar"><span style={{ width: `${score * 100}%` }} /></p>}
              <p class="row small">{answer.version && <VersionChip model={e.model} version={Number(answer.version)} />} <span class="dim">{answer.variant}</span> {answer.id && <Chip value={{ kind: "prediction", id: answer.id }} />} <span class="dim">{answer.ms.toFixed(1)} ms from here</span></p>
            </div>
          )}
          <Snippets items={snippetsFor(e, values)} />
        </div>
      </div>
    </Section>
  );
}
