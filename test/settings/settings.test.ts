import { describe, expect, it } from 'vitest';
import { board8061 } from '../../boards/8061.js';
import { board8063 } from '../../boards/8063.js';
import { board8180g2 } from '../../boards/8180-g2.js';
import { board8186 } from '../../boards/8186.js';
import { board8301 } from '../../boards/8301.js';
import { boards } from '../../boards/index.js';
import { featuresOf } from '../../core/device/features.js';
import { decodeConf } from '../../core/settings/conf.codec.js';
import { OURS } from '../../core/settings/registry/ours.js';
import { isSecret, REGISTRY } from '../../core/settings/registry.js';
import { changedKeys, needsRestart, Settings } from '../../core/settings/settings.js';
import { checkSettings, otherBoards } from '../../core/settings/settings.policy.js';
import { volume } from '../../core/settings/value-types.js';
import { utf8 } from '../../hal/base/bytes.js';
import type { BoardProfile } from '../../hal/board.js';

const MAC = '0022EE0A0001';
const empty = (board: BoardProfile = board8180g2, firmware = board.firmware.newest): Settings =>
  new Settings({ board, features: featuresOf(board, firmware), mac: MAC });
const given = (values: Record<string, string>, board?: BoardProfile, firmware?: string): Settings =>
  empty(board, firmware).withProvisioned(new Map(Object.entries(values)));

describe('the registry', () => {
  it.each([...boards.values()])('has defaults that $id accepts, at its newest firmware and its oldest', (board) => {
    for (const firmware of [board.firmware.newest, board.firmware.oldest]) {
      const unset = empty(board, firmware);
      const settings = given(Object.fromEntries([...REGISTRY.keys()].map((key) => [key, unset.raw(key)])), board, firmware);
      expect(checkSettings(settings)).toEqual([]);
      for (const [key, { read }] of REGISTRY) expect(read(settings.text(key)).ok, key).toBe(true);
    }
  });

  it.each([...boards.values()])('has every key that the profile of $id gives a value', (board) => {
    expect(Object.keys(board.defaults ?? {}).filter((key) => !empty(board).knows(key))).toEqual([]);
  });

  it('has each key of ours in one table, and no other there', () => {
    const ours = [...REGISTRY].filter(([, { provenance }]) => provenance === 'ours').map(([key]) => key);
    expect(Object.keys(OURS).sort()).toEqual(ours);
  });

  it('names a counterpart on the other boards, both ways', () => {
    for (const [key, { on, counterpart }] of REGISTRY) {
      if (counterpart === undefined) continue;
      expect(REGISTRY.get(counterpart)?.counterpart).toBe(key);
      for (const board of boards.values()) expect(REGISTRY.get(counterpart)?.on?.has(board)).toBe(!on?.has(board));
    }
  });

  it('knows a password wherever it stands', () => {
    expect(['sip.u1.pwd', 'prov.auth.pwd', 'admin.pwd', 'sip.turn.server.pwd'].filter(isSecret)).toHaveLength(4);
    expect(['sip.u1.user', 'pwd.hint', 'constructor'].filter(isSecret)).toEqual([]);
  });

  it('has the defaults of the vendor, and its own', () => {
    const settings = empty();
    expect(settings.get('sip.srtp')).toBe('');
    expect(settings.get('sip.transp')).toBe('auto');
    expect(settings.get('prov.download.cert')).toBe(false);
    expect(settings.get('sip.srtp.suite')).toEqual(['aes_cm_128_hmac_sha1_80']);
    expect(settings.get('sip.tls.cert')).toBe(true);
    expect(empty(board8180g2, '4.9').get('sip.tls.cert')).toBe(false);
    expect(settings.get('sip.proxy')).toBeUndefined();
  });
});

describe('values', () => {
  it('come as their type', () => {
    const settings = given({ 'sip.proxy': 'sip.example.test:5071', 'sip.regexp': '300', 'sip.page.use': '0', 'audio.page.vol': '-18dB' });
    expect(settings.get('sip.proxy')).toEqual({ host: 'sip.example.test', port: 5071 });
    expect(settings.get('sip.regexp')).toBe(300);
    expect(settings.get('sip.page.use')).toBe(false);
    expect(settings.get('audio.page.vol')).toBe(-18);
    expect(given({ 'sip.obproxy': '[2001:db8::1]:5061' }).get('sip.obproxy')).toEqual({ host: '2001:db8::1', port: 5061 });
  });

  it('take lists with or without the comma at their end', () => {
    for (const list of ['aes_cm_128_hmac_sha1_80,aead_aes_128_gcm,', 'aes_cm_128_hmac_sha1_80,aead_aes_128_gcm']) {
      expect(given({ 'sip.srtp.suite': list }).get('sip.srtp.suite')).toEqual(['aes_cm_128_hmac_sha1_80', 'aead_aes_128_gcm']);
    }
  });

  it.each([
    ['0dB', 0],
    ['-3dB', -3],
    ['-45dB', -45],
    ['10', 0],
    ['4', -18],
    ['-46dB', undefined],
    ['-4dB', undefined],
    ['3dB', undefined],
    ['', undefined],
  ])('reads the volume %s', (text, decibels) => {
    const read = volume(text);
    expect(read.ok ? read.value : undefined).toBe(decibels);
  });

  it('expand $MAC$', () => {
    expect(empty(board8301).get('admin.devname')).toBe('pagingadapter-0022EE0A0001');
    expect(given({ 'sip.u1.user': '$MAC$' }).text('sip.u1.user')).toBe(MAC);
    expect(given({ 'sip.u1.user': '$MAC$' }).raw('sip.u1.user')).toBe('$MAC$');
  });

  it('that the firmware cannot read count as the default, also a blank one', () => {
    expect(given({ 'sip.transp': 'carrier-pigeon' }).get('sip.transp')).toBe('auto');
    expect(given({ 'sip.regexp': '' }).get('sip.regexp')).toBe(3600);
  });
});

describe('layers', () => {
  const settings = given({ 'sip.u1.user': '101', 'sip.proxy': 'a.test' }).withLocal(new Map([['sip.proxy', 'b.test']]));

  it('local goes before provisioned before default, and the origin is told', () => {
    expect(['sip.proxy', 'sip.u1.user', 'sip.transp'].map((key) => [settings.text(key), settings.origin(key)])).toEqual([
      ['b.test', 'local'],
      ['101', 'provisioned'],
      ['auto', 'default'],
    ]);
  });

  it('a local value can be given back', () => {
    const back = settings.withLocal(new Map());
    expect([back.text('sip.proxy'), back.origin('sip.proxy')]).toEqual(['a.test', 'provisioned']);
  });

  it('tell which keys differ in effect', () => {
    const next = settings.withProvisioned(new Map(Object.entries({ 'sip.proxy': 'c.test', 'sip.u1.user': '102', 'sip.transp': 'auto' })));
    // The proxy's change is hidden by the local value, and "auto" is what the default says already.
    expect(changedKeys(settings, next)).toEqual(['sip.u1.user']);
    expect(needsRestart(['sip.u1.user'])).toBe(true);
    // The connection to the server was made with the suites of before.
    expect(needsRestart(['net.weaktls.use'])).toBe(true);
    expect(needsRestart(['prov.auth.user', 'no.such.key'])).toBe(false);
  });

  it('export everything, sorted, readable again, secrets on request', () => {
    const full = given({ 'sip.u1.pwd': 'hunter2', 'x.unknown': 'kept' });
    expect(full.unknown()).toEqual(['x.unknown']);
    const text = full.export({ secrets: true });
    expect(text.split('\n').slice(0, -1)).toEqual(text.split('\n').slice(0, -1).sort());
    const again = empty().withProvisioned(decodeConf(utf8(text)).values);
    expect(changedKeys(full, again)).toEqual([]);
    expect(full.export({ secrets: false })).not.toContain('hunter2');
    expect(full.export({ secrets: false })).toContain('x.unknown = kept');
  });
});

describe('keys without effect', () => {
  it('are told: those of other boards, with who has them, and those that nobody knows', () => {
    const settings = given(
      { 'sip.transp': 'tcp', 'sip.srtp.suite': '', 'net.ip': '10.0.0.5', 'x.y': '1', 'sip.proxy.webui': 'a.test' },
      board8061,
    );
    expect(settings.unknown()).toEqual(['sip.proxy.webui', 'sip.srtp.suite', 'sip.transp', 'x.y']);
    expect(otherBoards(settings.unknown())).toBe(
      'sip.proxy.webui is sip.proxy here; boards of the current generation have sip.srtp.suite, sip.transp',
    );
    expect(otherBoards(['x.y'])).toBeUndefined();
    expect(given({ 'net.ip': '10.0.0.5' }, board8301).unknown()).toEqual(['net.ip']);
  });

  it('count as the default, and are exported as they were given', () => {
    const settings = given({ 'sip.transp': 'tcp', 'sip.alert6.user': '6' }, board8061);
    expect(settings.get('sip.transp')).toBe('auto');
    expect(settings.unknown()).toEqual(['sip.alert6.user', 'sip.transp']);
    expect(settings.export({ secrets: true })).toContain('sip.transp = tcp\n');
    expect(empty(board8061).export({ secrets: true })).not.toMatch(/^sip\.transp/m);
  });

  it('are told where they are stored for later and ask for something', () => {
    const settings = given({ 'sip.outbound': '1', 'sip.sips': '0', 'sip.ssr.use': '', 'sip.proxy': 'a.test', 'prov.ztp.use': '1' });
    expect(settings.stored()).toEqual(['prov.ztp.use', 'sip.outbound']);
    // The default of this board.
    expect(given({ 'prov.ztp.use': '1' }, board8186).stored()).toEqual([]);
  });

  it('of a door controller are those that other boards have for its server', () => {
    const settings = given({ 'sip.proxy': 'a.test', 'sip.proxy.webui': 'b.test' }, board8063);
    expect(settings.unknown()).toEqual(['sip.proxy']);
    expect(otherBoards(['sip.proxy'])).toBe('sip.proxy is sip.proxy.webui here');
    expect([settings.get('sip.proxy'), settings.get('sip.proxy.webui')]).toEqual([undefined, { host: 'b.test' }]);
  });
});

describe('checking', () => {
  it.each([
    ['sip.transp', 'tls'],
    ['sip.srtp', 'standard'],
    ['prov.download.method', 'https'],
    ['prov.server.static', 'https://prov.example.test/'],
    ['prov.download.cert', '1'],
    ['sip.tls.cert', '1'],
  ])('a board without TLS refuses %s = %s, naming board and key', (key, value) => {
    expect(checkSettings(given({ [key]: value }, board8061))).toEqual([
      {
        key,
        value,
        board: '8061',
        firmware: '2.0.3',
        detail: expect.stringMatching(/^the 8061 has no (TLS|SRTP) \("Securing Algo IP Endpoints", page 3\)$/),
        mend: 'clear the setting, or use a board with TLS',
      },
    ]);
    expect(checkSettings(given({ [key]: value }))).toEqual([]);
  });

  it('a board without TLS takes what asks for none', () => {
    const harmless = {
      'sip.transp': 'udp',
      'sip.srtp': '',
      'prov.download.method': 'http',
      'prov.download.cert': '0',
      'sip.tls.force': '0',
    };
    expect(checkSettings(given(harmless, board8061))).toEqual([]);
  });

  it('knows which firmware has "Force secure TLS Version"', () => {
    const refused = (firmware: string) => checkSettings(given({ 'sip.tls.force': '1' }, board8180g2, firmware)).map((r) => r.mend);
    expect(refused('3.0')).toEqual(['upgrade to firmware 3.1 or later']);
    expect(refused('3.1')).toEqual([]);
    expect(refused('4.0')).toEqual(['clear the setting']);
  });

  it('says what a value may be, and takes blank for the default', () => {
    expect(checkSettings(given({ 'sip.transp': 'sctp', 'sip.regexp': '5', 'sip.srtp.suite': '' }))).toMatchObject([
      { key: 'sip.regexp', mend: 'set sip.regexp to a whole number from 30 to 604800' },
      { key: 'sip.transp', value: 'sctp', detail: 'sip.transp takes one of auto, udp, tcp, tls' },
    ]);
  });

  it('never shows a secret', () => {
    const refused = checkSettings(given({ 'sip.u1.pwd': `hunter2\u0000` }));
    expect(refused).toMatchObject([{ key: 'sip.u1.pwd', value: '***' }]);
    expect(JSON.stringify(refused)).not.toContain('hunter2');
    const inAddress = checkSettings(given({ 'prov.server.static': 'https://user:hunt/er2@a.test/' }, board8061));
    expect(inAddress).toMatchObject([{ key: 'prov.server.static', value: 'https://…@a.test/' }]);
  });

  it('of a key that the board lacks sees only a wish for what it cannot do', () => {
    expect(checkSettings(given({ 'sip.transp': 'carrier-pigeon', 'net.weaktls.use': '0' }, board8061))).toEqual([]);
    expect(checkSettings(given({ 'net.weaktls.use': '1' }, board8061))).toMatchObject([
      { detail: expect.stringMatching(/no "Allow Weak TLS"/) },
    ]);
  });

  it.each([
    ['net.weaktls.use', '4.9', '5.0'],
    ['admin.web.api', '3.2', '3.3'],
    ['iot.use', '5.1', '5.2'],
  ])('%s = 1 with firmware %s: from %s', (key, firmware, since) => {
    expect(checkSettings(given({ [key]: '1' }, board8186, firmware))).toMatchObject([
      { key, mend: `upgrade to firmware ${since} or later` },
    ]);
    expect(checkSettings(given({ [key]: '1' }, board8186, since))).toEqual([]);
    expect(checkSettings(given({ [key]: '0' }, board8186, firmware))).toEqual([]);
  });

  it('leaves unknown keys alone', () => expect(checkSettings(given({ 'relayin.override.goup': '1' }))).toEqual([]));
});
