// Score distributions of the variants over each other, as shares, with their counts.
import type { Variant } from "../../api/types";
import { Section } from "../../components/Page";
import { count, metric, percent } from "../../lib/format";

const H = 130;

export function Scores({ variants, colour }: { variants: Variant[]; colour: (v: Variant) => string }) {
  const parts = variants.map((v) => {
    const counts = v.scores?.counts ?? [];
    const sum = counts.reduce((a, b) => a + b, 0);
    return { v, sum, shares: counts.map((c) => (sum ? c / sum : 0)) };
  });
  const some = parts.filter((p) => p.sum > 0);
  const top = Math.max(...some.flatMap((p) => p.shares), 0);
  const first = some[0];
  return (
    <Section title="Scores" note="share of predictions per bin">
      {!first || top <= 0 ? <p class="faint">Not enough data: scores appear with the first predictions.</p> : (
        <figure class="dist">
          <div class="dist-plot">
            <span class="dist-top small faint">{percent(top)}</span>
            <svg viewBox={`0 0 100 ${H}`} preserveAspectRatio="none" style={{ height: `${H}px` }} role="img" aria-label={`score distributions of ${some.map((p) => `v${p.v.version}`).join(" and ")}`}>
              {some.map((p, k) => {
                const w = 100 / p.shares.length;
                const y = (s: number) => H - (s / top) * H;
                let d = `M0 ${H}`;
                p.shares.forEach((s, i) => (d += `L${i * w} ${y(s)}L${(i + 1) * w} ${y(s)}`));
                d += `L100 ${H}`;
                return <path key={`${p.v.role}${p.v.version}`} d={d} style={{ fill: colour(p.v), fillOpacity: k === 0 ? 0.28 : 0.1, stroke: colour(p.v), strokeWidth: 1.5 }} vector-effect="non-scaling-stroke" />;
              })}
            </svg>
          </div>
          <p class="row small dim" style={{ justifyContent: "space-between" }}><span>{metric(first.v.scores?.low ?? 0)}</span><span>{metric(first.v.scores?.high ?? 1)}</span></p>
          <figcaption class="small dim row">
            {parts.map((p) => <span key={`${p.v.role}${p.v.version}`}><span class="dist-key" style={{ background: colour(p.v) }} /> v{p.v.version} {p.v.role}, {count(p.sum)} predictions</span>)}
          </figcaption>
        </figure>
      )}
    </Section>
  );
}
