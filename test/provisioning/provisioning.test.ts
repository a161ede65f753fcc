import { describe, expect, it } from 'vitest';
import { board8061 } from '../../boards/8061.js';
import { fail, ok } from '../../hal/base/result.js';
import { MINUTE, SECOND } from '../../hal/base/time.js';
import type { HalError } from '../../hal/hal.js';
import { MODEL, ProvisioningRig, type RigOptions, type Served, UNIT, UNIT_LOWER } from './rig.js';

const setUp = (option66: string | undefined, more: RigOptions = {}): ProvisioningRig => new ProvisioningRig({ option66, ...more });
const failureOf = (setup: ProvisioningRig) =>
  setup.named('provisioning.failed')[0] as { stage: string; kind: string; detail: string; mend: string } | undefined;

describe('provisioning', () => {
  it('fetches the files of model and unit over one TLS connection, commits and applies them', () => {
    const setup = setUp('https://prov.example.test/');
    setup.start();
    expect(setup.names).toEqual(['prov.example.test']);
    expect(setup.last).toMatchObject({ to: 'prov.example.test 192.0.2.10:443', secure: true });
    expect(setup.serve({ [MODEL]: 'sip.transp = tls\nsip.srtp = optional', [UNIT]: 'sip.u1.user = 101\nsip.srtp = standard' })).toEqual([
      MODEL,
      UNIT,
    ]);
    expect(setup.stored).toBe('sip.srtp=standard sip.transp=tls sip.u1.user=101');
    expect(setup.settings.get('sip.srtp')).toBe('standard');
    expect(setup.settings.origin('sip.srtp')).toBe('provisioned');
    const changed = ['sip.srtp', 'sip.transp', 'sip.u1.user'];
    expect(setup.told()).toEqual([
      { event: 'provisioning.started', server: 'https://prov.example.test/', method: 'DHCP option 66' },
      { event: 'settings.changed', by: 'provisioned', keys: changed },
      {
        event: 'provisioning.applied',
        server: 'https://prov.example.test/',
        files: [MODEL.slice(1), UNIT.slice(1)],
        changed,
        clientCertificate: '0022EE0A0001',
      },
    ]);
    expect(setup.notices).toEqual([{ type: 'configuration.changed', keys: changed }, { type: 'provisioning.settled' }]);
    expect(setup.streams).toHaveLength(1);
    expect(setup.last.stream.state).toBe('ended');
  });

  it('goes on without a file that is not there, and tries the MAC in lower case', () => {
    const setup = setUp('http://192.0.2.9:8080/prov');
    setup.start();
    expect(setup.names).toEqual([]);
    expect(setup.last).toMatchObject({ to: '192.0.2.9:8080', secure: false });
    expect(setup.serve({ [`/prov${UNIT_LOWER}`]: 'a = 1' })).toEqual([`/prov${MODEL}`, `/prov${UNIT}`, `/prov${UNIT_LOWER}`]);
    expect(setup.told().at(-1)).toMatchObject({ event: 'provisioning.applied', files: [UNIT_LOWER.slice(1)], clientCertificate: '' });
  });

  it('applies nothing twice', () => {
    const setup = setUp('http://192.0.2.9/');
    setup.start();
    setup.serve({ [MODEL]: 'a = 1' });
    setup.sync();
    setup.serve({ [MODEL]: '# the same\r\na=1' });
    expect(setup.told().at(-1)).toEqual({ event: 'provisioning.unchanged', server: 'http://192.0.2.9/' });
    expect(setup.notices.filter(({ type }) => type === 'configuration.changed')).toHaveLength(1);
  });

  it('without a server rests until there is a reason to look again', () => {
    const setup = setUp(undefined);
    setup.start();
    expect(setup.told()).toEqual([]);
    expect(setup.notices).toEqual([{ type: 'provisioning.settled' }]);
    setup.clock.run(60 * MINUTE);
    expect(setup.streams).toEqual([]);
  });

  it('an https server for a board without TLS: nothing is sent, board and key are named', () => {
    const setup = setUp('https://prov.example.test/', { board: board8061 });
    setup.start();
    expect(setup.streams).toEqual([]);
    expect(setup.told()).toMatchObject([
      { event: 'settings.refused', key: 'prov.download.method', board: '8061', firmware: '2.0.3' },
      { event: 'provisioning.failed', stage: 'settings', kind: 'unsupported', server: 'https://prov.example.test/' },
    ]);
    setup.clock.run(60 * MINUTE);
    expect(setup.told()).toHaveLength(2);
  });

  it('values that the device cannot honour: each is named, nothing is committed, the last good configuration stays', () => {
    const setup = setUp('http://192.0.2.9/', { board: board8061 });
    setup.start();
    setup.serve({ '/algop8061.conf': 'sip.u1.user = 101' });
    setup.sync();
    setup.serve({ '/algop8061.conf': 'sip.u1.user = 102\nsip.transp = tls' });
    expect(setup.stored).toBe('sip.u1.user=101');
    expect(setup.settings.get('sip.u1.user')).toBe('101');
    expect(setup.told().slice(-2)).toMatchObject([
      { event: 'settings.refused', key: 'sip.transp', value: 'tls', board: '8061' },
      { event: 'provisioning.failed', stage: 'settings' },
    ]);
  });

  it.each<[string, Served, Partial<NonNullable<ReturnType<typeof failureOf>>>]>([
    ['no file at all', {}, { stage: 'download', kind: 'not-found', mend: 'put algop8180g2.conf or algom0022EE0A0001.conf on the server' }],
    ['a server that refuses', { [MODEL]: 403 }, { stage: 'download', kind: 'refused', detail: 'algop8180g2.conf: the server answers 403' }],
    ['a broken server', { [MODEL]: 'a = 1', [UNIT]: 503 }, { stage: 'download', kind: 'other' }],
    ['a redirect', { [MODEL]: 302 }, { stage: 'download', kind: 'unsupported' }],
    [
      'a page for people',
      { [MODEL]: '<html>log in</html>' },
      { stage: 'settings', detail: 'algop8180g2.conf, line 1: there is no "=" in the line' },
    ],
  ])('%s: fails with stage and mend, commits nothing', (_name, files, expected) => {
    const setup = setUp('http://192.0.2.9/');
    setup.start();
    setup.serve(files);
    expect(setup.stored).toBe('');
    expect(setup.settings.given()).toEqual([]);
    expect(failureOf(setup)).toMatchObject(expected);
    expect(setup.notices).toEqual([{ type: 'provisioning.settled' }]);
  });

  it.each<[HalError['kind'], string]>([
    ['tls-refused', 'tls'],
    ['tls-alert', 'tls'],
    ['refused', 'connect'],
    ['unreachable', 'connect'],
  ])('a connection that ends with %s fails in stage %s, and nothing is asked in the clear', (kind, stage) => {
    const setup = setUp('https://prov.example.test/');
    setup.start();
    setup.last.stream.fail({ kind, detail: 'why' });
    expect(failureOf(setup)).toMatchObject({ stage, kind, detail: 'why' });
    setup.clock.run(20 * MINUTE);
    expect(setup.streams.length).toBeGreaterThan(3);
    expect(setup.streams.every(({ secure }) => secure)).toBe(true);
  });

  it('a name that nobody knows', () => {
    const setup = setUp('https://prov.example.test/');
    setup.addresses = fail('not-found', 'no such name');
    setup.start();
    expect(failureOf(setup)).toMatchObject({ stage: 'name', kind: 'not-found', detail: 'no such name' });
    expect(setup.streams).toEqual([]);
  });

  it('a flash that is full: nothing counts', () => {
    const setup = setUp('http://192.0.2.9/');
    setup.store.outcome = fail('full', 'too much');
    setup.start();
    setup.serve({ [MODEL]: 'a = 1' });
    expect(failureOf(setup)).toMatchObject({ stage: 'storage', kind: 'full', detail: 'too much' });
    expect(setup.settings.given()).toEqual([]);
  });

  it('tries again with longer and longer pauses, each time the next address, and stops when it has succeeded', () => {
    const setup = setUp('http://prov.example.test/');
    setup.addresses = ok(['192.0.2.10', '192.0.2.11']);
    setup.start();
    const began: number[] = [];
    for (let i = 0; i < 8; i++) {
      began.push(setup.clock.now());
      setup.last.stream.fail({ kind: 'unreachable', detail: 'no route' });
      const before = setup.streams.length;
      while (setup.streams.length === before) setup.clock.run(SECOND / 4);
    }
    const pauses = began.slice(1).map((at, i) => (at - began[i]!) / SECOND);
    // The test's entropy is half of what can be: three quarters of 15 s, doubled up to three quarters of 4 min 30 s.
    for (const [i, expected] of [11.3, 22.5, 45, 90, 180, 202.5, 202.5].entries()) expect(Math.abs(pauses[i]! - expected)).toBeLessThan(1);
    expect(setup.streams.slice(0, 3).map(({ to }) => to)).toEqual(['192.0.2.10:80', '192.0.2.11:80', '192.0.2.10:80']);
    setup.serve({ [MODEL]: 'a = 1' });
    const connections = setup.streams.length;
    setup.clock.run(60 * MINUTE);
    expect(setup.streams).toHaveLength(connections);
  });

  it('does not wait when there is a reason to ask now', () => {
    const setup = setUp('http://192.0.2.9/');
    setup.start();
    for (let i = 0; i < 4; i++) {
      setup.last.stream.fail({ kind: 'unreachable', detail: 'no route' });
      while (setup.last.stream.state !== 'connecting') setup.clock.run(SECOND);
    }
    setup.last.stream.fail({ kind: 'unreachable', detail: 'no route' });
    setup.clock.run(11 * SECOND);
    setup.send({ type: 'sync', by: 'check-sync' });
    expect(setup.streams).toHaveLength(6);
  });

  it('stopped in the middle of a download, it leaves the connection and reports nothing more', () => {
    const setup = setUp('http://192.0.2.9/');
    setup.start();
    setup.last.stream.open();
    setup.actor.stop();
    expect(setup.last.stream.state).toBe('ended');
    setup.clock.run(10 * MINUTE);
    expect(setup.told()).toMatchObject([{ event: 'provisioning.started' }]);
  });
});
