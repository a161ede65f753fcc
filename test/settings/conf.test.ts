import { describe, expect, it } from 'vitest';
import { CONF_LIMITS, decodeConf, encodeConf } from '../../core/settings/conf.codec.js';
import { concat, fromUtf8, utf8 } from '../../hal/base/bytes.js';
import { fuzz } from '../support/mutation.js';

const read = (text: string) => decodeConf(utf8(text));
const pairs = (text: string) => [...read(text).values];

describe('settings files', () => {
  it('reads key = value, one a line', () => {
    expect(pairs('sip.proxy = sip.example.test\nsip.u1.user = 101\n')).toEqual([
      ['sip.proxy', 'sip.example.test'],
      ['sip.u1.user', '101'],
    ]);
  });

  it('takes # for a comment at column 0 only', () => {
    expect(pairs('# a comment = no value\nsip.u1.pwd = a#b # not a comment\n')).toEqual([['sip.u1.pwd', 'a#b # not a comment']]);
    expect(read(' # indented').problems).toEqual([{ line: 1, detail: 'there is no "=" in the line' }]);
  });

  it('keeps a blank value, which is a value', () =>
    expect(pairs('sip.srtp =\nsip.obproxy=')).toEqual([
      ['sip.srtp', ''],
      ['sip.obproxy', ''],
    ]));

  it('tolerates missing spaces, a byte order mark, CRLF, and a last line without an end', () => {
    expect(pairs('\ufeffprov.auth.user =admin\r\nprov.i=1\r\n\r\nsip.regexp   =   300')).toEqual([
      ['prov.auth.user', 'admin'],
      ['prov.i', '1'],
      ['sip.regexp', '300'],
    ]);
  });

  it('splits at the first "=" only', () => expect(pairs('net.filter = a=b=c')).toEqual([['net.filter', 'a=b=c']]));

  it('keeps lists with their comma, misspelt and unknown keys, and text beyond ASCII', () => {
    expect(pairs('mcast.zones = 1,8,9,\nmcast.polycom. = Default\nsip.u1.dname = Königin Löwenherz')).toEqual([
      ['mcast.zones', '1,8,9,'],
      ['mcast.polycom.', 'Default'],
      ['sip.u1.dname', 'Königin Löwenherz'],
    ]);
  });

  it('lets the last of equal keys count', () =>
    expect(pairs('a = 1\nb = 2\na = 3')).toEqual([
      ['a', '3'],
      ['b', '2'],
    ]));

  it('names the line of what it cannot read', () => {
    expect(read('a = 1\n<html>\n = 2\nc = \u0007').problems).toEqual([
      { line: 2, detail: 'there is no "=" in the line' },
      { line: 3, detail: 'what stands before "=" is no key' },
      { line: 4, detail: 'the value of c is too long or has control characters' },
    ]);
  });

  it('does not take the page of a captive portal for settings', () => {
    expect(read('<html><a href="http://login.example/">log in</a></html>').problems).not.toEqual([]);
  });

  it('has limits', () => {
    expect(read('a'.repeat(CONF_LIMITS.octets + 1)).problems[0]?.detail).toMatch(/octets, at most 65536/);
    expect(read('\n'.repeat(CONF_LIMITS.lines)).problems[0]?.detail).toMatch(/lines, at most 4096/);
    expect(read(`a = ${'x'.repeat(CONF_LIMITS.value + 1)}`).problems[0]?.line).toBe(1);
    expect(read('?\n'.repeat(100)).problems).toHaveLength(CONF_LIMITS.problems);
  });

  it('writes sorted by key, and reads back what it wrote', () => {
    const values = new Map([
      ['sip.u1.pwd', '#1 = secret'],
      ['audio.page.vol', '-18dB'],
      ['sip.srtp', ''],
    ]);
    const bytes = encodeConf(values);
    expect(fromUtf8(bytes)).toBe('audio.page.vol = -18dB\nsip.srtp =\nsip.u1.pwd = #1 = secret\n');
    expect(new Map(decodeConf(bytes).values)).toEqual(values);
  });

  it('never writes a value that would add a line', () => {
    expect(
      fromUtf8(
        encodeConf(
          new Map([
            ['a', '1\nadmin.pwd = x'],
            ['b\nc', '2'],
            ['d', '3'],
          ]),
        ),
      ),
    ).toBe('d = 3\n');
  });

  it('never throws, and what it reads without problems survives a round trip', () => {
    const sample = utf8(
      '\ufeff# site\r\nsip.proxy = sip.example.test:5061\r\nsip.u1.user=101\nsip.srtp =\nmcast.zones = 1,8,9,\nx = é€😀\n',
    );
    fuzz([sample, concat(sample, Uint8Array.of(0xff, 0xfe, 0))], 20_000, (input) => {
      const { values } = decodeConf(input);
      expect(new Map(decodeConf(encodeConf(values)).values)).toEqual(new Map(values));
    });
  });
});
