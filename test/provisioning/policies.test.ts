import { describe, expect, it } from 'vitest';
import { board8061 } from '../../boards/8061.js';
import { board8180g1 } from '../../boards/8180-g1.js';
import { board8180g2 } from '../../boards/8180-g2.js';
import { featuresOf } from '../../core/device/features.js';
import { formatUrl } from '../../core/http/url.js';
import { planFiles } from '../../core/provisioning/file-plan.js';
import { requestPause, retryDelay } from '../../core/provisioning/retry.policy.js';
import { chooseServer } from '../../core/provisioning/server.policy.js';
import { type Staged, stageFiles } from '../../core/provisioning/stage.policy.js';
import { Settings } from '../../core/settings/settings.js';
import { utf8 } from '../../hal/base/bytes.js';
import { DAY, HOUR, MINUTE, SECOND } from '../../hal/base/time.js';
import type { BoardProfile } from '../../hal/board.js';
import { randomFrom } from '../support/mutation.js';

const given = (values: Record<string, string> = {}, board: BoardProfile = board8180g2): Settings =>
  new Settings({ board, features: featuresOf(board, board.firmware.newest), mac: '0022EE0A0001' }).withProvisioned(
    new Map(Object.entries(values)),
  );
const options = (texts: Record<number, string | Uint8Array>): Map<number, Uint8Array> =>
  new Map(Object.entries(texts).map(([code, value]) => [Number(code), typeof value === 'string' ? utf8(value) : value]));

describe('the file plan', () => {
  it('asks for the model, then for the unit, upper case first', () => {
    expect(planFiles(board8180g2, '0022EE0A0001', false)).toEqual([
      { names: ['algop8180g2.conf'] },
      { names: ['algom0022EE0A0001.conf', 'algom0022ee0a0001.conf'] },
    ]);
    expect(planFiles(board8180g1, '002200000001', false)[1]).toEqual({ names: ['algom002200000001.conf'] });
  });

  it('with partial files: each behind the file that it adds to', () => {
    expect(planFiles(board8180g2, '0022EE0A0001', true).map(({ names }) => names.join(' '))).toEqual([
      'algop8180g2.conf',
      'algop8180g2-i.conf',
      'algom0022EE0A0001.conf algom0022ee0a0001.conf',
      'algom0022EE0A0001-i.conf algom0022ee0a0001-i.conf',
    ]);
  });
});

describe('the choice of the server', () => {
  const choose = (settings: Settings, dhcp: Record<number, string | Uint8Array> = {}, override?: string): string => {
    const choice = chooseServer({ settings, options: options(dhcp), ...(override === undefined ? {} : { override }) });
    if (choice.type === 'server') return `${choice.from}: ${formatUrl(choice.url)}`;
    if (choice.type === 'failed') return `failed: ${choice.failure.detail}`;
    return choice.type === 'refused' ? `refused ${choice.refusal.key}: ${choice.refusal.detail}` : choice.type;
  };

  it.each<[string, Record<number, string | Uint8Array>, string]>([
    ['option 66 as an address', { 66: 'https://prov.example.test/' }, 'DHCP option 66: https://prov.example.test/'],
    ['option 66 as a bare host', { 66: 'prov.example.test' }, 'DHCP option 66: http://prov.example.test/'],
    ['option 66 with a zero at its end', { 66: 'prov.example.test\0' }, 'DHCP option 66: http://prov.example.test/'],
    ['66 before 160 before 150', { 150: 'c.test', 160: 'b.test', 66: 'a.test' }, 'DHCP option 66: http://a.test/'],
    ['160 before 150', { 150: 'c.test', 160: 'b.test/folder' }, 'DHCP option 160: http://b.test/folder'],
    ['150 as addresses', { 150: Uint8Array.of(192, 0, 2, 7, 192, 0, 2, 8) }, 'DHCP option 150: http://192.0.2.7/'],
    ['150 as addresses that happen to be letters', { 150: utf8('abcd') }, 'DHCP option 150: http://97.98.99.100/'],
    ['150 as the text of an address', { 150: '192.0.2.77' }, 'DHCP option 150: http://192.0.2.77/'],
    ['150 as text of four octets times four', { 150: 'https://a.test/x' }, 'DHCP option 150: https://a.test/x'],
    ['TFTP', { 66: 'tftp://192.0.2.9/conf' }, 'DHCP option 66: tftp://192.0.2.9/conf'],
    ['nothing usable', { 66: '', 160: Uint8Array.of(0, 1, 2) }, 'none'],
    ['nothing', {}, 'none'],
  ])('by DHCP: %s', (_name, dhcp, expected) => expect(choose(given(), dhcp)).toBe(expected));

  it('takes the command line in place of option 66', () => {
    expect(choose(given(), { 66: 'a.test' }, 'https://127.0.0.1:8443/prov/')).toBe('the command line: https://127.0.0.1:8443/prov/');
    const fixed = given({ 'prov.server.method': 'static', 'prov.server.static': 's.test' });
    expect(choose(fixed, { 66: 'a.test' }, 'https://b.test/')).toBe('prov.server.static: http://s.test/');
  });

  it('follows the settings', () => {
    const fixed = { 'prov.server.method': 'static', 'prov.server.static': 's.test' };
    expect(choose(given({ ...fixed, 'prov.download.method': 'https' }))).toBe('prov.server.static: https://s.test/');
    expect(choose(given({ ...fixed, 'prov.download.cfgpath': '/conf/$MAC$/' }))).toBe(
      'prov.server.static: http://s.test/conf/0022EE0A0001',
    );
    expect(choose(given({ 'prov.download.cfgpath': 'x' }), { 66: 'http://a.test/own' })).toBe('DHCP option 66: http://a.test/own');
    expect(choose(given({ 'prov.server.method': 'static' }), { 66: 'a.test' })).toBe('none');
    expect(choose(given({ 'prov.server.method': 'none' }), { 66: 'a.test' })).toBe('none');
    expect(choose(given({ 'prov.use': '0' }), { 66: 'a.test' })).toBe('none');
  });

  it('is not talked out of HTTPS by whoever answers DHCP first', () => {
    const https = given({ 'prov.download.method': 'https' });
    for (const server of ['http://a.test/', 'tftp://a.test/'])
      expect(choose(https, { 66: server })).toBe(`failed: DHCP option 66 names ${server}, and prov.download.method asks for https`);
    expect(choose(https, { 66: 'https://a.test/' })).toBe('DHCP option 66: https://a.test/');
    expect(choose(https, {}, 'http://127.0.0.1:8080/')).toBe('the command line: http://127.0.0.1:8080/');
  });

  it('refuses https for a board without TLS, naming board and key, and never falls back', () => {
    const choice = chooseServer({ settings: given({}, board8061), options: options({ 66: 'https://prov.example.test/' }) });
    expect(choice).toMatchObject({
      type: 'refused',
      refusal: {
        key: 'prov.download.method',
        value: 'https://prov.example.test/',
        board: '8061',
        detail: expect.stringMatching(/^DHCP option 66 names https:\/\/prov.example.test\/, and the 8061 has no TLS/),
        mend: 'name a server without TLS, or use a board with TLS',
      },
    });
  });

  it('shows neither passwords nor queries of an address', () => {
    const wrong = [
      'https://user:secret@a.test/',
      'https://a:secret@b@a.test/',
      'user:secret@a.test',
      'https://a.test:0/?secret',
      'ftp://a.test/?secret',
    ];
    for (const text of wrong) {
      expect(choose(given(), { 66: text })).toMatch(/^failed: .*a\.test/);
      expect(JSON.stringify(chooseServer({ settings: given(), options: options({ 66: text }) }))).not.toContain('secret');
    }
    expect(choose(given(), { 66: 'https://a.test/x?token=secret' })).toBe('DHCP option 66: https://a.test/x');
  });

  it('asks for no path that is none', () => {
    for (const path of ['a b', 'a\r\nX: y', '%zz', 'a#b']) {
      expect(choose(given({ 'prov.download.cfgpath': path }), { 66: 'a.test' })).toMatch(/^failed: prov.download.cfgpath: /);
    }
  });

  it('says what it cannot use', () => {
    expect(choose(given(), { 66: 'ftp://a.test/' })).toBe('failed: DHCP option 66 names ftp://a.test/: FTP is left out of this firmware');
    const byFtp = chooseServer({ settings: given({ 'prov.download.method': 'ftp' }), options: options({ 66: 'a.test' }) });
    expect(byFtp).toMatchObject({
      type: 'failed',
      failure: { stage: 'server', kind: 'unsupported', mend: expect.stringMatching(/https.*tftp/) },
    });
    expect(choose(given(), { 66: 'http://user:pw@a.test/' })).toContain('user and password do not belong into the address');
  });
});

describe('the retry', () => {
  it('doubles from 15 s to 4 min 30 s, between half and all of it', () => {
    expect([0, 1, 2, 3, 4, 5, 100].map((n) => retryDelay(n, 1) / SECOND)).toEqual([15, 30, 60, 120, 240, 270, 270]);
    expect([0, 5].map((n) => retryDelay(n, 0) / SECOND)).toEqual([7.5, 135]);
  });

  it('keeps to what the server asks for, which everybody was told, up to an hour', () => {
    expect([0, 1].map((random) => retryDelay(0, random, 120 * SECOND) / SECOND)).toEqual([120, 180]);
    expect(retryDelay(5, 1, 10 * SECOND) / SECOND).toBe(270);
    expect(retryDelay(0, 0, 365 * DAY)).toBe(HOUR);
  });

  it('leaves time between the requests of one device, once a server has failed', () => {
    expect([0, 1, 7].map(requestPause)).toEqual([0, SECOND, SECOND]);
  });

  it('a fleet of 200 whose server returns after 30 minutes: at most 20 requests in any second, 95 % done within 5 minutes', () => {
    const requests = 6;
    for (let seed = 1; seed <= 5; seed++) {
      const random = randomFrom(seed);
      const found = Array.from({ length: 200 }, () => firstAfter(30 * MINUTE, () => random(1 << 20) / (1 << 20)));
      const asked = found.flatMap((at) => Array.from({ length: requests }, (_, n) => at + n * requestPause(1))).sort((a, b) => a - b);
      const busiest = Math.max(...asked.map((at) => asked.filter((other) => other >= at && other < at + SECOND).length));
      expect(busiest).toBeLessThanOrEqual(20);
      const late = found.map((at) => at + requests * requestPause(1) - 30 * MINUTE).filter((after) => after > 5 * MINUTE);
      expect(late.length).toBeLessThanOrEqual(10);
    }
  });
});

/** When a device that was switched on with its whole fleet, and its server away, asks for the first time after `away`. */
function firstAfter(away: number, random: () => number): number {
  let at = 0;
  for (let attempt = 0; at < away; attempt++) at += retryDelay(attempt, random());
  return at;
}

describe('staging', () => {
  const file = (name: string, text: string) => ({ name, bytes: utf8(text) });
  const stage = (present: Settings, files: ReturnType<typeof file>[], rejected = ''): Staged =>
    stageFiles({ present, stored: present.layers.provisioned, isRejected: (values) => [...values.keys()].join() === rejected }, files);

  it('lets later files win, and tells what changes', () => {
    const staged = stage(given({ 'sip.regexp': '300' }), [file('p', 'sip.regexp = 300\nsip.transp = udp'), file('m', 'sip.transp = tls')]);
    expect(staged).toMatchObject({ type: 'changed', changed: ['sip.transp'] });
    expect(staged.type === 'changed' && staged.settings.get('sip.transp')).toBe('tls');
  });

  it('knows what it has already', () => {
    expect(stage(given({ a: '1', b: '' }), [file('p', 'b =\na = 1')])).toEqual({ type: 'unchanged' });
  });

  it('refuses all of it for one line that it cannot read', () => {
    expect(stage(given(), [file('p', 'a = 1'), file('algomX.conf', 'b = 2\noops')])).toEqual({
      type: 'failed',
      failure: {
        stage: 'settings',
        kind: 'unsupported',
        detail: 'algomX.conf, line 2: there is no "=" in the line',
        mend: 'correct the line: none of the file counts before',
      },
    });
  });

  it('refuses what the next boot could not read back: files that are too big together, or octets that become more as text', () => {
    const keys = (prefix: string) => Array.from({ length: 50 }, (_, i) => `${prefix}${i} = ${'x'.repeat(1000)}`).join('\n');
    const big = {
      type: 'failed',
      failure: { stage: 'settings', detail: expect.stringMatching(/^taken together, the file has \d+ octets/) },
    };
    expect(stage(given(), [file('p', keys('p'))]).type).toBe('changed');
    expect(stage(given(), [file('p', keys('p')), file('m', keys('m'))])).toMatchObject(big);
    const latin1 = { name: 'p', bytes: utf8(keys('p')).map((octet) => (octet === 0x78 ? 0xe9 : octet)) };
    expect(stage(given(), [latin1])).toMatchObject(big);
  });

  it('refuses all of it for one value that the device cannot honour', () => {
    const staged = stage(given({}, board8061), [file('p', 'sip.transp = tls\nsip.srtp = standard\nsip.u1.user = 101')]);
    expect(staged).toMatchObject({
      type: 'refused',
      refusals: [{ key: 'sip.srtp' }, { key: 'sip.transp' }],
      failure: { stage: 'settings', detail: expect.stringMatching(/^sip.srtp: the 8061 has no SRTP.* \(and 1 more\)$/) },
    });
  });

  it('does not take again what was rolled back, until it is something else', () => {
    expect(stage(given(), [file('p', 'a = 1'), file('m', 'b = 2')], 'a,b').type).toBe('rejected');
    expect(stage(given(), [file('p', 'a = 1'), file('m', 'c = 2')], 'a,b').type).toBe('changed');
  });

  it('does not blame the server for a local value', () => {
    const settings = given({}, board8061).withLocal(new Map([['sip.transp', 'tls']]));
    expect(stage(settings, [file('p', 'sip.u1.user = 101')]).type).toBe('changed');
  });
});
