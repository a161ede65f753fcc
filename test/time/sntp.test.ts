import { describe, expect, it } from 'vitest';
import { decodeSntpReply, encodeSntpRequest } from '../../core/time/sntp.codec.js';
import { SntpQuestion } from '../../core/time/sntp.engine.js';
import { fromHex, hex } from '../../hal/base/bytes.js';
import { iso8601, MILLISECOND, SECOND } from '../../hal/base/time.js';
import { date, testEntropy } from '../certs/support.js';
import { fuzz } from '../support/mutation.js';
import { serverReply } from './server.js';

const NOW = date('2026-06-01');

describe('SNTP packets', () => {
  it('a request holds version, mode and a random timestamp, and nothing else', () => {
    const nonce = fromHex('0102030405060708')!;
    expect(hex(encodeSntpRequest(nonce))).toBe(`23${'00'.repeat(39)}0102030405060708`);
  });

  it.each([
    ['83aa7e8000000000', '1970-01-01T00:00:00.000Z', 0],
    ['83aa7e8080000000', '1970-01-01T00:00:00.500Z', 0],
    ['ffffffffffffffff', '2036-02-07T06:28:15.999Z', 999],
    ['0000000000000001', '2036-02-07T06:28:16.000Z', 0],
    ['80000000 00000000'.replace(' ', ''), '1968-01-20T03:14:08.000Z', 0],
  ])('timestamp %s is %s: the era turns in 2036', (stamp, text, micros) => {
    const packet = new Uint8Array(48);
    packet.set(fromHex(stamp)!, 40);
    const { transmit } = decodeSntpReply(packet)!;
    expect([iso8601(transmit.at), transmit.micros]).toEqual([text, micros]);
  });

  it('readers of hostile octets never throw', () => {
    const question = new SntpQuestion(testEntropy(), 0);
    fuzz(
      [serverReply(question.request, NOW), serverReply(question.request, NOW, { kiss: 'RATE' })],
      20_000,
      (input) => void question.read(input, 5),
    );
  });
});

describe('an answer', () => {
  const ask = () => new SntpQuestion(testEntropy(), 1_000_000);
  const read = (question: SntpQuestion, more: Parameters<typeof serverReply>[2] = {}, at = 1_000_000 + 20 * MILLISECOND) =>
    question.read(serverReply(question.request, NOW, more), at);

  it('is the server’s time and half the way there and back', () => {
    expect(read(ask())).toEqual({ type: 'time', at: NOW + 10 });
    expect(read(ask(), { held: 12 })).toEqual({ type: 'time', at: NOW + 12 + 4 });
    // A server that says it took longer than we waited gains nothing by it.
    expect(read(ask(), { held: 5000 })).toEqual({ type: 'time', at: NOW + 5000 });
  });

  it.each<[string, object, object]>([
    ['to another question', { originate: new Uint8Array(8) }, { type: 'ignored' }],
    ['of a client', { mode: 3 }, { type: 'ignored' }],
    ['from a server without time', { leap: 3 }, { type: 'useless' }],
    ['of stratum 16', { stratum: 16 }, { type: 'useless' }],
    ['without a timestamp', { zero: true }, { type: 'useless' }],
    ['that begs for less', { kiss: 'RATE' }, { type: 'kiss', code: 'RATE', never: false }],
    ['that forbids', { kiss: 'DENY' }, { type: 'kiss', code: 'DENY', never: true }],
  ])('%s is no time', (_what, reply, expected) => expect(read(ask(), reply)).toMatchObject(expected));

  it('cut short is ignored', () => {
    const question = ask();
    expect(question.read(serverReply(question.request, NOW).slice(0, 47), 2 * SECOND)).toMatchObject({ type: 'ignored' });
  });
});
