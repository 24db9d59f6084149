/// The report's style sheet: the visual language of the web pages, without their files.
#pragma once

namespace rondo::model::report {

inline constexpr const char* kStyle = R"css(
:root{color-scheme:light dark;--bg:#fdfdfc;--ink:#1c2024;--dim:#5f676f;--rule:#e3e5e8;--soft:#f3f4f5;--accent:#2f5fd0;--ok:#1a7f45;--warn:#9a6200;--bad:#c0332b;--s1:#2f5fd0;--s2:#c2590a;--s3:#1a7f6b;--s4:#8a3fa0}
@media(prefers-color-scheme:dark){:root{--bg:#14171a;--ink:#e6e8ea;--dim:#9aa3ab;--rule:#2b3035;--soft:#1d2125;--accent:#85a9ff;--ok:#5cc98a;--warn:#e0b050;--bad:#ff8a80;--s1:#85a9ff;--s2:#f0a35e;--s3:#5fd0b5;--s4:#d69be8}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1080px;padding:32px 24px 64px;background:var(--bg);color:var(--ink);font:14px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;font-variant-numeric:tabular-nums}
code{font:12px/1.4 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere}
.eyebrow{margin:0 0 8px;color:var(--dim);font-size:12px}
h1{display:flex;margin:0;font-size:28px;line-height:1.25;font-weight:600;letter-spacing:-.01em;text-wrap:balance}
h1 .mark{align-self:flex-start;margin-right:12px}h1 .mark svg{width:32px;height:32px}
.plain{margin:12px 0 0;font-size:16px}
.dim,.lead,.note,footer{color:var(--dim)}header .dim{margin:4px 0 0}
nav{display:flex;flex-wrap:wrap;gap:4px 16px;margin:24px 0 0;padding:8px 0;border-top:1px solid var(--rule);border-bottom:1px solid var(--rule);font-size:12px}
a{color:var(--accent);text-decoration:none}a:hover{text-decoration:underline}
section{margin-top:40px;scroll-margin-top:16px}
h2{margin:0 0 4px;font-size:20px;font-weight:600}h3{margin:24px 0 8px;font-size:16px;font-weight:600}
.lead{margin:0 0 12px;max-width:76ch}.lead b{color:var(--ink)}
.note{margin:8px 0 0;font-size:12px}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%}
th,td{padding:8px 12px 8px 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--rule);font-weight:400}
th:last-child,td:last-child{padding-right:0}
thead th{padding-top:4px;padding-bottom:4px;color:var(--dim);font-size:12px;vertical-align:bottom;white-space:nowrap}
.scroll th[scope=row]{min-width:96px}.gates th[scope=row]{min-width:176px}.gates td:last-child{min-width:112px}
.n{text-align:right;white-space:nowrap}
small{display:block;color:var(--dim);font-size:12px;font-weight:400;white-space:nowrap}
td b,td b small{font-weight:600}td b small{font-weight:400}
.mark{display:inline-flex;align-items:center;gap:6px;white-space:nowrap}
.mark svg{width:16px;height:16px;padding:2px;border-radius:50%;fill:none;stroke:currentColor;stroke-width:1.8;stroke-linecap:round;stroke-linejoin:round;background:color-mix(in srgb,currentColor 14%,transparent)}
.mark.warn svg{border-radius:4px}.mark.bad svg{border-radius:2px}
.ok{color:var(--ok)}.warn{color:var(--warn)}.bad{color:var(--bad)}
.gates td:nth-child(3){width:152px}.gates svg.gate{display:block;width:140px;height:20px}
.gates td:nth-child(4),.gates td:nth-child(5){white-space:nowrap}
.gate .zone{fill:currentColor;opacity:.1}.gate .range{stroke:currentColor;stroke-width:3;stroke-linecap:round;opacity:.45}.gate .limit{stroke:var(--ink);stroke-width:1.5;stroke-dasharray:2 2}.gate .value{fill:currentColor}
.why,.way{color:var(--dim);font-size:12px}
.better{color:var(--ok)}.worse{color:var(--bad)}.even{color:var(--dim)}
.bar{display:block;height:6px;min-width:80px;margin:6px 0;background:var(--soft);border-radius:3px;overflow:hidden}
.bar span{display:block;height:100%;background:var(--accent);border-radius:3px}.bar .neg{background:var(--warn)}
td.n .bar{width:96px;margin-left:auto}
.importance td:nth-child(2){width:55%}.importance th[scope=row]{white-space:nowrap}
.figures{display:grid;grid-template-columns:repeat(auto-fill,minmax(300px,1fr));gap:32px 24px}
figure{margin:0}figcaption{font-weight:600;margin-bottom:4px}
figure svg{display:block;width:100%;height:auto;overflow:visible}
.axis{fill:none;stroke:var(--dim);stroke-width:1}.grid{stroke:var(--rule);stroke-width:1}.guide{stroke:var(--dim);stroke-width:1;stroke-dasharray:3 4;opacity:.8}.rule{stroke:var(--ink);stroke-width:1.2}
.tick{font-size:10px;fill:var(--dim)}.tick.strong{fill:var(--ink)}.label{font-size:11px;fill:var(--dim)}
.line{fill:none;stroke-width:2;stroke-linejoin:round}.whisker{stroke-width:1.5;opacity:.5}
path.s1{stroke:var(--s1)}path.s2{stroke:var(--s2)}path.s3{stroke:var(--s3)}path.s4{stroke:var(--s4)}
circle.s1{fill:var(--s1)}circle.s2{fill:var(--s2)}
.legend{margin:4px 0 0;font-size:12px;display:flex;gap:16px;flex-wrap:wrap}
.key::before{content:"";display:inline-block;width:16px;height:2px;margin-right:6px;vertical-align:middle;background:var(--c)}
.key.s1{--c:var(--s1)}.key.s2{--c:var(--s2)}.key.s3{--c:var(--s3)}.key.s4{--c:var(--s4)}
.confusion{width:auto}.confusion td,.confusion th{padding:8px 16px}.confusion .cell{min-width:112px}
.hit{background:color-mix(in srgb,var(--ok) calc(var(--share)*.35),transparent)}.miss{background:color-mix(in srgb,var(--bad) calc(var(--share)*.35),transparent)}
.measures{display:flex;flex-wrap:wrap;gap:8px 32px;margin:0 0 12px}.measures dt{color:var(--dim);font-size:12px}.measures dd{margin:0;font-size:16px}
.chip{padding:0 6px;border:1px solid var(--rule);border-radius:8px;color:var(--dim);font-size:12px;white-space:nowrap}
.empty{color:var(--dim);font-style:italic}
.facts thead{display:none}.facts th{width:160px;color:var(--dim)}.facts ul{margin:0;padding-left:16px}
footer{margin-top:48px;font-size:12px}
@media(max-width:600px){body{padding:16px 12px 48px}h1{font-size:20px}.facts th{width:96px}}
@media print{body{max-width:none}nav{display:none}section{break-inside:avoid}}
)css";

}  // namespace rondo::model::report
