/** Two or more stacks on one wire in virtual time, with seeded faults: small enough to see that the wire itself is right. */
import { Subject } from 'rxjs';
import type { Clock, Entropy, FramePort, LinkState, Micros } from '../../hal/hal.js';
import { createStack, type Stack, type StackNic, type StackOptions } from '../../hal/stack/index.js';

/** The mulberry32 generator: the same draws on every machine. */
export function seeded(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const seededEntropy = (seed: number): Entropy => {
  const random = seeded(seed);
  return {
    fill: (out) => {
      for (let i = 0; i < out.length; i++) out[i] = Math.floor(random() * 256);
    },
  };
};

interface Event {
  at: Micros;
  order: number;
  run(): void;
}

/** One heap of events, here a sorted list; equal times in the order they were set. */
export class Time {
  now: Micros = 0;
  #events: Event[] = [];
  #order = 0;

  at(at: Micros, run: () => void): Event {
    const event = { at, order: this.#order++, run };
    let i = this.#events.length;
    while (i > 0 && this.#events[i - 1]!.at > at) i--;
    this.#events.splice(i, 0, event);
    return event;
  }

  cancel(event: Event | undefined): void {
    const index = event ? this.#events.indexOf(event) : -1;
    if (index >= 0) this.#events.splice(index, 1);
  }

  /** Runs what is due until then, or until nothing is left or `done` says so. */
  run(until: Micros, done: () => boolean = () => false): void {
    for (let first = this.#events[0]; first && first.at <= until && !done(); first = this.#events[0]) {
      this.#events.shift();
      this.now = first.at;
      first.run();
    }
    if (!done()) this.now = Math.max(this.now, until);
  }

  clock(): Clock {
    let alarm: Event | undefined;
    let listener: ((at: Micros) => void) | undefined;
    return {
      now: () => this.now,
      wall: () => ({ at: 0, trust: 'none' }),
      setWall: () => {},
      setAlarm: (at) => {
        this.cancel(alarm);
        alarm = at === undefined ? undefined : this.at(Math.max(at, this.now), () => listener?.(this.now));
      },
      onAlarm: (next) => {
        listener = next;
      },
    };
  }
}

export interface Faults {
  loss?: number;
  duplicate?: number;
  /** Share of frames that come late, by up to 20 ms. */
  reorder?: number;
}

export class Wire {
  readonly frames: { at: Micros; from: number; bytes: Uint8Array }[] = [];
  faults: Faults = {};
  /** Sees each frame before it is carried; false drops it. */
  filter: (frame: Uint8Array, from: number) => boolean = () => true;
  dropped = 0;
  readonly #ports: Port[] = [];

  constructor(
    readonly time: Time,
    readonly random: () => number,
  ) {}

  port(): Port {
    const port = new Port(this, this.#ports.length);
    this.#ports.push(port);
    return port;
  }

  carry(frame: Uint8Array, from: number): void {
    this.frames.push({ at: this.time.now, from, bytes: frame.slice() });
    if (!this.filter(frame, from) || this.random() < (this.faults.loss ?? 0)) {
      this.dropped++;
      return;
    }
    const copies = this.random() < (this.faults.duplicate ?? 0) ? 2 : 1;
    for (let i = 0; i < copies; i++) {
      const late = this.random() < (this.faults.reorder ?? 0) ? Math.floor(this.random() * 20_000) : 0;
      this.time.at(this.time.now + 500 + late, () => {
        for (const port of this.#ports) if (port.index !== from) port.receive(frame);
      });
    }
  }
}

export class Port {
  readonly link$ = new Subject<LinkState & { at: Micros }>();
  readonly frames: FramePort;
  up = true;
  #listener: ((frame: Uint8Array, at: Micros) => void) | undefined;

  constructor(
    readonly wire: Wire,
    readonly index: number,
  ) {
    this.frames = {
      send: (frame) => {
        if (this.up) wire.carry(frame, index);
        return this.up;
      },
      onFrame: (listener) => {
        this.#listener = listener;
      },
    };
  }

  /** Each receiver has octets of its own. */
  receive(frame: Uint8Array): void {
    if (this.up) this.#listener?.(frame.slice(), this.wire.time.now);
  }

  setLink(up: boolean): void {
    this.up = up;
    this.link$.next({ up, at: this.wire.time.now });
  }

  nic(mtu = 1500): StackNic {
    const mac = `0200000000${(this.index + 1).toString(16).padStart(2, '0').toUpperCase()}`;
    return { mac, mtu, link: () => ({ up: this.up }), link$: this.link$, frames: this.frames };
  }
}

export interface TestHost extends Stack {
  port: Port;
}

export function host(wire: Wire, address: StackOptions['address'] | string, options: { mtu?: number; hostname?: string } = {}): TestHost {
  const port = wire.port();
  const given = typeof address === 'string' && address !== 'dhcp' ? { address, prefix: 24, gateway: '10.0.0.254' } : address;
  const stack = createStack({
    nic: port.nic(options.mtu),
    clock: wire.time.clock(),
    entropy: seededEntropy(port.index + 1),
    address: given as StackOptions['address'],
    ...(options.hostname ? { hostname: options.hostname } : {}),
  });
  return { ...stack, port };
}

/** A wire with hosts 10.0.0.1 and 10.0.0.2. */
export function pair(seed = 1): { time: Time; wire: Wire; a: TestHost; b: TestHost } {
  const time = new Time();
  const wire = new Wire(time, seeded(seed));
  return { time, wire, a: host(wire, '10.0.0.1'), b: host(wire, '10.0.0.2') };
}
