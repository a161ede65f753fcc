/**
 * An Ethernet switch with a link a port (IEEE 802.1D without spanning tree: there are no loops). Learns addresses, floods what it does not
 * know. A host plugs in when it is switched on and is unplugged when its power goes; the port, its faults and its counts stay.
 */
import { Observable, Subject } from 'rxjs';
import { invariant } from '../../hal/base/result.js';
import type { FramePort, LinkState, Micros } from '../../hal/hal.js';
import type { World } from '../world/world.js';
import { IDEAL_LINK, LinkDirection, type LinkFaults, type LinkStats } from './link.js';

/** Destination and source address and type: less is no frame (IEEE 802.3 3.2). */
const SHORTEST_FRAME = 14;
/** Header and 1500 octets of payload, without the check sequence. */
const LONGEST_FRAME = 1514;
/** Addresses learned at once; more are flooded, as by a small real switch. */
const LEARN_LIMIT = 8_192;
const LINK_SPEED = 100;

/** What a plugged-in host has of its link; `at` is in its own clock's time. */
export interface LanPlug {
  frames: FramePort;
  link(): LinkState;
  link$: Observable<LinkState & { at: Micros }>;
  /** Idempotent; nothing is delivered after it returns. */
  unplug(): void;
}

/** A port of the switch and the link to it. */
export interface LanPort {
  readonly name: string;
  /** `up` is from the host to the switch. */
  readonly stats: { readonly up: LinkStats; readonly down: LinkStats };
  /** Faults of both directions from now on; what is not given stays. */
  set(faults: Partial<LinkFaults>): void;
  /** Cuts the link: what is under way is lost, and the host sees its link go down. */
  cut(): void;
  restore(): void;
  /** Connects a host, in place of the one that was connected before. */
  plug(clock: { now(): Micros }): LanPlug;
}

export class Lan {
  readonly #world: World;
  readonly #faults: LinkFaults;
  readonly #ports: Port[] = [];
  /** Where an address was last seen as a source: six octets as a number. */
  readonly #learned = new Map<number, Port>();

  constructor(world: World, faults: Partial<LinkFaults> = {}) {
    this.#world = world;
    this.#faults = { ...IDEAL_LINK, ...faults };
  }

  get ports(): readonly LanPort[] {
    return this.#ports;
  }

  /** A new port with a link of its own. `name` names its random streams, so it must be unique. */
  attach(name: string, faults: Partial<LinkFaults> = {}): LanPort {
    invariant(!this.#ports.some((port) => port.name === name), `two ports named ${name}`);
    const port = new Port(this.#world, name, { ...this.#faults, ...faults }, (from, frame) => this.#forward(from, frame));
    this.#ports.push(port);
    return port;
  }

  #forward(from: Port, frame: Uint8Array): void {
    const source = address(frame, 6);
    if (this.#learned.has(source) || this.#learned.size < LEARN_LIMIT) this.#learned.set(source, from);
    const to = isGroup(frame) ? undefined : this.#learned.get(address(frame, 0));
    if (to) {
      if (to !== from) to.carryDown(frame);
      return;
    }
    for (const port of this.#ports) if (port !== from) port.carryDown(frame);
  }
}

const address = (frame: Uint8Array, at: number): number => {
  let value = 0;
  for (let i = at; i < at + 6; i++) value = value * 256 + frame[i]!;
  return value;
};
/** Broadcast and multicast: the lowest bit of the first octet (IEEE 802.3 3.2.3). */
const isGroup = (frame: Uint8Array): boolean => (frame[0]! & 1) === 1;

class Port implements LanPort {
  readonly stats: { readonly up: LinkStats; readonly down: LinkStats };
  readonly #up: LinkDirection;
  readonly #down: LinkDirection;
  readonly #changes = new Subject<LinkState>();
  #connected = true;
  #plug: Plug | undefined;

  constructor(
    world: World,
    readonly name: string,
    faults: LinkFaults,
    forward: (from: Port, frame: Uint8Array) => void,
  ) {
    this.#up = new LinkDirection(world, `${name}:up`, faults, (frame) => forward(this, frame));
    this.#down = new LinkDirection(world, `${name}:down`, faults, (frame) => this.#plug?.deliver(frame));
    this.stats = { up: this.#up.stats, down: this.#down.stats };
  }

  /** The switch sends nothing to a port where no host is switched on: it has no link. */
  carryDown(frame: Uint8Array): void {
    if (this.#plug) this.#down.send(frame);
  }

  send(frame: Uint8Array): void {
    this.#up.send(frame);
  }

  set(faults: Partial<LinkFaults>): void {
    this.#up.faults = { ...this.#up.faults, ...faults };
    this.#down.faults = { ...this.#down.faults, ...faults };
  }

  cut(): void {
    if (!this.#connected) return;
    this.#connected = false;
    this.#up.cut();
    this.#down.cut();
    this.#changes.next(this.link());
  }

  restore(): void {
    if (this.#connected) return;
    this.#connected = true;
    this.#up.restore();
    this.#down.restore();
    this.#changes.next(this.link());
  }

  link(): LinkState {
    return this.#connected ? { up: true, mbps: LINK_SPEED } : { up: false };
  }

  plug(clock: { now(): Micros }): LanPlug {
    this.#plug?.unplug();
    const plug = new Plug(this, clock, this.#changes, () => {
      if (this.#plug === plug) this.#plug = undefined;
    });
    this.#plug = plug;
    return plug;
  }
}

class Plug implements LanPlug {
  readonly frames: FramePort;
  readonly link$: Observable<LinkState & { at: Micros }>;
  readonly #port: Port;
  readonly #clock: { now(): Micros };
  readonly #removed: () => void;
  #listener: ((frame: Uint8Array, at: Micros) => void) | undefined;
  #in = true;

  constructor(port: Port, clock: { now(): Micros }, changes: Observable<LinkState>, removed: () => void) {
    this.#port = port;
    this.#clock = clock;
    this.#removed = removed;
    this.frames = {
      send: (frame) => this.#send(frame),
      onFrame: (listener) => {
        this.#listener = listener;
      },
    };
    this.link$ = new Observable((subscriber) =>
      changes.subscribe((state) => {
        if (this.#in) subscriber.next({ ...state, at: clock.now() });
      }),
    );
  }

  link(): LinkState {
    return this.#in ? this.#port.link() : { up: false };
  }

  deliver(frame: Uint8Array): void {
    this.#listener?.(frame, this.#clock.now());
  }

  unplug(): void {
    this.#in = false;
    this.#listener = undefined;
    this.#removed();
  }

  #send(frame: Uint8Array): boolean {
    invariant(frame.length >= SHORTEST_FRAME && frame.length <= LONGEST_FRAME, `frame of ${frame.length} octets`);
    if (!this.#in) return false;
    // Also into a cut link: the loss is counted there.
    this.#port.send(frame);
    return this.#port.link().up;
  }
}
