import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { digestResponse } from '../../core/auth/digest.js';
import { readAuthSchemes } from '../../core/auth/scheme.codec.js';
import { HTTP_LIMITS } from '../../core/http/client.js';
import type { Validators } from '../../core/provisioning/download.js';
import { MINUTE, SECOND } from '../../hal/base/time.js';
import { type Answer, failureOf, files, md5, reply, texts, Web, type WebRequest } from './web.js';

const HOME = 'https://prov.example.test';
const CREDENTIALS = { user: 'prov', password: 'p:ss"wörd' };
const sha256 = (text: string): string => createHash('sha256').update(text, 'latin1').digest('hex');
const given = (answer: Answer): Web => {
  const web = new Web();
  web.answer = answer;
  return web;
};
/** What a run against these files leaves to be kept. */
const kept = (answer: Answer, folder = HOME): Validators => {
  const result = given(answer).run({ folder });
  if (!result?.ok) throw new Error('nothing to keep');
  return result.value.validators;
};

describe('a download', () => {
  it('asks for each file of the plan over one connection, the next name after a 404', () => {
    const web = given(files({ '/x/a.conf': 'a = 1', '/x/b.conf': 'b = 2' }));
    expect(texts(web.run({ folder: `${HOME}/x/` }))).toEqual({ 'a.conf': 'a = 1', 'b.conf': 'b = 2' });
    expect(web.asked()).toEqual(['/x/a.conf', '/x/B.conf', '/x/b.conf']);
    expect(web.streams.map(({ to, stream }) => [to, stream.state])).toEqual([['192.0.2.10:443', 'ended']]);
    expect(web.kernel.pendingTimers().filter(({ name }) => name !== 'http linger')).toEqual([]);
  });

  it('takes the next address of the name at the next attempt', () => {
    const web = given(files({}));
    web.run({ folder: HOME, attempt: 1 });
    expect(web.streams[0]!.to).toBe('192.0.2.11:443');
  });

  it.each([
    ['nowhere.example.test', 'no such name'],
    ['nothing.example.test', 'nothing.example.test has no address'],
  ])('ends with the name that has no address: %s', (host, detail) => {
    expect(failureOf(given(files({})).run({ folder: `https://${host}` }))).toMatchObject({ stage: 'name', kind: 'not-found', detail });
  });

  it('leaves a pause between its requests where it is told to', () => {
    const web = given(files({ '/a.conf': 'a = 1', '/B.conf': '' }));
    web.run({ folder: HOME, pause: SECOND });
    expect(web.asked()).toEqual(['/a.conf']);
    web.clock.run(SECOND - 100);
    web.serve();
    expect(web.asked()).toHaveLength(1);
    web.clock.run(100);
    web.serve();
    expect(web.asked()).toHaveLength(2);
    expect(web.results).toHaveLength(1);
  });

  it('stopped, it answers nothing and leaves nothing behind', () => {
    for (const moments of [0, 2, 20]) {
      const web = given(() => undefined);
      const stop = web.begin({ folder: HOME, pause: SECOND });
      web.clock.run(moments);
      if (moments === 20) web.serve();
      stop();
      web.serve();
      web.clock.run(10 * MINUTE);
      expect(web.results).toEqual([]);
      expect(web.kernel.pendingTimers()).toEqual([]);
    }
  });

  it('does not wait for ever for a server that drips', () => {
    const web = given(() => undefined);
    web.run({ folder: HOME, plan: Array.from({ length: 8 }, (_, i) => ({ names: [`${i}.conf`] })) });
    web.clock.run(HTTP_LIMITS.silence);
    expect(failureOf(web.results[0])).toMatchObject({ stage: 'download', kind: 'timeout', detail: '0.conf: the server is silent' });
    // Every file comes just in time: it is the sum that ends it.
    const slow = given(() => undefined);
    slow.run({ folder: HOME, plan: Array.from({ length: 30 }, (_, i) => ({ names: [`${i}.conf`] })) });
    for (let i = 0; slow.results.length === 0; i++) {
      if (i > 100) throw new Error('it waits for ever');
      slow.clock.run(HTTP_LIMITS.silence - SECOND);
      slow.streams.at(-1)!.stream.answer(reply(404));
      slow.serve();
    }
    expect(failureOf(slow.results[0])).toMatchObject({ kind: 'timeout', detail: 'the files take too long' });
    expect(slow.clock.now()).toBeLessThanOrEqual(5 * MINUTE + HTTP_LIMITS.silence);
  });
});

describe('what is known is not fetched again', () => {
  const tagged =
    (served: Record<string, string>, tag = (body: string) => `"${body.length}"`): Answer =>
    ({ target, fields }) => {
      const body = served[target];
      if (body === undefined) return reply(404);
      return fields['if-none-match'] === tag(body) ? reply(304, '', { ETag: tag(body) }) : reply(200, body, { ETag: tag(body) });
    };

  it.each([
    ['strong', '"x-1"'],
    ['weak', 'W/"x-1"'],
  ])('by a %s entity tag', (_name, tag) => {
    const answer = tagged({ '/a.conf': 'a = 1' }, () => tag);
    const known = kept(answer);
    expect([...known]).toEqual([[`${HOME}/a.conf`, { etag: tag, sha256: sha256('a = 1') }]]);
    const web = given(answer);
    expect(web.run({ folder: HOME, known })).toEqual({ ok: true, value: { unchanged: true, files: [], validators: known } });
    expect(web.requests.map(({ fields }) => fields['if-none-match'])).toEqual([tag, undefined, undefined]);
  });

  it('by the date of its last change', () => {
    const date = 'Sun, 06 Nov 1994 08:49:37 GMT';
    const answer: Answer = ({ target, fields }) =>
      target !== '/a.conf'
        ? reply(404)
        : fields['if-modified-since'] === date
          ? reply(304)
          : reply(200, 'a = 1', { 'Last-Modified': date });
    const web = given(answer);
    expect(web.run({ folder: HOME, known: kept(answer) })).toMatchObject({ value: { unchanged: true } });
    expect(web.requests[0]!.fields).toMatchObject({ 'if-modified-since': date });
  });

  it('by its content, where the server gives neither, or gives nonsense', () => {
    for (const fields of [{}, { ETag: 'unquoted' }, { ETag: `"${'x'.repeat(200)}"`, 'Last-Modified': 'yesterday' }]) {
      const answer: Answer = ({ target }) => (target === '/a.conf' ? reply(200, 'a = 1', fields) : reply(404));
      const known = kept(answer);
      expect([...known.values()]).toEqual([{ sha256: sha256('a = 1') }]);
      expect(given(answer).run({ folder: HOME, known })).toMatchObject({ value: { unchanged: true, files: [] } });
    }
  });

  it('one change: all are fetched whole, and those that were said to be the same are asked for without a condition', () => {
    const known = kept(tagged({ '/a.conf': 'a = 1', '/b.conf': 'b = 2' }));
    const web = given(tagged({ '/a.conf': 'a = 1', '/b.conf': 'b = 23' }));
    const result = web.run({ folder: HOME, known });
    expect(texts(result)).toEqual({ 'a.conf': 'a = 1', 'b.conf': 'b = 23' });
    expect(result).toMatchObject({ value: { unchanged: false } });
    expect(web.asked()).toEqual(['/a.conf', '/B.conf', '/b.conf', '/a.conf']);
    expect(web.requests.at(-1)!.fields).not.toHaveProperty('if-none-match');
    expect(result?.ok && [...result.value.validators].map(([, { etag }]) => etag)).toEqual(['"5"', '"6"']);
  });

  it('a file that came or went is a change', () => {
    const both = tagged({ '/a.conf': 'a = 1', '/b.conf': 'b = 2' });
    const one = tagged({ '/a.conf': 'a = 1' });
    expect(given(both).run({ folder: HOME, known: kept(one) })).toMatchObject({ value: { unchanged: false } });
    const gone = given(one).run({ folder: HOME, known: kept(both) });
    expect(gone).toMatchObject({ value: { unchanged: false } });
    expect(texts(gone)).toEqual({ 'a.conf': 'a = 1' });
  });

  it('the query of a link that changes with every answer is neither kept nor a change', () => {
    let signature = 0;
    const answer: Answer = ({ target }) =>
      target === '/a.conf'
        ? reply(302, '', { Location: `/link?signature=${++signature}` })
        : target.startsWith('/link')
          ? reply(200, 'a = 1')
          : reply(404);
    const known = kept(answer);
    expect([...known.keys()]).toEqual([`${HOME}/link`]);
    expect(given(answer).run({ folder: HOME, known })).toMatchObject({ value: { unchanged: true } });
  });

  it('what another server calls by the same tag is asked for whole', () => {
    const answer = tagged({ '/a.conf': 'a = 1' });
    const web = given(answer);
    web.run({ folder: 'https://cdn.example.test', known: kept(answer) });
    expect(web.requests[0]!.fields).not.toHaveProperty('if-none-match');
  });

  it('a server that says "as before" unasked is not believed', () => {
    expect(failureOf(given(() => reply(304)).run({ folder: HOME }))).toMatchObject({
      kind: 'unsupported',
      detail: 'a.conf: the server answers 304',
    });
  });
});

describe('redirects', () => {
  it.each([301, 302, 303, 307, 308])('%s is followed, reported, and asked anew each time', (status) => {
    const web = given(({ target }) =>
      target === '/a.conf' ? reply(status, '', { Location: 'real/a.conf?token=secret#x' }) : reply(200, 'a = 1'),
    );
    const result = web.run({ folder: HOME, plan: [{ names: ['a.conf'] }] });
    expect(texts(result)).toEqual({ 'a.conf': 'a = 1' });
    expect(web.asked()).toEqual(['/a.conf', '/real/a.conf?token=secret']);
    expect(web.told('provisioning.redirected')).toEqual([{ from: `${HOME}/a.conf`, to: `${HOME}/real/a.conf?…` }]);
    expect(web.streams).toHaveLength(1);
  });

  it('lead to other servers, each judged by its own name; the connection home is kept', () => {
    const web = given(({ origin, target }) =>
      origin === HOME ? reply(302, '', { Location: `https://cdn.example.test:8443${target}` }) : reply(200, target),
    );
    expect(texts(web.run({ folder: HOME }))).toEqual({ 'a.conf': '/a.conf', 'B.conf': '/B.conf' });
    expect(web.streams.map(({ origin, to }) => `${origin} ${to}`)).toEqual([
      `${HOME} 192.0.2.10:443`,
      'https://cdn.example.test:8443 192.0.2.20:8443',
    ]);
  });

  it('may lead from http to https, and never back', () => {
    const up = given(({ origin }) => (origin.startsWith('http:') ? reply(301, '', { Location: `${HOME}/a.conf` }) : reply(200, 'a = 1')));
    expect(texts(up.run({ folder: 'http://prov.example.test' }))).toMatchObject({ 'a.conf': 'a = 1' });
    for (const Location of ['http://prov.example.test/a.conf', 'tftp://prov.example.test/a.conf', 'ftp://prov.example.test/a.conf']) {
      const down = given(() => reply(301, '', { Location }));
      expect(failureOf(down.run({ folder: HOME }))).toMatchObject({
        stage: 'download',
        kind: 'unsupported',
        detail: `a.conf: the server redirects from https to ${Location}`,
      });
      expect(down.requests).toHaveLength(1);
      expect(down.told('provisioning.redirected')).toEqual([]);
    }
  });

  it.each([
    [{}, /redirects to nowhere: there is no Location/],
    [{ Location: 'mailto:a@b' }, /redirects to nowhere/],
    [{ Location: 'https://user:pw@cdn.example.test/' }, /user and password do not belong/],
  ])('to nowhere: %j', (fields, words) => {
    expect(failureOf(given(() => reply(302, '', fields)).run({ folder: HOME }))?.detail).toMatch(words);
  });

  it('a failure elsewhere says where', () => {
    const web = given(({ origin }) => (origin === HOME ? reply(302, '', { Location: 'https://cdn.example.test/x' }) : reply(403)));
    expect(failureOf(web.run({ folder: HOME }))?.detail).toBe('a.conf at https://cdn.example.test: the server answers 403');
  });

  it('end after five', () => {
    const web = given(({ target }) => reply(302, '', { Location: `${target}x` }));
    expect(failureOf(web.run({ folder: HOME }))).toMatchObject({ detail: expect.stringContaining('more than 5 times') });
    expect(web.requests).toHaveLength(6);
  });

  it('what is known is known of the place that it came from', () => {
    let place = 'one';
    const answer: Answer = ({ target, fields }) => {
      if (!target.startsWith('/place')) return target === '/a.conf' ? reply(302, '', { Location: `/place/${place}` }) : reply(404);
      return fields['if-none-match'] === '"1"' ? reply(304) : reply(200, place, { ETag: '"1"' });
    };
    const known = kept(answer);
    expect([...known.keys()]).toEqual([`${HOME}/place/one`]);
    expect(given(answer).run({ folder: HOME, known })).toMatchObject({ value: { unchanged: true } });
    place = 'two';
    expect(texts(given(answer).run({ folder: HOME, known }))).toEqual({ 'a.conf': 'two' });
  });
});

describe('logins', () => {
  const basic = `Basic ${Buffer.from('prov:p:ss"wörd').toString('base64')}`;
  const behindBasic: Answer = ({ fields }) =>
    fields['authorization'] === basic ? reply(200, 'a = 1') : reply(401, 'who?', { 'WWW-Authenticate': 'Basic realm="x"' });

  /** A server that asks for Digest, and counts what it would take for a repeated count. */
  const behindDigest = (
    web: Web,
    algorithm: 'MD5' | 'SHA-256' | 'SHA-512-256',
    nonces: string[],
    password = CREDENTIALS.password,
  ): Answer => {
    const seen = new Set<string>();
    const challenge = (nonce: string, stale: boolean): string =>
      reply(401, '', {
        'WWW-Authenticate': `Digest realm="r \\"1\\"", nonce="${nonce}", qop="auth", algorithm=${algorithm}${stale ? ', stale=true' : ''}, Basic realm="x"`,
      });
    return ({ target, fields }) => {
      const [nonce = ''] = nonces;
      const [given] = readAuthSchemes(fields['authorization'] ?? '') ?? [];
      if (given?.scheme !== 'digest') return challenge(nonce, false);
      const value = (name: string): string => given.params.get(name) ?? '';
      if (value('nonce') !== nonce) return challenge(nonce, true);
      const counted = { nc: value('nc'), cnonce: value('cnonce') };
      const expected = digestResponse(web.crypto, {
        ...{ algorithm, realm: 'r "1"', method: 'GET', uri: target, nonce, counted },
        user: Buffer.from(CREDENTIALS.user).toString('latin1'),
        password: Buffer.from(password).toString('latin1'),
      });
      if (value('uri') !== target || value('response') !== expected || seen.has(nonce + counted.nc)) return challenge(nonce, false);
      seen.add(nonce + counted.nc);
      return reply(200, 'a = 1');
    };
  };

  it('Basic: after the challenge, and from then on unasked', () => {
    const web = given(behindBasic);
    expect(Object.keys(texts(web.run({ folder: HOME, credentials: CREDENTIALS })))).toEqual(['a.conf', 'B.conf']);
    expect(web.requests.map(({ fields }) => fields['authorization'])).toEqual([undefined, basic, basic]);
    expect(web.told('provisioning.password-exposed')).toEqual([]);
  });

  it('Basic over plain HTTP: said once, without the password', () => {
    const web = given(behindBasic);
    web.run({ folder: 'http://prov.example.test', credentials: CREDENTIALS });
    expect(web.told('provisioning.password-exposed')).toEqual([
      { server: 'http://prov.example.test', mend: expect.stringContaining('https') },
    ]);
    expect(JSON.stringify(web.events)).not.toContain('p:ss');
  });

  it.each(['MD5', 'SHA-256', 'SHA-512-256'] as const)('Digest %s, before Basic, with a count for each request', (algorithm) => {
    const web = new Web();
    web.answer = behindDigest(web, algorithm, ['n1']);
    expect(Object.keys(texts(web.run({ folder: 'http://prov.example.test', credentials: CREDENTIALS })))).toEqual(['a.conf', 'B.conf']);
    const counts = web.requests.map(({ fields }) => /nc=(\w+)/.exec(fields['authorization'] ?? '')?.[1]);
    expect(counts).toEqual([undefined, '00000001', '00000002']);
    expect(web.told('provisioning.password-exposed')).toEqual([]);
  });

  it('a nonce that grew old is replaced; a server that does nothing else is given up', () => {
    const web = new Web();
    const nonces = ['n1'];
    const answer = behindDigest(web, 'SHA-256', nonces);
    web.answer = (request) => {
      if (request.target === '/B.conf') nonces[0] = 'n2';
      return answer(request);
    };
    expect(Object.keys(texts(web.run({ folder: HOME, credentials: CREDENTIALS })))).toEqual(['a.conf', 'B.conf']);
    expect(web.requests).toHaveLength(4);
    let n = 0;
    const stale = given(() => reply(401, '', { 'WWW-Authenticate': `Digest realm="r", nonce="${n++}", qop="auth", stale=true` }));
    expect(failureOf(stale.run({ folder: HOME, credentials: CREDENTIALS }))).toMatchObject({
      kind: 'refused',
      detail: expect.stringContaining('401'),
    });
    expect(stale.requests.length).toBeLessThan(6);
  });

  it.each<[string, (web: Web) => Answer]>([
    ['Basic', () => () => reply(401, '', { 'WWW-Authenticate': 'Basic realm="x"' })],
    ['Digest', (web) => behindDigest(web, 'MD5', ['n'], 'another')],
  ])('%s, wrong: one clear failure, asked twice and no more', (_name, answer) => {
    const web = new Web();
    web.answer = answer(web);
    expect(failureOf(web.run({ folder: HOME, credentials: CREDENTIALS }))).toEqual({
      stage: 'download',
      kind: 'refused',
      detail: 'a.conf: the server answers 401 to the user name and password of this device',
      mend: 'check prov.auth.user and prov.auth.pwd against what the server has',
    });
    expect(web.requests).toHaveLength(2);
  });

  it('without user name and password, or with another scheme', () => {
    expect(failureOf(given(behindBasic).run({ folder: HOME }))).toMatchObject({
      kind: 'refused',
      detail: 'a.conf: the server answers 401: it asks for a user name and password',
      mend: expect.stringMatching(/prov\.auth\.user.*certificate/),
    });
    const ntlm = given(() => reply(401, '', { 'WWW-Authenticate': 'Negotiate' }));
    expect(failureOf(ntlm.run({ folder: HOME, credentials: CREDENTIALS }))?.mend).toContain('Basic or Digest');
    // RFC 7617 part 2: such a name would be read as another one.
    const colon = given(behindBasic);
    expect(failureOf(colon.run({ folder: HOME, credentials: { user: 'a:b', password: 'c' } }))?.mend).toContain('without a colon');
    expect(colon.requests).toHaveLength(1);
  });

  it('go to no other origin, not even to another port of the same host', () => {
    const seen: WebRequest[] = [];
    for (const other of ['https://cdn.example.test', `${HOME}:8443`]) {
      const web = given((request) => {
        if (request.origin !== HOME) seen.push(request);
        if (request.origin === HOME && request.fields['authorization'] === undefined)
          return reply(401, '', { 'WWW-Authenticate': 'Basic realm="x"' });
        return request.origin === HOME
          ? reply(302, '', { Location: `${other}/a.conf` })
          : reply(401, '', { 'WWW-Authenticate': 'Basic realm="x"' });
      });
      expect(failureOf(web.run({ folder: HOME, credentials: CREDENTIALS }))).toMatchObject({
        kind: 'refused',
        detail: `a.conf at ${other}: the server answers 401, and is not the one that was named`,
      });
    }
    expect(seen.map(({ fields }) => fields['authorization'])).toEqual([undefined, undefined]);
  });
});

describe('companions', () => {
  const FILE = 'sip.u1.user = 101\n';
  const web = (companion?: string): Web =>
    given(files({ '/a.conf': FILE, ...(companion === undefined ? {} : { '/a.conf.md5': companion }) }));

  it.each([
    `${md5(FILE)}  a.conf\n`,
    md5(FILE),
    `${md5(FILE).toUpperCase()}\r\n`,
    `\n${md5(FILE)} *a.conf`,
    `\\${md5(FILE)}  a\\\\b.conf\n`,
  ])('right: %j', (companion) => {
    const right = web(companion);
    expect(texts(right.run({ folder: HOME, md5: 'use' }))).toEqual({ 'a.conf': FILE });
    expect(right.asked()).toEqual(['/a.conf', '/B.conf', '/b.conf', '/a.conf.md5']);
    expect(texts(web(companion).run({ folder: HOME, md5: 'require' }))).toEqual({ 'a.conf': FILE });
  });

  it('wrong: nothing is handed over, whoever asked for it', () => {
    for (const mode of ['use', 'require'] as const) {
      expect(failureOf(web(`${md5('other')}  a.conf`).run({ folder: HOME, md5: mode }))).toEqual({
        stage: 'integrity',
        kind: 'other',
        detail: `a.conf: its MD5 is ${md5(FILE)}, and a.conf.md5 says ${md5('other')}`,
        mend: 'put the two on the server together: md5sum a.conf > a.conf.md5',
      });
    }
    expect(failureOf(web('<html>').run({ folder: HOME, md5: 'use' }))?.detail).toBe('a.conf: a.conf.md5 does not begin with an MD5 digest');
  });

  it('missing: taken, unless it is required', () => {
    expect(texts(web().run({ folder: HOME, md5: 'use' }))).toEqual({ 'a.conf': FILE });
    expect(failureOf(web().run({ folder: HOME, md5: 'require' }))).toMatchObject({ stage: 'integrity', kind: 'not-found' });
    const off = web(md5('other'));
    expect(texts(off.run({ folder: HOME }))).toEqual({ 'a.conf': FILE });
    expect(off.asked()).not.toContain('/a.conf.md5');
  });

  it('are not asked for when nothing has changed', () => {
    const known = kept(files({ '/a.conf': FILE }));
    const again = web(md5(FILE));
    expect(again.run({ folder: HOME, md5: 'require', known })).toMatchObject({ value: { unchanged: true } });
    expect(again.asked()).not.toContain('/a.conf.md5');
  });
});

describe('answers that are no file', () => {
  it.each<[string, Answer, object]>([
    ['403', () => reply(403), { kind: 'refused', detail: 'a.conf: the server answers 403' }],
    ['407', () => reply(407), { kind: 'unsupported' }],
    ['300', () => reply(300), { kind: 'unsupported' }],
    ['206', () => reply(206, 'a ='), { kind: 'other' }],
    ['500 with a long page', () => reply(500, 'x'.repeat(100_000)), { kind: 'other', detail: 'a.conf: the server answers 500' }],
    ['too big', () => reply(200, 'x'.repeat(64 * 1024 + 1)), { kind: 'too-big', mend: expect.stringContaining('64 KiB') }],
    [
      'gzip',
      () => reply(200, 'x', { 'Content-Encoding': 'gzip' }),
      { kind: 'unsupported', detail: 'a.conf: the server sends it as gzip, unasked' },
    ],
    ['gzip below chunks', () => 'HTTP/1.1 200 X\r\nTransfer-Encoding: gzip, chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n', { kind: 'unsupported' }],
    ['cut short', () => 'HTTP/1.1 200 X\r\nContent-Length: 10\r\n\r\nabc', { kind: 'timeout', detail: 'a.conf: the server is silent' }],
    ['no HTTP', () => 'SSH-2.0-OpenSSH\r\n', { kind: 'other' }],
    ['reset', () => ({ kind: 'reset', detail: 'reset by peer' }), { kind: 'reset', detail: 'a.conf: reset by peer' }],
  ])('%s', (_name, answer, expected) => {
    const web = given(answer);
    web.run({ folder: HOME });
    web.clock.run(HTTP_LIMITS.silence);
    expect(failureOf(web.results[0])).toMatchObject({ stage: 'download', mend: expect.stringMatching(/.{10}/), ...expected });
    expect(web.results).toHaveLength(1);
  });

  it('64 KiB is not too big, and a long 404 is a 404', () => {
    const web = given(({ target }) => (target === '/b.conf' ? reply(200, 'x'.repeat(64 * 1024)) : reply(404, 'x'.repeat(200_000))));
    expect(texts(web.run({ folder: HOME }))['b.conf']).toHaveLength(64 * 1024);
  });

  it('410 is as good as 404', () => {
    expect(failureOf(given(() => reply(410)).run({ folder: HOME }))).toMatchObject({
      stage: 'download',
      kind: 'not-found',
      mend: 'put a.conf or B.conf on the server',
    });
  });

  it('tell when the server wants to be asked again', () => {
    const at = { Date: 'Sun, 06 Nov 1994 08:49:37 GMT' };
    const wait = (status: number, fields: Record<string, string>): number | undefined =>
      failureOf(given(() => reply(status, '', fields)).run({ folder: HOME }))?.retryAfter;
    expect(wait(503, { 'Retry-After': '120' })).toBe(2 * MINUTE);
    expect(wait(429, { 'Retry-After': 'Sun, 06 Nov 1994 08:50:37 GMT', ...at })).toBe(MINUTE);
    expect(wait(503, { 'Retry-After': 'Sun, 06 Nov 1994 08:00:00 GMT', ...at })).toBe(0);
    expect(wait(503, { 'Retry-After': 'Sun, 06 Nov 1994 08:50:37 GMT' })).toBeUndefined();
    expect(wait(503, { 'Retry-After': 'soon' })).toBeUndefined();
    expect(wait(503, {})).toBeUndefined();
  });
});
