/** `belfry run` on loopback: a reboot that a NOTIFY asks for is one, and a device that wants one again and again stays off. */
import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { parseArguments } from '../../tools/command.js';
import { factoryCommand } from '../../tools/commands/factory.js';
import { runCommand } from '../../tools/commands/run.js';
import { Reboots } from '../../tools/reboots.js';

const folder = mkdtempSync(`${tmpdir()}/belfry-run-`);
const image = `${folder}/lobby.flash`;
const SIP_PORT = 25_060;
const SERVER_PORT = 25_070;
afterAll(() => rmSync(folder, { recursive: true }));
// Each run listens for signals; a second one would end this process at once.
afterEach(() => void process.removeAllListeners('SIGTERM').removeAllListeners('SIGINT'));

beforeAll(async () => {
  const io = { json: false, say: () => {}, record: () => {} };
  await factoryCommand.run(
    parseArguments(factoryCommand, ['device', '--board', '8061', '--mac', '0022EE0A0001', '--no-certificate', '--out', image]),
    io,
  );
  writeFileSync(`${folder}/local.conf`, `prov.server.method = none\nsip.proxy = 127.0.0.1:${SERVER_PORT}\nsip.u1.user = 101\n`);
});

type Told = { event: string; at: number } & Record<string, unknown>;

/** Runs until it ends; `onEvent` may act on what it reports. */
async function run(onEvent: (event: Told) => void): Promise<{ status: number; events: Told[] }> {
  const events: Told[] = [];
  const record = (line: object): void => {
    const event = line as Told;
    if (event.event === 'machine.state') return;
    events.push(event);
    onEvent(event);
  };
  const argv = [
    '--flash',
    image,
    '--settings',
    `${folder}/local.conf`,
    '--address',
    '127.0.0.1',
    '--sip-port',
    String(SIP_PORT),
    '--rtp-port',
    '26384',
  ];
  const status = await runCommand.run(parseArguments(runCommand, argv), { json: true, say: () => {}, record });
  return { status, events };
}

/** A registrar that takes everybody, and then asks for a reboot. */
class Server {
  readonly #socket = createSocket('udp4');
  /** Statuses of the answers to NOTIFY. */
  readonly answers: string[] = [];

  constructor() {
    this.#socket.on('message', (bytes, { port }) => {
      const text = bytes.toString('latin1');
      if (text.startsWith('REGISTER ')) this.#socket.send(granted(text), port, '127.0.0.1');
      else this.answers.push(text.slice('SIP/2.0 '.length, text.indexOf('\r\n')));
    });
    this.#socket.bind(SERVER_PORT, '127.0.0.1');
  }

  notify(): void {
    const text = [
      `NOTIFY sip:101@127.0.0.1:${SIP_PORT} SIP/2.0`,
      `Via: SIP/2.0/UDP 127.0.0.1:${SERVER_PORT};branch=z9hG4bK${this.answers.length}`,
      'Max-Forwards: 70',
      'From: <sip:server@127.0.0.1>;tag=1',
      'To: <sip:101@127.0.0.1>',
      `Call-ID: ${this.answers.length}`,
      'CSeq: 1 NOTIFY',
      'Event: check-sync;reboot=true',
      'Content-Length: 0',
      '',
      '',
    ];
    this.#socket.send(text.join('\r\n'), SIP_PORT, '127.0.0.1');
  }

  close(): void {
    this.#socket.close();
  }
}

/** The 200 to a REGISTER: its own header fields, and the contact as it was given. */
function granted(request: string): string {
  const fields = request.split('\r\n').filter((line) => /^(via|from|to|call-id|cseq|contact|expires):/i.test(line));
  return ['SIP/2.0 200 OK', ...fields.map((line) => (/^to:/i.test(line) ? `${line};tag=2` : line)), 'Content-Length: 0', '', ''].join(
    '\r\n',
  );
}

it('boots again in the same process when it is asked to, and ends in order', async () => {
  const server = new Server();
  let registered = 0;
  const { status, events } = await run(({ event }) => {
    if (event !== 'registration.registered') return;
    if (++registered === 1) server.notify();
    else process.emit('SIGTERM');
  });
  server.close();
  expect({ status, answers: server.answers }).toEqual({ status: 0, answers: ['200 OK'] });
  const lives = events
    .filter(({ event }) => /^(boot|system|endpoint\.stopped)/.test(event))
    .map(({ event, reason, why }) => [event, reason ?? why]);
  expect(lives).toEqual([
    ['boot.ready', 'power'],
    ['system.reboot', 'check-sync'],
    ['endpoint.stopped', 'reboot'],
    ['boot.ready', 'reboot'],
    ['endpoint.stopped', 'shutdown'],
  ]);
});

it('stays off, with a message, when it wants to again and again', async () => {
  const said = vi.spyOn(console, 'error').mockImplementation(() => {});
  const server = new Server();
  const { status, events } = await run(({ event }) => {
    if (event === 'registration.registered') server.notify();
  });
  server.close();
  expect(status).toBe(1);
  expect(events.filter(({ event }) => event === 'boot.ready')).toHaveLength(6);
  expect(said.mock.calls).toEqual([
    [expect.stringMatching(/^belfry: it wants to reboot \(check-sync\) for the 6th time within 10 minutes and stays off/)],
  ]);
  said.mockRestore();
});

it('counts reboots of the last ten minutes only', () => {
  const reboots = new Reboots();
  const minute = 60_000;
  for (let i = 0; i < 5; i++) expect(reboots.refusal('check-sync', i * minute)).toBeUndefined();
  expect(reboots.refusal('check-sync', 9.9 * minute)).toBeDefined();
  expect(new Array(20).fill(0).map((_, i) => reboots.refusal('check-sync', (20 + 3 * i) * minute))).toEqual(new Array(20).fill(undefined));
});
