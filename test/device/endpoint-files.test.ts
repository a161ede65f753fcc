/** Files and the factory reset through the endpoint, on a simulated board: when they are answered, and what is said on the way. */
import { expect, it } from 'vitest';
import { findBoard } from '../../boards/index.js';
import { issueSelfSigned } from '../../core/certs/issue.js';
import { createEndpoint, type Endpoint } from '../../core/device/endpoint.js';
import type { EndpointEvent } from '../../core/kernel/events.js';
import { utf8 } from '../../hal/base/bytes.js';
import { DAY, SECOND } from '../../hal/base/time.js';
import type { Done, Result, UnixMillis } from '../../hal/hal.js';
import type { NorFlash } from '../../sim/flash/nor-flash.js';
import { simHal } from '../../sim/hal/sim-hal.js';
import { startProvisioningServer } from '../../sim/peers/provisioning-server.js';
import { startSntpServer } from '../../sim/peers/sntp-server.js';
import { SimPki } from '../../sim/scenario/pki.js';
import { randomStream } from '../../sim/world/random.js';
import { template, testKey, testPorts } from '../certs/support.js';
import { platform, SimLab, START } from '../support/sim-lab.js';
import { madeChip } from './bench.js';
import { REGISTERS, Site } from './site.js';

const MILLISECONDS_A_DAY = DAY / 1000;
const key = testKey('ec-p256', 4).key;
const certificate = (name: string, until: UnixMillis) =>
  issueSelfSigned(testPorts(), template(name, 4, { authority: {}, from: START - MILLISECONDS_A_DAY, until }), key);
const TRUSTED = 'certs/trusted/site.pem';

class Board {
  readonly lab = new SimLab();
  readonly events: EndpointEvent[] = [];
  readonly reboots: string[] = [];
  readonly endpoint: Endpoint;

  constructor(chip: NorFlash, clock?: 'unset') {
    const board = findBoard('8180-g2')!;
    const hal = simHal({
      ...{ world: this.lab.world, platform, port: this.lab.lan.attach('lobby'), chip, board, mac: '0022EE0A0001' },
      address: { address: '10.0.0.50', prefix: 24 },
      hooks: { onReboot: (why) => this.reboots.push(why), onPowerCut: () => {} },
      clock: clock === 'unset' ? { offset: -this.lab.world.wall() } : { rtc: true, offset: 0 },
    });
    const sink = (event: EndpointEvent): void => void this.events.push(event);
    this.endpoint = createEndpoint({ hal, board, firmware: '5.5', sink, timeServers: ['10.0.0.4'] });
  }

  async run(seconds: number): Promise<void> {
    await this.lab.world.run(this.lab.world.now + seconds * SECOND);
  }

  /** The answer, within a second. */
  async ask<T>(question: (done: Done<T>) => void): Promise<Result<T, { kind: string }> | undefined> {
    let answer: Result<T, { kind: string }> | undefined;
    this.lab.world.at(this.lab.world.now, () => {
      question((result) => {
        answer = result;
      });
      expect(answer, 'answered during the call').toBeUndefined();
    });
    await this.run(1);
    return answer;
  }

  named(...names: EndpointEvent['event'][]): object[] {
    return this.events.filter(({ event }) => names.includes(event)).map(({ at: _at, ...event }) => event);
  }
}

it('answers from the time at which the flash is read until the device has stopped', async () => {
  const board = new Board(madeChip('8180-g2'));
  const put = () =>
    board.ask((done) => board.endpoint.files.put(TRUSTED, certificate('Site CA', START + 1000 * MILLISECONDS_A_DAY), {}, done));
  expect(board.endpoint.files.list()).toEqual([]);
  expect(await put()).toMatchObject({ ok: false, error: { kind: 'closed' } });
  board.endpoint.start();
  await board.run(1);
  expect(await put()).toEqual({ ok: true, value: { subjects: ['CN=Site CA,O=Test'], notes: [] } });
  expect(board.endpoint.files.list()).toMatchObject([{ path: TRUSTED }]);
  expect(await board.ask((done) => board.endpoint.files.remove(TRUSTED, done))).toMatchObject({ ok: true });
  expect(board.named('certs.accepted', 'certs.removed')).toMatchObject([{ file: TRUSTED }, { event: 'certs.removed', file: TRUSTED }]);
  board.endpoint.shutdown(() => {});
  await board.run(5);
  expect(await put()).toMatchObject({ ok: false, error: { kind: 'closed' } });
  expect(await board.ask((done) => board.endpoint.factoryReset(done))).toMatchObject({ ok: false, error: { kind: 'closed' } });
});

it('a factory reset stops the device in order, erases, and starts it anew', async () => {
  const chip = madeChip('8180-g2');
  const board = new Board(chip);
  board.endpoint.start();
  await board.run(1);
  await board.ask((done) => board.endpoint.files.put(TRUSTED, certificate('Site CA', START + 1000 * MILLISECONDS_A_DAY), {}, done));
  const erased = await board.ask((done) => board.endpoint.factoryReset(done));
  expect(erased).toMatchObject({ ok: true, value: expect.arrayContaining([TRUSTED, 'settings/local.conf']) });
  expect(board.named('system.reboot', 'endpoint.stopped', 'device.reset')).toMatchObject([
    { event: 'system.reboot', why: 'factory reset' },
    { event: 'endpoint.stopped', reason: 'reboot' },
    { event: 'device.reset', erased: erased?.ok ? erased.value : [] },
  ]);
  expect(board.reboots).toEqual(['factory reset']);
  const again = new Board(chip.copy());
  again.endpoint.start();
  await again.run(1);
  expect(again.endpoint.files.list()).toEqual([]);
  expect(Object.fromEntries(again.endpoint.status())['Device Name']).toBe('sipalerter-0022EE0A0001');
});

it('a factory reset while the device takes its leave is answered: it comes too late', async () => {
  const site = new Site();
  await site.powerOn(REGISTERS);
  const answers: (string | undefined)[] = [];
  await site.after(() => {
    site.device.shutDown(() => {});
    site.device.factoryReset((error) => answers.push(error?.kind));
  }, 10 * SECOND);
  expect(answers).toEqual(['closed']);
  expect(site.names('device.reset', 'endpoint.stopped')).toEqual(['endpoint.stopped']);
});

it('a server that was refused is trusted once the administrator says so', async () => {
  const settings = { 'prov.server.method': 'static', 'prov.server.static': 'https://10.0.0.5/', 'prov.download.cert': '1' };
  const board = new Board(madeChip('8180-g2', { settings }));
  const pki = new SimPki({ platform, entropy: randomStream(1, 'pki'), start: START });
  const identity = pki.server('10.0.0.5', 'good');
  const files = new Map([['/algop8180g2.conf', utf8('admin.devname = hall\n')]]);
  startProvisioningServer(board.lab.host('provisioning', 5), { tls: { identity, clientCertificate: 'no', clientAuthorities: [] }, files });
  board.endpoint.start();
  await board.run(5);
  const [refused] = board.endpoint.refusedPeers.list();
  expect(refused).toMatchObject({ service: 'provisioning', peer: '10.0.0.5:443', rule: 'unknown-issuer', subject: 'CN=10.0.0.5' });
  const [leaf] = board.endpoint.refusedPeers.chainOf(refused!.id)!;
  expect(await board.ask((done) => board.endpoint.files.put('certs/trusted/prov.pem', leaf!, {}, done))).toMatchObject({ ok: true });
  board.endpoint.sync();
  await board.run(15);
  expect(board.named('provisioning.applied')).toMatchObject([{ changed: ['admin.devname'] }]);
});

it('what ends soon is said when the time is known', async () => {
  const chip = madeChip('8180-g2');
  const first = new Board(chip);
  first.endpoint.start();
  await first.run(1);
  const until = START + 20 * MILLISECONDS_A_DAY;
  await first.ask((done) => first.endpoint.files.put(TRUSTED, certificate('Site CA', until), {}, done));
  const said = { event: 'certs.expiring', file: TRUSTED, subject: 'CN=Site CA,O=Test', days: 19 };
  expect(first.named('certs.expiring')).toMatchObject([said]);
  const next = new Board(chip.copy(), 'unset');
  next.endpoint.start();
  await next.run(5);
  expect(next.named('certs.expiring')).toEqual([]);
  startSntpServer(next.lab.host('ntp', 4));
  await next.run(100);
  expect(next.named('time.set', 'certs.expiring')).toMatchObject([{ event: 'time.set', source: 'sntp' }, said]);
});
