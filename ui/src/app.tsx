// Address -> page.
import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { locked } from "./api/client";
import { Page } from "./components/Page";
import { Frame } from "./frame/Frame";
import { match, path } from "./lib/router";
import { AccessPage } from "./pages/access/AccessPage";
import { LoginPage } from "./pages/access/LoginPage";
import { readSession } from "./pages/access/session";
import { ComparePage } from "./pages/compare/ComparePage";
import { DatasetPage } from "./pages/data/DatasetPage";
import { DatasetsPage } from "./pages/data/DatasetsPage";
import { DatasetVersionPage } from "./pages/data/DatasetVersionPage";
import { GovernPage } from "./pages/govern/GovernPage";
import { LineagePage } from "./pages/lineage/LineagePage";
import { LoopPage } from "./pages/loop/LoopPage";
import { ModelPage } from "./pages/models/ModelPage";
import { ModelsPage } from "./pages/models/ModelsPage";
import { VersionPage } from "./pages/models/VersionPage";
import { MonitorPage } from "./pages/monitor/MonitorPage";
import { PipelinePage } from "./pages/pipeline/PipelinePage";
import { PipelineRunPage } from "./pages/pipeline/PipelineRunPage";
import { RunPage } from "./pages/runs/RunPage";
import { RunsPage } from "./pages/runs/RunsPage";
import { TrashPage } from "./pages/trash/TrashPage";
import { EndpointPage } from "./pages/serving/EndpointPage";
import { ServingPage } from "./pages/serving/ServingPage";

type Args = Record<string, string>;
const routes: [string, ComponentType<{ args: Args }>][] = [
  ["/", LoopPage],
  ["/data", DatasetsPage],
  ["/data/:dataset", DatasetPage],
  ["/data/:dataset/:number", DatasetVersionPage],
  ["/runs", RunsPage],
  ["/runs/:id", RunPage],
  ["/compare", ComparePage],
  ["/models", ModelsPage],
  ["/models/:model", ModelPage],
  ["/models/:model/:version", VersionPage],
  ["/serving", ServingPage],
  ["/serving/:endpoint", EndpointPage],
  ["/monitor", MonitorPage],
  ["/monitor/:endpoint", MonitorPage],
  ["/pipeline", PipelinePage],
  ["/pipeline/:id", PipelineRunPage],
  ["/govern", GovernPage],
  ["/access", AccessPage],
  ["/trash", TrashPage],
  ["/lineage/:kind/:id", LineagePage],
  ["/_kit", Lazy],
];

/** The story page is only for those who build pages. */
function Lazy({ args }: { args: Args }) {
  const [Kit, setKit] = useState<ComponentType<{ args: Args }>>();
  useEffect(() => {
    void import("./pages/kit/KitPage").then((m) => setKit(() => m.KitPage));
  }, []);
  return Kit ? <Kit args={args} /> : null;
}

export function App() {
  const at = path.value;
  useEffect(() => {
    void readSession();
  }, []);
  if (locked.value || at === "/login") return <LoginPage />;
  for (const [pattern, Found] of routes) {
    const args = match(pattern, at);
    if (args) {
      return (
        <Frame>
          <Found key={at} args={args} />
        </Frame>
      );
    }
  }
  return (
    <Frame>
      <Page title="Not found" verdict={{ state: "warn", text: `There is no page at ${at}` }}>
        <p>Try the search, or start at <a href="/">the loop</a>.</p>
      </Page>
    </Frame>
  );
}
