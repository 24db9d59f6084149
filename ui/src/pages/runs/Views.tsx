// Saved views: the page's address under a name, kept as a tag of the experiment, so that everybody has it.
import { useState } from "preact/hooks";
import { refresh, send } from "../../api/client";
import type { ApiError, Experiment } from "../../api/types";
import { Button } from "../../components/Button";
import { Icon } from "../../components/Icon";
import { navigate, query } from "../../lib/router";

/** What belongs to a moment is no part of a view. */
function present(): string {
  const args = new URLSearchParams(query.value);
  for (const moment of ["selected", "experiment", "folder", "zoom"]) args.delete(moment);
  return args.toString();
}

export function Views({ experiments, experiment }: { experiments: Experiment[]; experiment: string }) {
  const [name, setName] = useState("");
  const [error, setError] = useState<ApiError>();
  const home = experiments.find((e) => e.id === (experiment || "0")) ?? experiments[0];
  if (!home) return null;
  const views = Object.entries(home.views);
  const now = present();
  const write = async (path: string, body: object) => {
    const answer = await send("POST", `/api/2.0/mlflow/experiments/${path}`, { experiment_id: home.id, ...body });
    setError(answer.error);
    refresh();
  };
  const save = (event: Event) => {
    event.preventDefault();
    const text = name.trim();
    if (!text) return;
    setName("");
    void write("set-experiment-tag", { key: `rondo.view.${text}`, value: now });
  };
  return (
    <details class="picker views">
      <summary><Icon name="bookmark" size={14} /> Views {views.length > 0 && <span class="faint">{views.length}</span>}</summary>
      <div class="picker-box">
        <ul>
          {views.map(([title, text]) => (
            <li key={title} class="row">
              <a href={`/runs?${new URLSearchParams([...new URLSearchParams(text), ...(experiment ? [["experiment", experiment] as [string, string]] : [])]).toString()}`} aria-current={text === now ? "true" : "false"} onClick={(e) => {
                e.preventDefault();
                navigate((e.currentTarget as HTMLAnchorElement).getAttribute("href") ?? "/runs");
              }}>{title}</a>
              <button type="button" class="link push" aria-label={`delete the view ${title}`} onClick={() => void write("delete-experiment-tag", { key: `rondo.view.${title}` })}>×</button>
            </li>
          ))}
          {views.length === 0 && <li class="faint">Columns, filter, sorting, groups: save what you see under a name. It is kept with the experiment {home.name}, for everybody.</li>}
        </ul>
        <form class="row" onSubmit={save}>
          <input class="input" aria-label="name of the view" placeholder="name" maxLength={60} value={name} onInput={(e) => setName(e.currentTarget.value)} />
          <Button submit disabled={!name.trim()}>Save</Button>
        </form>
        {error && <p class="bad small" role="alert">{error.message}</p>}
      </div>
    </details>
  );
}
