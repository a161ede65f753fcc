/** How often something happened, over time, against its limit; and beside it how much of a group had got there. A drawing that stands alone. */
import { MINUTE, SECOND } from '../../hal/base/time.js';
import type { Micros } from '../../hal/hal.js';
import { type Html, html } from './html.js';

export interface RatePlot {
  title: string;
  /** What is counted, in words: `server.request of provisioning`. */
  what: string;
  /** When it happened, in order. */
  times: readonly Micros[];
  /** Never more than `most` in `per`. */
  most: number;
  per: Micros;
  /** Absent: there is no group to follow. */
  progress?: Progress;
}

/** How a group gets somewhere: `share` of `total` within `within` from `since` on. */
export interface Progress {
  what: string;
  /** One for each member that got there, in order. */
  times: readonly Micros[];
  total: number;
  share: number;
  since: Micros;
  within?: Micros;
}

/** Units of the drawing; it is scaled to the page. */
const SIZE = { width: 1120, height: 380 } as const;
const FRAME = { left: 64, right: 1046, top: 58, bottom: 326 } as const;
/** Readable on light and on dark ground. */
const COLOUR = { bars: '#3b82c4', limit: '#c8483b', progress: '#2e9e6b', ink: '#74808c', grid: '#74808c' } as const;
/** Room before and after what is shown, as a share of it. */
const MARGIN = 0.03;
/** Lines of the grid at most. */
const TICKS = 8;
const STEPS: readonly Micros[] = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21_600, 86_400].map((step) => step * SECOND);

interface Scale {
  from: Micros;
  to: Micros;
  x(t: Micros): number;
  /** Of a count, on the left axis. */
  y(count: number): number;
  highest: number;
}

export function ratePlotSvg(plot: RatePlot): Html {
  const bins = histogram(plot);
  const scale = scaleOf(plot, bins);
  return html`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIZE.width} ${SIZE.height}" role="img" aria-label="${plot.title}" font-family="system-ui, sans-serif" font-size="13" fill="${COLOUR.ink}">
<text x="${FRAME.left}" y="22" font-size="15" font-weight="600">${plot.title}</text>
${legend(plot)}
${timeAxis(scale)}
${countAxis(scale, plot)}
${bars(bins, scale, plot.per)}
${limit(plot.most, scale)}
${plot.progress ? progressCurve(plot.progress, scale) : undefined}
</svg>`;
}

/** Counts by bins of `per` from 0 on; only bins in which something happened. */
function histogram({ times, per }: RatePlot): ReadonlyMap<number, number> {
  const bins = new Map<number, number>();
  for (const t of times) {
    const bin = Math.floor(t / per);
    bins.set(bin, (bins.get(bin) ?? 0) + 1);
  }
  return bins;
}

function scaleOf({ times, most, per, progress }: RatePlot, bins: ReadonlyMap<number, number>): Scale {
  const instants = [
    ...times.slice(0, 1),
    ...times.slice(-1),
    ...(progress ? [progress.since, progress.since + (progress.within ?? 0)] : []),
  ];
  const [first, last] = [Math.min(...instants), Math.max(...instants)];
  const span = Number.isFinite(last - first) ? Math.max(last - first, 10 * per) : 10 * per;
  const from = Math.max(0, (Number.isFinite(first) ? first : 0) - span * MARGIN);
  const to = from + span * (1 + 2 * MARGIN);
  const highest = Math.max(most, ...bins.values()) * 1.15;
  return {
    from,
    to,
    highest,
    x: (t) => FRAME.left + ((t - from) / (to - from)) * (FRAME.right - FRAME.left),
    y: (count) => FRAME.bottom - (count / highest) * (FRAME.bottom - FRAME.top),
  };
}

const point = (value: number): string => value.toFixed(1);

function legend({ what, per, most, progress }: RatePlot): Html {
  const entries = [
    [COLOUR.bars, `${what}, each ${stretch(per)}`],
    [COLOUR.limit, `no more than ${most}`],
    ...(progress ? [[COLOUR.progress, `${progress.what}, of ${progress.total}`]] : []),
  ] as const;
  let x: number = FRAME.left;
  const drawn = entries.map(([colour, words]) => {
    const at = x;
    x += 26 + words!.length * 7.2;
    return html`<rect x="${at}" y="34" width="12" height="12" fill="${colour}"/><text x="${at + 17}" y="45">${words}</text>`;
  });
  return html`<g>${drawn}</g>`;
}

function timeAxis({ from, to, x }: Scale): Html {
  const step = STEPS.find((candidate) => (to - from) / candidate <= TICKS) ?? STEPS.at(-1)!;
  const unit = step < MINUTE ? SECOND : MINUTE;
  const first = Math.ceil(from / step);
  const ticks = Array.from({ length: Math.floor(to / step) - first + 1 }, (_, i) => (first + i) * step);
  const lines = ticks.map(
    (t) =>
      html`<path d="M${point(x(t))},${FRAME.top}V${FRAME.bottom}" stroke="${COLOUR.grid}" stroke-opacity=".2"/><text x="${point(x(t))}" y="${FRAME.bottom + 18}" text-anchor="middle">${t / unit}</text>`,
  );
  return html`<g>${lines}<text x="${(FRAME.left + FRAME.right) / 2}" y="${FRAME.bottom + 40}" text-anchor="middle">${unit === MINUTE ? 'minutes' : 'seconds'} since the run began</text></g>`;
}

function countAxis({ highest, y }: Scale, { progress }: RatePlot): Html {
  const step = Math.max(1, 5 * Math.ceil(highest / 25));
  const counts = Array.from({ length: Math.floor(highest / step) + 1 }, (_, i) => i * step);
  const left = counts.map((count) => html`<text x="${FRAME.left - 8}" y="${point(y(count) + 4)}" text-anchor="end">${count}</text>`);
  const shares = progress ? [0, 25, 50, 75, 100] : [];
  const right = shares.map(
    (share) => html`<text x="${FRAME.right + 8}" y="${point(shareY(share / 100) + 4)}" fill="${COLOUR.progress}">${share} %</text>`,
  );
  return html`<g><path d="M${FRAME.left},${FRAME.top}V${FRAME.bottom}H${FRAME.right}" fill="none" stroke="${COLOUR.grid}"/>${left}${right}</g>`;
}

function bars(bins: ReadonlyMap<number, number>, { x, y }: Scale, per: Micros): Html {
  const width = Math.max(1, x(per) - x(0));
  const path = Array.from(
    bins,
    ([bin, count]) => `M${point(x(bin * per))},${FRAME.bottom}V${point(y(count))}h${point(width)}V${FRAME.bottom}z`,
  );
  return html`<path d="${path.join('')}" fill="${COLOUR.bars}"/>`;
}

const limit = (most: number, { y }: Scale): Html =>
  html`<path d="M${FRAME.left},${point(y(most))}H${FRAME.right}" stroke="${COLOUR.limit}" stroke-dasharray="7 5" stroke-width="1.5"/>`;

const shareY = (share: number): number => FRAME.bottom - share * (FRAME.bottom - FRAME.top) * 0.97;

/** A curve of steps, and a dot by which the share must have got there. */
function progressCurve({ times, total, share, since, within }: Progress, { x, to }: Scale): Html {
  const steps = times.map((t, i) => `H${point(x(t))}V${point(shareY((i + 1) / total))}`);
  const curve = `M${point(x(since))},${point(shareY(0))}${steps.join('')}H${point(x(to))}`;
  const goal =
    within === undefined
      ? undefined
      : html`<circle cx="${point(x(since + within))}" cy="${point(shareY(share))}" r="6" fill="none" stroke="${COLOUR.progress}" stroke-width="2"/><text x="${point(x(since + within) - 11)}" y="${point(shareY(share) + 34)}" text-anchor="end" fill="${COLOUR.progress}">${Math.round(share * 100)} % are due here</text>`;
  return html`<path d="${curve}" fill="none" stroke="${COLOUR.progress}" stroke-width="2.2"/>${goal}`;
}

const stretch = (per: Micros): string => (per === SECOND ? 'second' : per === MINUTE ? 'minute' : `${per / SECOND} s`);
