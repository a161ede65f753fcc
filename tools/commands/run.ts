/** `belfry run`: one endpoint on this machine's network, with a file as its flash, until it is told to stop. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { findBoard } from '../../boards/index.js';
import { LOCAL_SETTINGS } from '../../core/device/device-storage.js';
import { createEndpoint, type Endpoint } from '../../core/device/endpoint.js';
import { isFirmwareVersion } from '../../core/device/firmware-version.js';
import type { EndpointEvent } from '../../core/kernel/events.js';
import { decodeConf, encodeConf } from '../../core/settings/conf.codec.js';
import { decodePartitionTable } from '../../core/storage/image.codec.js';
import { iso8601, MILLISECOND, utc } from '../../hal/base/time.js';
import type { BoardProfile } from '../../hal/board.js';
import type { Clock, Hal, MacAddress } from '../../hal/hal.js';
import { captureNet, LiveCapture } from '../../hal/layers/index.js';
import { createNodeHal, type NodeHal } from '../../hal/node/index.js';
import { type Arguments, CannotRun, type Command, type ExitStatus, type Io } from '../command.js';
import { readInput } from '../files.js';
import { commitFile, openImage } from '../image.js';
import { Reboots } from '../reboots.js';
import { endOfProcess } from '../signals.js';

export const runCommand: Command = {
  name: 'run',
  summary: "one endpoint on this machine's network, until Ctrl-C",
  usage: '--flash IMAGE [--address IP] [--provision URL] [--settings FILE.conf] …',
  options: {
    flash: { type: 'string', value: 'IMAGE', help: 'the flash image; it is the only state (belfry factory makes one)' },
    firmware: { type: 'string', value: 'V', help: "behave as this firmware version (default: the board's newest)" },
    address: { type: 'string', value: 'IP', help: "bind signalling and media here (default: the machine's first address)" },
    provision: { type: 'string', value: 'URL', help: 'the provisioning server, in place of DHCP option 66' },
    settings: {
      type: 'string',
      value: 'FILE.conf',
      help: 'local settings, key = value; kept on the image, they win over provisioned ones',
    },
    ntp: { type: 'string', value: 'HOST', help: "ask this time server (default: this machine's clock counts)" },
    dns: { type: 'string', value: 'HOST[:PORT]', help: "ask this DNS server (default: the machine's own resolver)" },
    speaker: { type: 'string', value: 'out.wav', help: 'what the loudspeaker plays (default: nothing is kept)' },
    mic: { type: 'string', value: 'in.wav', help: 'what the microphone hears (default: silence)' },
    capture: { type: 'string', value: 'out.pcapng', help: 'what crosses the sockets, with the keys of the TLS connections' },
    'no-secrets': { type: 'boolean', help: 'leaves the keys out of the capture' },
    'sip-port': { type: 'string', value: 'N', help: 'UDP and TCP (default: 5060)' },
    'tls-port': { type: 'string', value: 'N', help: 'default: 5061' },
    'rtp-port': { type: 'string', value: 'N', help: 'first of the pairs, even (default: 16384)' },
  },
  examples: [
    ['belfry run --flash lobby.flash --provision https://127.0.0.1:8443/ --address 127.0.0.1 --speaker page.wav', 'against belfry peers'],
    ['belfry run --flash lobby.flash --settings lobby.conf --json', 'with local settings; events as JSON lines'],
  ],
  run: async (args, io) => {
    const unit = await readUnit(args);
    const ports = portsOf(args);
    const ended = endOfProcess();
    const reboots = new Reboots();
    const node = await openHal(args, unit, ports, reboots);
    const capture = openCapture(args, node.hal, unit.mac);
    const status = await live(args, io, { unit, ports, hal: capture?.hal ?? node.hal, onSecret: capture?.onSecret, reboots, ended });
    capture?.close();
    await node.close();
    return status;
  },
};

interface Unit {
  flash: string;
  board: BoardProfile;
  firmware: string;
  mac: MacAddress;
}

/** Who the image says this is; local settings are put on it before it boots. */
async function readUnit(args: Arguments): Promise<Unit> {
  const flash = args.text('flash');
  if (flash === undefined) throw new CannotRun('run: --flash IMAGE is needed; belfry factory device makes one');
  const { storage, close } = await openImage(flash);
  try {
    const { board: id, mac } = storage.factory;
    const board = findBoard(id);
    if (!board) throw new CannotRun(`${flash} is of a board '${id}', which this Belfry does not know; belfry boards lists those it does`);
    const firmware = args.text('firmware') ?? board.firmware.newest;
    if (!isFirmwareVersion(firmware)) throw new CannotRun(`run: '${firmware}' is no firmware version; write it like 5.5`);
    const file = args.text('settings');
    if (file !== undefined) {
      const before = decodeConf(storage.config.read(LOCAL_SETTINGS) ?? new Uint8Array(0)).values;
      await commitFile(storage, LOCAL_SETTINGS, encodeConf(new Map([...before, ...readConf(file)])));
    }
    return { flash, board, firmware, mac };
  } finally {
    close();
  }
}

function readConf(file: string): ReadonlyMap<string, string> {
  const { values, problems } = decodeConf(readInput(file));
  const [problem] = problems;
  if (problem) throw new CannotRun(`${file}, line ${problem.line}: ${problem.detail}`);
  return values;
}

interface Ports {
  sip: number;
  tls: number;
  rtp: number;
}

function portsOf(args: Arguments): Ports {
  const port = (name: string, usual: number): number => {
    const text = args.text(name) ?? String(usual);
    const value = Number(text);
    if (!/^\d{1,5}$/.test(text) || value < 1 || value > 65_535) throw new CannotRun(`run: --${name} ${text} is no port`);
    return value;
  };
  const ports = { sip: port('sip-port', 5060), tls: port('tls-port', 5061), rtp: port('rtp-port', 16_384) };
  if (ports.rtp % 2 !== 0) throw new CannotRun(`run: --rtp-port ${ports.rtp} is odd; RTP takes the even port of a pair (RFC 3550 11)`);
  return ports;
}

async function openHal(args: Arguments, { flash, board, mac }: Unit, { sip, tls }: Ports, { onReboot }: Reboots): Promise<NodeHal> {
  const text = (name: string, option: string) => (args.text(name) === undefined ? {} : { [option]: args.text(name)! });
  const tcp = board.tls.supported ? [sip, tls] : [sip];
  const node = await createNodeHal({
    mac,
    flash: { path: flash, partitionsOf: decodePartitionTable },
    lines: board.lines,
    tls: board.tls.supported,
    ports: { tcp, udp: [sip] },
    ...text('address', 'address'),
    ...text('dns', 'dns'),
    ...text('speaker', 'speaker'),
    ...text('mic', 'microphone'),
    hooks: {
      onReboot,
      onLine: (line, on) => console.error(`belfry: ${line} ${on ? 'on' : 'off'}`),
      onAudioFailure: (detail) => console.error(`belfry: ${detail}`),
    },
  });
  if (!node.ok) throw new CannotRun(`run: ${node.error.detail}`);
  return node.value;
}

interface Capture {
  hal: Hal;
  onSecret(line: string): void;
  close(): void;
}

/** A Hal whose network is written down; the file holds secrets, so it is its owner's alone. */
function openCapture(args: Arguments, hal: Hal, mac: MacAddress): Capture | undefined {
  const path = args.text('capture');
  if (path === undefined) return undefined;
  const file = createSecretFile(path);
  const capture = new LiveCapture({
    interface: 'endpoint',
    secrets: !args.flag('no-secrets'),
    write: (bytes) => void writeSync(file, bytes),
  });
  const { clock, nic, net } = hal;
  const address = (): string => nic.lease()?.address ?? '0.0.0.0';
  // Read once: between two readings the wall clock moves by whole milliseconds, and frames would change places.
  const epoch = clock.wall().at * MILLISECOND - clock.now();
  const calendar = (at: number): number => epoch + at;
  return {
    hal: { ...hal, net: captureNet(net, { to: capture, mac, address, now: () => clock.now(), calendar }) },
    onSecret: (line) => capture.secret(line),
    close: () => {
      capture.finish();
      closeSync(file);
    },
  };
}

const calendarOf = (clock: Clock, at: number): number => clock.wall().at * MILLISECOND - (clock.now() - at);

function createSecretFile(path: string): number {
  try {
    return openSync(path, 'w', 0o600);
  } catch (error) {
    throw new CannotRun(`cannot write ${path}: ${(error as Error).message}`);
  }
}

/**
 * The beginning of the year in which this version was made: a floor for the clock, to be moved with a release. It may be early, never late:
 * a machine whose clock is behind it is taken for one with an empty battery.
 */
const BUILT = utc(2026, 1, 1)!;

/** What an endpoint lives on. */
interface Ground {
  unit: Unit;
  ports: Ports;
  hal: Hal;
  onSecret: ((line: string) => void) | undefined;
}

/**
 * One life after the other, until one ends for good: the exit status. A reboot is another endpoint over the same HAL, whose clock, files
 * and captures go on.
 */
async function live(
  args: Arguments,
  io: Io,
  { reboots, ended, ...ground }: Ground & { reboots: Reboots; ended: Promise<void> },
): Promise<ExitStatus> {
  let running: Running | undefined;
  let told = false;
  ended.then(() => {
    told = true;
    running?.shutdown();
  });
  for (let { hal } = ground; ; hal = { ...hal, system: { ...hal.system, boot: { reason: 'reboot' } } }) {
    const asked = reboots.next();
    running = runEndpoint(args, io, { ...ground, hal });
    const reason = await running.reason;
    if (reason !== 'reboot') return reason === 'shutdown' ? 0 : 1;
    const why = await asked;
    if (told) return 0;
    const refusal = reboots.refusal(why, hal.clock.now() / MILLISECOND);
    if (refusal !== undefined) {
      console.error(`belfry: ${refusal}`);
      return 1;
    }
  }
}

interface Running {
  /** Why the endpoint ended by itself, or because it was told to; `reboot` where it asks for another life next. */
  reason: Promise<string>;
  shutdown(): void;
}

/** A signal ends the process in order within this time (ours); calls are hung up and the registration is taken back. */
const SHUTDOWN_MS = 5_000;

function runEndpoint(args: Arguments, io: Io, { unit, ports, hal, onSecret }: Ground): Running {
  const provision = args.text('provision');
  const ntp = args.text('ntp');
  let stopped: (reason: string) => void = () => {};
  const reason = new Promise<string>((resolve) => {
    stopped = resolve;
  });
  const endpoint: Endpoint = createEndpoint({
    hal,
    board: unit.board,
    firmware: unit.firmware,
    built: BUILT,
    ports,
    sink: (event) => {
      report(event, unit.mac, hal.clock, io);
      if (event.event === 'endpoint.stopped') stopped(event.reason);
    },
    ...(onSecret ? { onSecret } : {}),
    ...(provision === undefined ? {} : { provision }),
    ...(ntp === undefined ? {} : { timeServers: [ntp] }),
  });
  endpoint.start();
  return {
    reason,
    shutdown: () => {
      endpoint.shutdown(() => {});
      // The limit holds the process only as long as the endpoint does.
      setTimeout(() => stopped('shutdown took too long'), SHUTDOWN_MS).unref();
    },
  };
}

/** States are for `--json`: people want to read what happened, not how it was drawn. */
function report({ at, event, ...fields }: EndpointEvent, mac: MacAddress, clock: Clock, io: Io): void {
  const wall = iso8601(Math.round(calendarOf(clock, at) / MILLISECOND));
  if (io.json) io.record({ at, t: at, device: mac, event, ...fields, wall });
  else if (event !== 'machine.state') io.say(`${wall.slice(11, 23)}  ${event.padEnd(26)}${text(fields)}`);
}

const text = (fields: object): string =>
  Object.entries(fields)
    .map(([name, value]) => `${name}=${typeof value === 'string' && !/\s/.test(value) ? value : JSON.stringify(value)}`)
    .join(' ');
