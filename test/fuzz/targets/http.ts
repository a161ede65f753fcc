/** What HTTP servers and clients send, in any pieces: answers, requests, chunks; and addresses, dates, challenges, companions of files. */
import { readChallenge } from '../../../core/auth/digest.js';
import { readAuthSchemes } from '../../../core/auth/scheme.codec.js';
import { ChunkedReader } from '../../../core/http/chunked.engine.js';
import { readHttpDate } from '../../../core/http/date.codec.js';
import { RequestReader, type RequestResult } from '../../../core/http/request.engine.js';
import { ResponseReader, type ResponseResult } from '../../../core/http/response.engine.js';
import { formatUrl, inFolder, parseUrl, resolveReference } from '../../../core/http/url.js';
import { readMd5 } from '../../../core/provisioning/md5.codec.js';
import { concat, fromLatin1, latin1 } from '../../../hal/base/bytes.js';
import { expectOk } from '../../../hal/base/result.js';
import type { Target } from '../hunt.js';
import { holds, lines, pieces, same, tokens } from './support.js';

const BODY_MAX = 4096;

const FRAMING = tokens(
  '\r\n',
  '\r\n\r\n',
  'HTTP/1.1 ',
  'HTTP/1.0 100 Continue\r\n\r\n',
  'Content-Length: 5\r\n',
  'Transfer-Encoding: chunked\r\n',
  'transfer-encoding: gzip, chunked\r\n',
  'Connection: close\r\n',
  '0\r\n\r\n',
  '5;a="b"\r\nhello\r\n',
);

const CHUNKS = lines('5;name=value;other="a \\"b\\""', 'hello', '06', ' world', '0', 'X-Trailer: 1', '', '');

const response: Target = {
  name: 'http response',
  samples: [
    lines('HTTP/1.1 200 OK', 'Content-Length: 5', 'ETag: "x"', 'Content-MD5: Q2hlY2s=', '', 'hello'),
    concat(lines('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked', 'Connection: keep-alive', '', ''), CHUNKS),
    lines('HTTP/1.1 100 Continue', '', 'HTTP/1.1 304 Not Modified', 'Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT', '', ''),
    lines('HTTP/1.0 401 Unauthorized', 'WWW-Authenticate: Digest realm="r", nonce="n", qop="auth"', '', 'who are you?'),
  ],
  tokens: FRAMING,
  read(input, random) {
    const whole = new ResponseReader(BODY_MAX).push(input);
    const reader = new ResponseReader(BODY_MAX);
    let result: ResponseResult = { type: 'more' };
    for (const piece of pieces(input, random)) if (result.type === 'more') result = reader.push(piece);
    holds(result.type === whole.type, 'pieces end as the whole does');
    if (whole.type === 'more') holds(typeof reader.end().type === 'string', 'the end of the stream is understood');
    if (whole.type !== 'response' || result.type !== 'response') return false;
    holds(same(result.response.body, whole.response.body) && result.response.status === whole.response.status, 'pieces say the same');
    holds(whole.response.body.length <= BODY_MAX, 'the body is bounded');
    return true;
  },
};

/** The requests that come in these pieces, and how it ended: each is answered at once. */
function requestsIn(parts: Iterable<Uint8Array>): { requests: string[]; end: string } {
  const reader = new RequestReader(BODY_MAX);
  const requests: string[] = [];
  for (const part of parts) {
    for (let rest: Uint8Array | undefined = part; rest; ) {
      const result: RequestResult = reader.push(rest);
      if (result.type === 'error') return { requests, end: 'error' };
      rest = undefined;
      if (result.type !== 'request') continue;
      const { request, keepAlive } = result;
      holds(request.body.length <= BODY_MAX && result.rest.length <= part.length, 'a request is bounded');
      requests.push(JSON.stringify([request.method, request.target, request.fields, latin1(request.body)]));
      if (!keepAlive) return { requests, end: 'close' };
      if (result.rest.length > 0) rest = result.rest;
    }
  }
  return { requests, end: 'more' };
}

const request: Target = {
  name: 'http requests',
  samples: [
    lines('GET /control HTTP/1.1', 'Host: 192.0.2.7', '', 'GET /api/info HTTP/1.1', 'Host: a.test', 'Connection: close', '', ''),
    lines('POST /api/put HTTP/1.1', 'Host: a.test', 'Content-Length: 5', 'Expect: 100-continue', '', 'helloHEAD * HTTP/1.0', '', ''),
    concat(lines('PUT http://a.test/x HTTP/1.1', 'Host: a.test', 'Transfer-Encoding: chunked', '', ''), CHUNKS),
  ],
  tokens: [...FRAMING, ...tokens('GET / HTTP/1.1\r\n', 'Host: \r\n', 'Expect: 100-continue\r\n', 'OPTIONS *', 'CONNECT a:1')],
  read(input, random) {
    const whole = requestsIn([input]);
    const split = requestsIn(pieces(input, random));
    holds(whole.end === split.end && whole.requests.join() === split.requests.join(), 'pieces say the same');
    return whole.requests.length > 0;
  },
};

/** The body and how it ended, of what comes in these pieces. */
function unchunk(parts: Iterable<Uint8Array>): { end: string; body: Uint8Array } {
  const reader = new ChunkedReader();
  const body: Uint8Array[] = [];
  for (const part of parts) {
    for (let at = 0; at < part.length; ) {
      const result = reader.read(part, at);
      if (result.type === 'complete' || result.type === 'error') return { end: result.type, body: concat(...body) };
      if (result.type === 'more') break;
      holds(result.next > at, 'a read goes on');
      body.push(result.body);
      at = result.next;
    }
  }
  return { end: 'more', body: concat(...body) };
}

const chunked: Target = {
  name: 'http chunks',
  samples: [CHUNKS, lines('1a', 'abcdefghijklmnopqrstuvwxyz', '0', '', ''), lines('00000003 ; x', 'abc', '0;y', '', '')],
  tokens: FRAMING,
  read(input, random) {
    const whole = unchunk([input]);
    const split = unchunk(pieces(input, random));
    holds(whole.end === split.end && same(whole.body, split.body), 'pieces say the same');
    return whole.end === 'complete';
  },
};

const BASE = expectOk(parseUrl('https://prov.example.test/config/a.conf?x=1'), 'base');

const url: Target = {
  name: 'url',
  samples: ['https://prov.example.test:8443/a/b?c=d', 'tftp://[2001:db8::1]/x', 'http://192.0.2.7/%20', '../x/./y/../z?q', '//h/..'].map(
    fromLatin1,
  ),
  tokens: tokens('http://', 'https://', '//', '/../', '/./', '%2e', '%', '?', '#', '@', '[', ']', ':', ':0'),
  read(input) {
    const text = latin1(input);
    for (const read of [parseUrl(text), resolveReference(BASE, text)]) {
      if (!read.ok) continue;
      holds(formatUrl(expectOk(parseUrl(formatUrl(read.value)), 'again')) === formatUrl(read.value), 'what was written is read again');
      holds(/^\/[!-~]*$/.test(read.value.path) && /^[!-~]+$/.test(read.value.host), 'an address has no blanks and no ends of lines');
      expectOk(parseUrl(formatUrl(inFolder(read.value, 'algop8301.conf')).slice(0, 2048)), 'a file in its folder');
    }
    return parseUrl(text).ok;
  },
};

const date: Target = {
  name: 'http date',
  samples: ['Sun, 06 Nov 1994 08:49:37 GMT', 'Sunday, 06-Nov-94 08:49:37 GMT', 'Sun Nov  6 08:49:37 1994'].map(fromLatin1),
  tokens: tokens('Sun, ', ' GMT', '31', 'Feb', '60', '24'),
  read(input) {
    const at = readHttpDate(latin1(input));
    holds(at === undefined || Number.isSafeInteger(at), 'a date is a number');
    return at !== undefined;
  },
};

const challenge: Target = {
  name: 'challenge',
  samples: [
    'Digest realm="a \\"b\\"", nonce="n==", qop="auth,auth-int", algorithm=SHA-256, opaque=x, stale=TRUE, Basic realm="c"',
    'Negotiate, NTLM abc==, Basic realm=x, charset="UTF-8"',
    'Digest realm="r",nonce="n",algorithm=MD5-sess,domain="/a /b"',
  ].map(fromLatin1),
  tokens: tokens('"', '\\"', ', ', '=', '==', 'Digest ', 'Basic ', 'qop=', ',,,', ' ', '\t'),
  read(input) {
    const schemes = readAuthSchemes(latin1(input));
    for (const scheme of schemes ?? []) {
      holds(/^[!-~]+$/.test(scheme.scheme), 'a scheme is a token');
      readChallenge(scheme);
    }
    return schemes !== undefined;
  },
};

const md5: Target = {
  name: 'md5 companion',
  samples: ['d41d8cd98f00b204e9800998ecf8427e  algop8301.conf\n', '\\D41D8CD98F00B204E9800998ECF8427E *a\\nb'].map(fromLatin1),
  tokens: tokens('\n', '\\', ' ', '\ufeff', '0123456789abcdef'),
  read(input) {
    const digest = readMd5(input);
    holds(digest === undefined || /^[0-9a-f]{32}$/.test(digest), 'a digest has 32 digits');
    return digest !== undefined;
  },
};

export const httpTargets: readonly Target[] = [response, request, chunked, url, date, challenge, md5];
