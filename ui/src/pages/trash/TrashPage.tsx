// What was deleted and is still there: bring it back, or delete it for good.
import { useState } from "preact/hooks";
import { api, post, refresh, seg, send, useApi } from "../../api/client";
import type { ApiError } from "../../api/types";
import { AskButton, Button } from "../../components/Button";
import { Loaded, Page } from "../../components/Page";
import { Empty } from "../../components/Snippet";
import { Table } from "../../components/Table";
import { Time } from "../../components/Time";
import { plural } from "../../lib/format";

interface Item { kind: string; id: string; name: string; experiment_id: string; experiment_name: string; deleted?: number; runs: number }

export function TrashPage() {
  const items = useApi<Item[]>(api("/trash"));
  const [error, setError] = useState<ApiError>();
  const restore = async (item: Item) => setError((await post(api(`/trash/${item.kind}s/${seg(item.id)}/restore`))).error);
  const purge = async (item: Item) => {
    const answer = await send("DELETE", api(`/trash/${item.kind}s/${seg(item.id)}`), {});
    refresh();
    return answer;
  };
  return (
    <Loaded from={items} title="Trash">
      {(rows) => (
        <Page title="Trash" verdict={rows.length ? { state: "idle", text: `${plural(rows.length, "deleted thing")} can still be brought back` } : { state: "ok", text: "The trash is empty" }}>
          {error && <p class="bad" role="alert">{error.message} {error.hint}</p>}
          {rows.length === 0 ? <Empty text="Deleted experiments and runs stay here for 30 days; `rondo up --trash-days` says for how long." code="rondo trash list" /> : (
            <Table label="trash" rows={rows} id={(i) => `${i.kind}/${i.id}`} fill columns={[
              { key: "kind", title: "what", cell: (i) => i.kind.replace("_", " ") },
              { key: "name", title: "name", grow: true, cell: (i) => i.name || <code>{i.id.slice(0, 12)}</code> },
              { key: "experiment", title: "experiment", cell: (i) => i.kind === "experiment" ? <span class="dim">{plural(i.runs, "run")}</span> : i.experiment_name },
              { key: "deleted", title: "deleted", cell: (i) => i.deleted ? <Time at={i.deleted} /> : <span class="faint">long ago</span> },
              { key: "act", title: "actions", cell: (i) => i.kind === "logged_model" ? null : <><Button onClick={() => void restore(i)} title={`restore ${i.name}`}>Restore</Button> <AskButton label="Purge" kind="danger" what={`${i.name} and ${i.kind === "experiment" ? `its ${plural(i.runs, "run")}` : "its metrics"} are deleted for good, with all artifacts.`} act={() => purge(i)} /></> },
            ]} />
          )}
        </Page>
      )}
    </Loaded>
  );
}
