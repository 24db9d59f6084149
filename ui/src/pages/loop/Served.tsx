// What answers right now: one bar an endpoint.
import { api, seg, useApi } from "../../api/client";
import type { Endpoint } from "../../api/types";
import { Section } from "../../components/Page";
import { TrafficBar } from "../../components/Traffic";
import { count, ms, percent } from "../../lib/format";

export function Served() {
  const endpoints = useApi<Endpoint[]>(api("/endpoints")).data ?? [];
  if (!endpoints.length) return null;
  return (
    <Section title="Answering now" action={<a class="small" href="/serving">serving</a>}>
      <ul class="served">
        {endpoints.map((e) => (
          <li key={e.name}>
            <p class="row">
              <a href={`/serving/${seg(e.name)}`}><b>{e.name}</b></a>
              <span class="push small dim">{count(e.requests)} requests{e.requests ? (e.errors ? `, ${percent(e.errors / e.requests, 2)} errors (${count(e.errors)})` : ", no errors") : ""}, p99 {ms(e.variants.find((v) => v.weight > 0)?.latency_ms.p99 ?? null)}</span>
            </p>
            <TrafficBar variants={e.variants} />
          </li>
        ))}
      </ul>
    </Section>
  );
}
