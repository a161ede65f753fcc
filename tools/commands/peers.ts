/**
 * `belfry peers`: the simulator's servers and its caller on this machine's loopback, with a device image that fits them, for a first page
 * over real sockets with nothing installed.
 */
import { join } from 'node:path';
import { encodeConf } from '../../core/settings/conf.codec.js';
import { shareAlarm } from '../../hal/base/share-alarm.js';
import { iso8601, SECOND } from '../../hal/base/time.js';
import { Timers } from '../../hal/base/timers.js';
import type { Micros, Result } from '../../hal/hal.js';
import { createNodeHost, type NodeHost, nodePlatform } from '../../hal/node/index.js';
import type { PeerHost } from '../../sim/peers/peer-host.js';
import { startProvisioningServer } from '../../sim/peers/provisioning-server.js';
import { type CallerOptions, startCaller } from '../../sim/peers/sip/caller.js';
import { startSipServer } from '../../sim/peers/sip/sip-server.js';
import { SimPki } from '../../sim/scenario/pki.js';
import { makeUnit } from '../../sim/scenario/unit.js';
import { type Arguments, CannotRun, type Command, type Io } from '../command.js';
import { writeOutput } from '../files.js';
import { endOfProcess } from '../signals.js';

export const peersCommand: Command = {
  name: 'peers',
  summary: 'provisioning server, registrar and caller on this machine, with a device image that fits them',
  usage: '[--out DIR] [--srtp standard|optional|none] [--tone HZ] [--for SECONDS] [--port N]',
  options: {
    out: { type: 'string', value: 'DIR', help: 'where the device image goes (default: belfry-out/peers)' },
    srtp: { type: 'string', value: 'MODE', help: 'what the caller does: standard, optional or none (default: standard)' },
    tone: { type: 'string', value: 'HZ', help: 'what it says (default: 1000)' },
    for: { type: 'string', value: 'SECONDS', help: 'how long it says it (default: 5)' },
    port: { type: 'string', value: 'N', help: 'HTTPS here, SIP over TLS on the next one (default: 8443)' },
  },
  examples: [['belfry peers', 'then, in another terminal, the line that it prints']],
  run: async (args, io) => {
    const options = readOptions(args);
    const host = expectStarted(await createNodeHost({ address: LOOPBACK, ports: { tcp: [options.port, options.port + 1] } }));
    const ended = endOfProcess();
    const image = join(options.out, 'lobby.flash');
    start(peerHostMaker(host, io), options, image);
    if (!io.json) for (const line of instructions(image, options)) io.say(line);
    await ended;
    await host.close();
    return 0;
  },
};

const LOOPBACK = '127.0.0.1';
/** The unit that the image is of, and the account that it registers. */
const UNIT = { board: '8180-g2', mac: '0022EE0A0001', user: '101' } as const;
/** After the registration: long enough to read what happens. */
const PAGE_AFTER: Micros = 2 * SECOND;

interface PeersOptions {
  out: string;
  srtp: CallerOptions['srtp'];
  tone: number;
  for: Micros;
  port: number;
}

const MODES: readonly CallerOptions['srtp'][] = ['standard', 'optional', 'none'];

function readOptions(args: Arguments): PeersOptions {
  const srtp = MODES.find((mode) => mode === (args.text('srtp') ?? 'standard'));
  if (!srtp) throw new CannotRun(`peers: --srtp ${args.text('srtp')} is none of ${MODES.join(', ')}`);
  return {
    out: args.text('out') ?? join('belfry-out', 'peers'),
    srtp,
    tone: within(args, 'tone', 1000, 100, 3900),
    for: within(args, 'for', 5, 1, 3600) * SECOND,
    port: within(args, 'port', 8443, 1, 65_534),
  };
}

function within(args: Arguments, name: string, usual: number, least: number, most: number): number {
  const text = args.text(name);
  const value = text === undefined ? usual : Number(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new CannotRun(`peers: --${name} ${text} is no whole number from ${least} to ${most}`);
}

function expectStarted<T>(started: Result<T, { detail: string }>): T {
  if (!started.ok) throw new CannotRun(`peers: ${started.error.detail}`);
  return started.value;
}

/** Gives the peers their hosts, which share this machine. */
function peerHostMaker(host: NodeHost, io: Io): (name: string, onLog: (event: string) => void) => PeerHost {
  const { httpServer } = nodePlatform();
  const share = shareAlarm(host.clock);
  return (name, onLog) => ({
    ...host,
    name,
    address: LOOPBACK,
    clock: share(),
    timers: new Timers(share()),
    httpServer,
    log: (event, fields) => {
      const wall = iso8601(host.clock.wall().at);
      if (io.json) io.record({ at: host.clock.now(), device: name, event, ...fields, wall });
      else io.say(`${wall.slice(11, 23)}  ${name.padEnd(13)}${event} ${JSON.stringify(fields)}`);
      onLog(event);
    },
  });
}

/** Authorities, certificates and the device image are made anew for each run. */
function start(peerHost: ReturnType<typeof peerHostMaker>, options: PeersOptions, image: string): void {
  const quiet = (): void => undefined;
  const caller = peerHost('desk', quiet);
  const { clock, entropy } = caller;
  const pki = new SimPki({ platform: nodePlatform(), entropy, start: clock.wall().at });
  // Hex digits: whatever file or header the password stands in, it needs no quoting there.
  const password = Array.from({ length: 4 }, () => randomHex(entropy)).join('');
  const settings = deviceSettings(options.port + 1, password);
  const unit = makeUnit(
    { ...UNIT, image: { settings: new Map([['prov.download.cert', '1']]), files: SITE }, provisioned: settings },
    entropy,
    pki,
  );
  writeOutput(image, unit.chip.image(), { secret: true });

  const tls = { clientCertificate: 'required', clientAuthorities: [pki.factory.root.certificate, pki.site.certificate] } as const;
  const files = new Map([[`/algom${UNIT.mac}.conf`, encodeConf(settings)]]);
  const provisioning = { tls: { ...tls, identity: pki.server(LOOPBACK, 'good') }, files, port: options.port };
  expectStarted(startProvisioningServer(peerHost('provisioning', quiet), provisioning));

  const page = caller.timers.create('page', () => desk.call({ extension: UNIT.user, for: options.for }));
  const onLog = (event: string): void => {
    if (event === 'server.registered' && page.due === undefined && !paged) page.set(clock.now() + PAGE_AFTER);
    paged = paged || event === 'server.registered';
    if (event === 'server.unregistered') paged = false;
  };
  let paged = false;
  const sip = {
    domain: LOOPBACK,
    users: new Map([[UNIT.user, password]]),
    tls: { ...tls, identity: pki.server(LOOPBACK, 'good'), port: options.port + 1 },
  };
  expectStarted(startSipServer(peerHost('sip', onLog), sip));
  const proxy = { address: LOOPBACK, port: options.port + 1 };
  const { srtp, tone } = options;
  const desk = expectStarted(
    startCaller(caller, { user: 'desk', domain: LOOPBACK, proxy, transport: 'tls', identity: pki.caller('desk'), srtp, tone }),
  );
}

const SITE = new Map([['certs/trusted/site.pem', { authority: 'site' as const }]]);

function randomHex(entropy: PeerHost['entropy']): string {
  const octets = new Uint8Array(4);
  entropy.fill(octets);
  return Buffer.from(octets).toString('hex');
}

const deviceSettings = (sipPort: number, password: string): ReadonlyMap<string, string> =>
  new Map([
    ['sip.proxy', `${LOOPBACK}:${sipPort}`],
    ['sip.u1.user', UNIT.user],
    ['sip.u1.pwd', password],
    ['sip.transp', 'tls'],
    ['sip.tls.cert', '1'],
    ['sip.srtp', 'optional'],
  ]);

function instructions(image: string, { port, srtp, tone }: PeersOptions): string[] {
  return [
    `HTTPS on ${LOOPBACK}:${port}, SIP over TLS on ${LOOPBACK}:${port + 1}; both want the device's certificate`,
    `${image} is an 8180 G2 from the factory that trusts them; in another terminal:`,
    '',
    `  npx belfry run --flash ${image} --provision https://${LOOPBACK}:${port}/ --address ${LOOPBACK} --speaker page.wav`,
    '',
    `once it has registered it is paged with ${tone} Hz, SRTP ${srtp}; Ctrl-C ends this`,
    '',
  ];
}
