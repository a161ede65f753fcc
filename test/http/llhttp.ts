/** llhttp's own test suite as data: the messages that it saw in an input, told by the offsets of its log, and how it ended. */
import { concat, EMPTY, fromLatin1, latin1, utf8 } from '../../hal/base/bytes.js';
import { readSharedJson } from '../support/shared.js';

interface Raw {
  name: string;
  type: string;
  input_b64: string;
  error: { code: number; reason: string } | null;
  log: readonly string[];
}

export interface SeenMessage {
  /** `GET /path`, or the status. */
  start: string;
  /** `Name: value`, without the white space around the value, which is no part of it (RFC 9112 part 5.1); trailers are not among them. */
  fields: readonly string[];
  body: string;
}

export interface Case {
  name: string;
  input: Uint8Array;
  /** Messages that it completed. */
  messages: readonly SeenMessage[];
  /** A last one whose head it completed, and whose body ends with the connection. */
  open: SeenMessage | undefined;
  /** It refused the input, after those messages. */
  refused: boolean;
  /** It left the input at CONNECT, or at an upgrade: what follows is another protocol. */
  left: boolean;
  /** Whether it may end there, where the case asks. */
  mayEnd: boolean | undefined;
}

/** HPE_PAUSED_UPGRADE of llhttp. */
const PAUSED_UPGRADE = 22;
const FLAG_CHUNKED = 8;

export const llhttpCases = (...types: readonly string[]): Case[] =>
  readSharedJson<{ cases: Raw[] }>('suites/http-llhttp.json')
    .cases.filter(({ type }) => types.includes(type))
    .map(readCase);

/** A message as its log lines tell it. */
interface Telling {
  method: string;
  target: string;
  status: string | undefined;
  fields: [string, string][];
  body: string;
  head: { chunked: boolean; length: number } | undefined;
  lastChunk: boolean;
  complete: boolean;
}
const untold = (): Telling => ({
  ...{ method: '', target: '', status: undefined, fields: [], body: '' },
  ...{ head: undefined, lastChunk: false, complete: false },
});

function readCase({ name, input_b64, error, log }: Raw): Case {
  // The offsets count the octets of UTF-8, of which the fixtures have made one for each character.
  const given = utf8(latin1(Uint8Array.from(Buffer.from(input_b64, 'base64'))));
  // The fixtures have lost the line ends at their end; the offsets tell how many.
  const end = Math.max(...log.map((line) => Number(/off=(\d+)/.exec(line)?.[1] ?? 0) + Number(/ len=(\d+) span/.exec(line)?.[1] ?? 0)));
  let input = concat(given, fromLatin1('\r\n\r\n'.slice(0, Math.max(0, end - given.length))));
  const all = tell(input, log);
  const left = error?.code === PAUSED_UPGRADE;
  const last = all.at(-1)!;
  const refused = error !== null && !left;
  // A head that is wrong is refused at its end, which the fixture may not have.
  if (refused) input = concat(input, fromLatin1('\r\n\r\n'));
  else if (!left && last.head && !last.complete) input = concat(input, completion(last));
  const messages = all.filter(({ complete }) => complete).map(seen);
  const finish = /finish=(\d)/.exec(log.at(-1)!)?.[1];
  return {
    ...{ name, input, messages, refused, left },
    open: !refused && last.head && !last.complete ? seen(last) : undefined,
    mayEnd: finish === undefined ? undefined : finish === '0',
  };
}

function tell(input: Uint8Array, log: readonly string[]): Telling[] {
  const all = [untold()];
  let named = false;
  for (const line of log) {
    const now = all.at(-1)!;
    const [, off = '0', length, kind] = /off=(\d+)(?: len=(\d+) span\[(\w+)\])?/.exec(line) ?? [];
    const text = length === undefined ? '' : latin1(input, Number(off), Number(off) + Number(length));
    if (kind === 'method') now.method += text;
    if (kind === 'url') now.target += text;
    if (kind === 'body') now.body += text;
    if (kind === 'header_field' && !now.head) {
      if (named) now.fields.at(-1)![0] += text;
      else now.fields.push([text, '']);
      named = true;
    }
    if (kind === 'header_value' && !now.head) now.fields.at(-1)![1] += text;
    if (line.includes('header_field complete')) named = false;
    const head = /headers complete .*v=\d\/\d flags=(\w+) content_length=(\d+)/.exec(line);
    if (head) {
      now.head = { chunked: (Number.parseInt(head[1]!, 16) & FLAG_CHUNKED) !== 0, length: Number(head[2]) };
      now.status = / status=(\d+)/.exec(line)?.[1];
    }
    if (line.endsWith('chunk header len=0')) now.lastChunk = true;
    if (line.endsWith('message complete')) now.complete = true;
    if (line.endsWith(' reset')) all.push(untold());
  }
  return all;
}

const seen = ({ method, target, status, fields, body }: Telling): SeenMessage => ({
  start: status ?? `${method} ${target}`,
  fields: fields.map(([name, value]) => `${name}: ${value.replace(/^[ \t]+|[ \t]+$/g, '')}`),
  body,
});

/** What the fixture leaves out of a last body, so that the head comes out of ours; the body of the telling gets it too. */
function completion(last: Telling): Uint8Array {
  const { head, body, lastChunk } = last;
  if (head!.chunked) return fromLatin1(lastChunk ? '\r\n' : '0\r\n\r\n');
  const missing = 'x'.repeat(Math.max(0, head!.length - body.length));
  last.body += missing;
  return missing === '' ? EMPTY : fromLatin1(missing);
}
