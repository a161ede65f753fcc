/** A device's clock and what sets it, over a network that the test plays. */
import { createActor } from 'xstate';
import type { Url } from '../../core/http/url.js';
import { actorClock } from '../../core/kernel/actor-clock.js';
import type { EndpointEvent } from '../../core/kernel/events.js';
import { createKernel, type Kernel } from '../../core/kernel/kernel.js';
import type { FileChange } from '../../core/storage/file-store.js';
import { beginTime } from '../../core/time/begin-time.js';
import { DeviceClock } from '../../core/time/device-clock.js';
import { CLOCK_FILE, type LastKnownTime } from '../../core/time/last-known-time.js';
import { timeMachine } from '../../core/time/time.machine.js';
import { createTimeDeps } from '../../core/time/time-deps.js';
import { fromUtf8, utf8 } from '../../hal/base/bytes.js';
import { err, ok } from '../../hal/base/result.js';
import { MILLISECOND } from '../../hal/base/time.js';
import type { ClockTrust, Done, Entropy, TlsStream, UnixMillis, Verdict } from '../../hal/hal.js';
import { date, testEntropy } from '../certs/support.js';
import { ScriptedStream } from '../support/scripted-stream.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { FakeNet } from './fake-net.js';
import { type ReplyOptions, serverReply } from './server.js';

export const NOW = date('2026-06-01');
export const SERVER: Url = { scheme: 'https', host: '192.0.2.80', port: 443, path: '/prov/' };

export interface Board {
  /** What its clock reads at boot; 1970 without a real-time clock. */
  wall?: UnixMillis;
  trust?: ClockTrust;
  /** `state/clock`, as an earlier boot left it. */
  kept?: string;
  built?: UnixMillis;
  servers?: string[];
  dateServer?: Url;
  /** Which chances it has; none by default: the shortest of all waits. */
  seed?: number;
}

export type Rig = ReturnType<typeof boot>;

/** Files in memory; a commit ends when the test says so, or at once in the next turn. */
class Files {
  readonly content = new Map<string, Uint8Array>();
  readonly writes: string[] = [];
  broken = false;

  constructor(readonly kernel: () => Kernel) {}

  read(path: string): Uint8Array | undefined {
    return this.content.get(path);
  }
  commit(changes: readonly FileChange[], done: Done<void>): void {
    const timer = this.kernel().timer('flash', (at) => {
      if (this.broken) return done(err({ kind: 'io', detail: 'worn out' }), at);
      for (const { path, bytes } of changes) {
        this.content.set(path, bytes!);
        this.writes.push(fromUtf8(bytes!).trim());
      }
      done(ok(undefined), at);
    });
    timer.set(this.kernel().now());
  }
}

export function boot({ wall = 0, trust = 'none', kept, built, servers = [], dateServer, seed }: Board = {}) {
  const under = new VirtualClock(wall, trust);
  const events: EndpointEvent[] = [];
  const clock = new DeviceClock(under);
  const kernel: Kernel = createKernel(clock, (event) => events.push(event));
  const files = new Files(() => kernel);
  if (kept !== undefined) files.content.set(CLOCK_FILE, utf8(kept));
  const known: LastKnownTime = beginTime({ kernel, clock, store: files, ...(built === undefined ? {} : { built }) });
  const random = testEntropy(seed);
  // Waits are drawn from four octets.
  const chance: Entropy = { fill: (out) => (seed === undefined && out.length === 4 ? out.fill(0) : random.fill(out)) };
  const net = new FakeNet();
  const settled: number[] = [];
  const connections: ScriptedStream[] = [];
  const judged: { chain: readonly Uint8Array[]; name: string; at: UnixMillis }[] = [];
  let verdict: Verdict = { ok: true, verified: true };
  const connect = (): TlsStream => {
    const stream = new ScriptedStream((deliver) => kernel.turn(clock.now(), () => deliver(clock.now())));
    connections.push(stream);
    return Object.assign(stream, { secured: { version: '1.3', suite: 'any', resumed: false, peer: [Uint8Array.of(1)] } as const });
  };
  const rig = {
    ...{ under, clock, kernel, events, files, known, net, settled, connections, judged, servers, dateServer },
    /** A server says over HTTPS what time it is. */
    heard: (at: UnixMillis, holds: () => boolean = () => true) => kernel.turn(clock.now(), () => known.heard(at, holds)),
    /** Timers but the one that keeps the time. */
    timers: () => kernel.pendingTimers().filter(({ name }) => name !== 'last known time'),
    /** How often the clock was set. */
    set: 0,
    /** What is said about the server's certificates at its date. */
    judge: (said: Verdict) => {
      verdict = said;
    },
    named: () => events.map(({ event }) => event),
    start: () => {
      const deps = createTimeDeps({
        ...{ kernel, clock, net, entropy: chance },
        servers: () => rig.servers,
        dateServer: () => rig.dateServer,
        https: () => ({
          secure: { connect },
          userAgent: 'test',
          judge: (chain, name, at) => {
            judged.push({ chain, name, at });
            return verdict;
          },
        }),
        onSet: () => {
          rig.set++;
        },
        notify: () => settled.push(kernel.now()),
      });
      const actor = createActor(timeMachine, { input: { deps }, clock: actorClock(kernel) });
      kernel.turn(clock.now(), () => actor.start());
      return actor;
    },
    /** The time server that was asked last answers, 10 ms after. */
    answer: (options: ReplyOptions & { at?: UnixMillis } = {}, from?: string) => {
      const sent = net.sent.at(-1)!;
      under.run(10 * MILLISECOND);
      const address = from === undefined ? sent.to : { address: from, port: 123 };
      kernel.turn(clock.now(), () => sent.reply(serverReply(sent.bytes, options.at ?? NOW, options), address));
    },
    /** The provisioning server that was asked last answers with these header lines. */
    serve: (...lines: string[]) => {
      const stream = connections.at(-1)!;
      stream.open();
      stream.answer(`HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`);
    },
  };
  return rig;
}
