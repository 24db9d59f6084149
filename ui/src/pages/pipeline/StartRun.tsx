// Starts a pipeline run from the pages.
import { useState } from "preact/hooks";
import { api, post } from "../../api/client";
import { AskButton } from "../../components/Button";
import { navigate } from "../../lib/router";

export function StartRun({ stage }: { stage?: string }) {
  const [force, setForce] = useState(false);
  return (
    <AskButton
      label={stage ? "Retry from here" : "Run"}
      kind={stage ? "plain" : "main"}
      what={stage ? `Runs ${stage} again, and what follows from it.` : "Runs what has changed: stages whose data, code and config are the same are skipped."}
      act={async (reason) => {
        const answer = await post<{ id: string }>(api("/pipeline/runs"), { stages: stage ? [stage] : [], force: force || Boolean(stage), reason });
        if (answer.data?.id) navigate(`/pipeline/${encodeURIComponent(answer.data.id)}`);
        return answer;
      }}>
      {!stage && (
        <label class="row"><input type="checkbox" checked={force} onChange={(e) => setForce(e.currentTarget.checked)} /> run unchanged stages too</label>
      )}
    </AskButton>
  );
}
