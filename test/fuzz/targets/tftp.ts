/** What TFTP servers, and strangers, send: single packets, and whole transfers. */
import { decodeTftp, encodeTftp, type TftpPacket } from '../../../core/provisioning/tftp.codec.js';
import { TftpReader } from '../../../core/provisioning/tftp.engine.js';
import { concat, putU16, u16 } from '../../../hal/base/bytes.js';
import { MILLISECOND, SECOND } from '../../../hal/base/time.js';
import { type Draw, mutate } from '../../support/mutation.js';
import type { Target } from '../hunt.js';
import { holds, same, tokens } from './support.js';

const FILE_MAX = 8192;
const BLOCK = 1428;

const AGREED = encodeTftp({
  type: 'options',
  options: new Map([
    ['blksize', String(BLOCK)],
    ['tsize', '3000'],
    ['timeout', '1'],
  ]),
});
const block = (number: number, length: number): Uint8Array =>
  encodeTftp({ type: 'data', block: number, data: new Uint8Array(length).fill(0x61) });
const ERROR = encodeTftp({ type: 'error', code: 8, message: 'no options here' });
const TOKENS = tokens('\0', '\0\0', 'blksize\0', 'tsize\0', '65464\0', '8\0', '\0\x03', '\0\x06', '\xff\xff', '\0\x01');

const packet: Target = {
  name: 'tftp packet',
  samples: [AGREED, block(1, 64), ERROR, encodeTftp({ type: 'ack', block: 7 })],
  tokens: TOKENS,
  read(input) {
    const decoded = decodeTftp(input);
    if (!decoded) return false;
    const again = decodeTftp(encodeTftp(decoded));
    holds(again !== undefined && isSame(again, decoded), 'what is written is read again');
    return true;
  },
};

function isSame(a: TftpPacket, b: TftpPacket): boolean {
  if (a.type === 'data' && b.type === 'data') return a.block === b.block && same(a.data, b.data);
  const text = (packet: TftpPacket): string => JSON.stringify({ ...packet, options: 'options' in packet ? [...packet.options] : [] });
  return text(a) === text(b);
}

/** Datagrams one behind the other: a length in two octets before each. */
const framed = (...datagrams: readonly Uint8Array[]): Uint8Array => {
  const length = (octets: number): Uint8Array => {
    const out = new Uint8Array(2);
    putU16(out, 0, octets);
    return out;
  };
  return concat(...datagrams.flatMap((datagram) => [length(datagram.length), datagram]));
};

function unframed(input: Uint8Array): Uint8Array[] {
  const datagrams: Uint8Array[] = [];
  for (let at = 0; at + 2 <= input.length; at += 2 + u16(input, at)) datagrams.push(input.subarray(at + 2, at + 2 + u16(input, at)));
  return datagrams;
}

/** Another order, one lost, one twice, one changed. */
function disturbed(input: Uint8Array, random: Draw): Uint8Array {
  const datagrams = unframed(input);
  for (let left = 1 + random(3); left > 0 && datagrams.length > 0; left--) {
    const at = random(datagrams.length);
    const [one] = datagrams.splice(at, 1) as [Uint8Array];
    const kind = random(4);
    if (kind === 1) datagrams.splice(random(datagrams.length + 1), 0, one);
    else if (kind === 2) datagrams.splice(at, 0, one, one);
    else if (kind === 3) datagrams.splice(at, 0, mutate(one, random, TOKENS));
  }
  return framed(...datagrams);
}

const SERVER = 2000;

const transfer: Target = {
  name: 'tftp transfer',
  samples: [
    framed(AGREED, block(1, BLOCK), block(2, BLOCK), block(3, 144)),
    framed(block(1, 512), block(2, 512), block(3, 0)),
    framed(ERROR, block(1, 512), block(2, 8)),
    framed(encodeTftp({ type: 'options', options: new Map([['blksize', '8']]) }), ...[1, 2, 3, 4].map((n) => block(n, n === 4 ? 3 : 8))),
  ],
  restructure: disturbed,
  read(input, random) {
    const reader = new TftpReader('algop8301.conf', FILE_MAX);
    // Hears the same, in octets that stay.
    const twin = new TftpReader('algop8301.conf', FILE_MAX);
    let now = 0;
    let sent = reader.start(now).length;
    twin.start(now);
    for (const datagram of unframed(input)) {
      now += random(4) === 0 ? 2 * SECOND : random(200) * MILLISECOND;
      if (now >= reader.due && [reader, twin].map((each) => each.elapsed(now).type).includes('failed')) return false;
      const from = random(16) === 0 ? SERVER + 1 : SERVER;
      const given = datagram.slice();
      const step = reader.receive(given, from, now);
      // Law 6: the octets of a datagram are the port's again after the call.
      given.fill(0);
      const other = twin.receive(datagram, from, now);
      if ('send' in step && step.send) sent += step.send.length;
      holds(sent <= 128 * (1 + input.length), 'an answer is bounded by what it answers');
      if (step.type === 'file') {
        holds(step.bytes.length <= FILE_MAX, 'a file is bounded');
        holds(other.type === 'file' && same(step.bytes, other.bytes), 'a file is of its own octets');
        return true;
      }
      if (step.type !== 'wait' && step.type !== 'stranger') return false;
    }
    return false;
  },
};

export const tftpTargets: readonly Target[] = [packet, transfer];
