/** The look of the report, in light and in dark. Fonts and colours are the reader's system and nothing is fetched. */
export const REPORT_STYLE = `
:root { color-scheme: light dark;
  --ground: #f4f5f7; --sheet: #ffffff; --ink: #17212b; --soft: #5b6875; --line: #dde2e8; --lane: #c9d1da; --chosen: #fff4d6;
  --good: #12734a; --good-ground: #e6f4ec; --bad: #b3261e; --bad-ground: #fbe9e7;
  --dhcp: #7a5d00; --dns: #7b3fa0; --sntp: #9a5b00; --tls: #00707a; --http: #1d5fbf; --sip: #4338ca; --rtp: #12734a; --tcp: #5b6875;
  --data: #5b6875; --flash: #8a4b2a; --state: #7b8794; --event: #17212b; --wave: #2f6fde; --noise: #b3261e; }
@media (prefers-color-scheme: dark) { :root {
  --ground: #10151b; --sheet: #182029; --ink: #e6ebf1; --soft: #98a5b3; --line: #2a3541; --lane: #3a4754; --chosen: #3b3417;
  --good: #5fd39b; --good-ground: #14332a; --bad: #ff8d80; --bad-ground: #3c1d1b;
  --dhcp: #e0bf55; --dns: #cf9cf0; --sntp: #f0b25b; --tls: #4fd0d9; --http: #7fb2ff; --sip: #a9a4ff; --rtp: #5fd39b; --tcp: #98a5b3;
  --data: #98a5b3; --flash: #e0a17f; --state: #8896a4; --event: #e6ebf1; --wave: #6fa3ff; --noise: #ff8d80; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
header { background: var(--sheet); border-bottom: 1px solid var(--line); border-top: 6px solid var(--good); }
header.failed { border-top-color: var(--bad); }
.inner, main { max-width: 1320px; margin: 0 auto; padding: 20px 28px; }
.brand { margin: 0; font-weight: 600; letter-spacing: .14em; text-transform: uppercase; font-size: 12px; color: var(--soft); }
h1 { margin: 2px 0 4px; font-size: 32px; line-height: 1.2; letter-spacing: -.01em; } h1::first-letter { text-transform: uppercase; }
.about { margin: 0 0 14px; color: var(--soft); max-width: 75ch; }
.badge { display: inline-flex; gap: 12px; align-items: baseline; margin: 0 0 12px; padding: 7px 14px; border-radius: 8px; font-weight: 650; background: var(--good-ground); color: var(--good); }
.failed .badge { background: var(--bad-ground); color: var(--bad); }
.badge span { font-weight: 450; }
dl { display: flex; flex-wrap: wrap; gap: 6px 36px; margin: 0; } dt { color: var(--soft); font-size: 12px; } dd { margin: 0; overflow-wrap: anywhere; }
section { background: var(--sheet); border: 1px solid var(--line); border-radius: 12px; padding: 18px 22px; margin: 0 0 20px; min-width: 0; }
h2 { margin: 0 0 12px; font-size: 18px; } h3 { margin: 0; font-size: 15px; } small { color: var(--soft); font-size: 12.5px; font-weight: 400; }
.verdicts { list-style: none; margin: 0; padding: 0; display: grid; gap: 8px; }
.verdicts li { display: grid; grid-template-columns: 26px minmax(0, 1fr) minmax(0, 1fr); gap: 4px 12px; align-items: baseline; }
.verdicts li::before { content: "✓"; color: var(--good); font-weight: 700; } .verdicts li.bad::before { content: "✗"; color: var(--bad); }
.verdicts span { color: var(--soft); } .verdicts .bad span { color: var(--bad); } .verdicts strong { font-weight: 550; }
.trouble { border-left: 4px solid var(--bad); background: var(--bad-ground); border-radius: 0 8px 8px 0; padding: 10px 16px; margin: 0 0 10px; }
.trouble dl { display: grid; gap: 4px; margin-top: 6px; } .trouble dl div { display: grid; grid-template-columns: 120px 1fr; }
.sounds { display: grid; grid-template-columns: repeat(auto-fit, minmax(330px, 1fr)); gap: 18px; }
.sound { margin: 0; padding: 16px; border: 1px solid var(--line); border-radius: 10px; } .sound p { margin: 2px 0 10px; color: var(--soft); }
.wave { width: 100%; height: 64px; display: block; } .moment { height: 110px; margin-top: 6px; } .moment polyline { fill: none; stroke: var(--wave); stroke-width: 2; vector-effect: non-scaling-stroke; } .noise .moment polyline { stroke: var(--noise); } .wave polygon { fill: var(--wave); } .noise .wave polygon { fill: var(--noise); }
.wave .second { stroke: var(--line); stroke-width: 1; } audio { width: 100%; margin-top: 10px; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: 14px; }
th, td { text-align: left; vertical-align: top; padding: 6px 14px 6px 0; border-bottom: 1px solid var(--line); } th { font-weight: 500; color: var(--soft); font-size: 12.5px; white-space: nowrap; }
tbody tr:last-child td { border-bottom: 0; } .numbers td:not(:first-child), .numbers th:not(:first-child) { text-align: right; font-variant-numeric: tabular-nums; }
tr.good b { color: var(--good); } tr.bad b, td.bad { color: var(--bad); } td { overflow-wrap: anywhere; }
code, pre { font: 13px/1.45 ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", monospace; }
.shell { background: var(--ground); border-radius: 8px; padding: 12px 16px; margin: 10px 0 0; overflow-x: auto; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(430px, 1fr)); gap: 0 20px; align-items: start; }
.chips { display: flex; flex-wrap: wrap; gap: 8px; margin: 0 0 12px; }
.chip { font: inherit; font-size: 12.5px; font-weight: 600; padding: 3px 12px; border-radius: 99px; border: 1.5px solid currentColor; background: none; color: var(--c); cursor: pointer; }
.chip[aria-pressed=false] { color: var(--soft); opacity: .6; text-decoration: line-through; }
.ladder { display: grid; grid-template-columns: minmax(0, 1fr) 380px; gap: 18px; align-items: start; }
.rungs { overflow: auto; max-height: 78vh; border: 1px solid var(--line); border-radius: 8px; }
.heads { position: sticky; top: 0; height: 34px; background: var(--sheet); border-bottom: 1px solid var(--line); z-index: 1; min-width: 100%; }
.heads span { position: absolute; top: 6px; transform: translateX(-50%); font-weight: 650; font-size: 13.5px; white-space: nowrap; }
aside { position: sticky; top: 12px; border: 1px solid var(--line); border-radius: 8px; padding: 14px 16px; max-height: 78vh; overflow: auto; } aside h3 { overflow-wrap: anywhere; }
#detail { margin: 10px 0 0; white-space: pre-wrap; overflow-wrap: anywhere; font-size: 12.5px; color: var(--soft); }
#ladder { display: block; font: 13px system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
.lanes line { stroke: var(--lane); stroke-width: 1.5; }
.row { cursor: pointer; outline: none; --c: var(--event); } .back { fill: transparent; } .row:hover .back { fill: var(--line); opacity: .45; } .row.chosen .back { fill: var(--chosen); opacity: 1; }
.row text { fill: var(--c); paint-order: stroke; stroke: var(--sheet); stroke-width: 4px; stroke-linejoin: round; } .row.chosen text { stroke: var(--chosen); } .row:hover text { stroke-width: 3px; }
.row .time { fill: var(--soft); text-anchor: end; font-size: 12px; font-variant-numeric: tabular-nums; }
.protocol { font-weight: 700; font-size: 11px; } .arrow { stroke: var(--c); stroke-width: 1.6; } .arrow.stream { stroke-width: 5; stroke-dasharray: 9 3; opacity: .75; } .row circle { fill: var(--c); stroke: var(--sheet); stroke-width: 2; }
.dhcp { --c: var(--dhcp); } .dns { --c: var(--dns); } .sntp { --c: var(--sntp); } .tls { --c: var(--tls); } .http { --c: var(--http); } .sip { --c: var(--sip); } .rtp { --c: var(--rtp); }
.tcp { --c: var(--tcp); } .data { --c: var(--data); } .flash { --c: var(--flash); } .state { --c: var(--state); } .event { --c: var(--event); }
.row.good:is(.event) { --c: var(--good); } .row.bad { --c: var(--bad); } .state text { font-style: italic; }
@media (max-width: 1000px) { .ladder { grid-template-columns: 1fr; } aside { position: static; } .verdicts li { grid-template-columns: 26px 1fr; } .verdicts span { grid-column: 2; } .inner, main { padding: 16px; } }
@media print { .rungs, aside { max-height: none; overflow: visible; } audio, .chips, aside { display: none; } }
`;
