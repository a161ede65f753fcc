import { describe, expect, it } from 'vitest';
import { decodeTftp, encodeTftp } from '../../core/provisioning/tftp.codec.js';
import { TftpReader, type TftpStep } from '../../core/provisioning/tftp.engine.js';
import { EMPTY, latin1 } from '../../hal/base/bytes.js';
import { MILLISECOND, SECOND } from '../../hal/base/time.js';
import { fuzz, randomFrom } from '../support/mutation.js';
import { packet, type TftpServerLike, TftpTransfer, told } from './tftp-peer.js';

const MAX = 64 * 1024;
const bytesOf = (size: number): Uint8Array => Uint8Array.from({ length: size }, (_, i) => (i * 7) & 0xff);
/** Long enough after the last packet that a doubled one is not taken for an echo. */
const LATER = SECOND / 2;

const said = (step: TftpStep): string => {
  const send = 'send' in step && step.send ? ` ${told(step.send)}` : '';
  if (step.type === 'failed') return `failed ${step.error.kind}: ${step.error.detail}${send}`;
  if (step.type === 'refused') return `refused ${step.code} ${step.words}`;
  return step.type === 'file' ? `file of ${step.bytes.length}${send}` : `${step.type}${send}`;
};

describe('TFTP packets', () => {
  it('are read and written as RFC 1350 and RFC 2347 have them', () => {
    const request = encodeTftp({ type: 'read', file: 'a.conf', options: new Map([['blksize', '1428']]) });
    expect(latin1(request)).toBe('\0\x01a.conf\0octet\0blksize\x001428\0');
    expect(decodeTftp(packet(3, 258, Uint8Array.of(1, 2)))).toEqual({ type: 'data', block: 258, data: Uint8Array.of(1, 2) });
    expect(decodeTftp(packet(4, 65535))).toEqual({ type: 'ack', block: 65535 });
    expect(decodeTftp(packet(5, 1, 'File not found'))).toEqual({ type: 'error', code: 1, message: 'File not found' });
    expect(decodeTftp(packet(5, 1, Uint8Array.of(0x78)))).toEqual({ type: 'error', code: 1, message: 'x' });
    expect(decodeTftp(packet(6, 'BLKSIZE', '1428', 'tsize', '5'))).toEqual({
      type: 'options',
      options: new Map([
        ['blksize', '1428'],
        ['tsize', '5'],
      ]),
    });
  });

  it.each([
    ['nothing', EMPTY],
    ['a piece', Uint8Array.of(0, 3, 0)],
    ['a request', packet(1, 'a', 'octet')],
    ['a write', packet(2, 'a', 'octet')],
    ['an unknown opcode', packet(9, 'a', 'b')],
    ['an option without a value', packet(6, 'blksize')],
    ['an option without its end', packet(6, 'blksize', Uint8Array.of(0x31))],
    ['an option twice', packet(6, 'tsize', '1', 'TSIZE', '2')],
    ['options without end', packet(6, ...Array.from({ length: 40 }, (_, i) => `o${i}`))],
  ])('%s is none for a client', (_name, bytes) => expect(decodeTftp(bytes)).toBeUndefined());

  it('never throws, and writes again what it read', () => {
    const samples = [packet(3, 1, bytesOf(20)), packet(4, 1), packet(5, 1, 'File not found'), packet(6, 'blksize', '1428', 'tsize', '5')];
    fuzz(samples, 20_000, (input) => {
      const read = decodeTftp(input);
      if (read) expect(decodeTftp(encodeTftp(read))).toEqual(read);
    });
  });
});

describe('a TFTP transfer', () => {
  const begun = (now = 0): TftpReader => {
    const reader = new TftpReader('dir/a.conf', MAX);
    expect(told(reader.start(now))).toBe('READ dir/a.conf blksize=1428 tsize=0 timeout=1');
    return reader;
  };

  it('with options: they are acknowledged, then block by block', () => {
    const reader = begun();
    expect(said(reader.receive(packet(6, 'blksize', '1000', 'tsize', '1500', 'timeout', '1'), 3000, 1))).toBe('wait ACK 0');
    expect(reader.port).toBe(3000);
    expect(said(reader.receive(packet(3, 1, bytesOf(1000)), 3000, 2))).toBe('wait ACK 1');
    const last = reader.receive(packet(3, 2, bytesOf(500)), 3000, 3);
    expect(said(last)).toBe('file of 1500 ACK 2');
  });

  it('with a server that knows no options: 512 octets a block', () => {
    const reader = begun();
    expect(said(reader.receive(packet(3, 1, bytesOf(512)), 3000, 1))).toBe('wait ACK 1');
    expect(said(reader.receive(packet(3, 2, EMPTY), 3000, 2))).toBe('file of 512 ACK 2');
    expect(said(begun().receive(packet(3, 1, EMPTY), 3000, 1))).toBe('file of 0 ACK 1');
  });

  it('with a server that refuses options: asked again without', () => {
    const reader = begun();
    expect(said(reader.receive(packet(5, 8, 'no options'), 3000, 1))).toBe('wait READ dir/a.conf');
    expect(reader.port).toBeUndefined();
    expect(said(reader.receive(packet(3, 1, bytesOf(3)), 3001, 2))).toBe('file of 3 ACK 1');
    const twice = begun();
    twice.receive(packet(5, 8, 'no'), 3000, 1);
    expect(said(twice.receive(packet(5, 8, 'no!'), 3000, 2))).toBe('refused 8 no!');
  });

  it.each([
    ['an option that was not asked for', ['windowsize', '4']],
    ['a larger block', ['blksize', '1429']],
    ['no block at all', ['blksize', '7']],
    ['nonsense', ['blksize', '1e3']],
    ['a size that is none', ['tsize', '-1']],
    ['another timeout', ['timeout', '9']],
  ])('a server that grants %s is told so', (_name, options) => {
    expect(said(begun().receive(packet(6, ...options), 3000, 1))).toBe(
      'failed other: the server agrees to options that it was not asked for ERROR 8 options',
    );
  });

  it('a block that comes again is acknowledged again, but not its echo', () => {
    const reader = begun();
    const first = packet(3, 1, bytesOf(512));
    reader.receive(first, 3000, 1);
    expect(said(reader.receive(first, 3000, 2))).toBe('wait');
    expect(said(reader.receive(first, 3000, LATER))).toBe('wait ACK 1');
    expect(said(reader.receive(first, 3000, LATER + 1))).toBe('wait');
    expect(said(reader.receive(packet(3, 3, bytesOf(512)), 3000, 2 * LATER))).toBe('wait');
    expect(said(reader.receive(packet(3, 2, bytesOf(1)), 3000, 2 * LATER))).toBe('file of 513 ACK 2');
    // The last acknowledgement may be lost, too.
    expect(said(reader.receive(packet(3, 2, bytesOf(1)), 3000, 3 * LATER))).toBe('wait ACK 2');
  });

  it('options that come again are acknowledged again, but not their echo', () => {
    const reader = begun();
    const options = packet(6, 'tsize', '600');
    reader.receive(options, 3000, 1);
    expect(said(reader.receive(options, 3000, 2))).toBe('wait');
    expect(said(reader.receive(options, 3000, LATER))).toBe('wait ACK 0');
    reader.receive(packet(3, 1, bytesOf(512)), 3000, LATER + 1);
    expect(said(reader.receive(options, 3000, 3 * LATER))).toBe('wait');
  });

  it('a stranger is told so, and disturbs nothing; errors are not answered with errors', () => {
    const reader = begun();
    reader.receive(packet(3, 1, bytesOf(512)), 3000, 1);
    expect(said(reader.receive(packet(3, 2, bytesOf(100)), 3001, 2))).toBe('stranger ERROR 5 no such transfer');
    expect(said(reader.receive(packet(5, 0, 'x'), 3001, 3))).toBe('wait');
    expect(said(reader.receive(bytesOf(30), 3001, 3))).toBe('wait');
    expect(said(reader.receive(packet(3, 2, bytesOf(7)), 3000, 4))).toBe('file of 519 ACK 2');
  });

  it('a file that is not there, or not to be had', () => {
    expect(said(begun().receive(packet(5, 1, 'File not found'), 3000, 1))).toBe('absent');
    expect(said(begun().receive(packet(5, 2, `no\r\n${'x'.repeat(200)}`), 3000, 1))).toBe(`refused 2 no??${'x'.repeat(76)}`);
    const broken = begun();
    broken.receive(packet(3, 1, bytesOf(512)), 3000, 1);
    expect(said(broken.receive(packet(5, 0, 'disk failed'), 3000, 2))).toBe('refused 0 disk failed');
  });

  it('a file that is too big ends as soon as that is known', () => {
    expect(said(begun().receive(packet(6, 'tsize', String(MAX + 1)), 3000, 1))).toMatch(/^failed too-big: .*65537 octets.* ERROR 3/);
    const reader = begun();
    let step: TftpStep = { type: 'wait' };
    for (let block = 1; step.type === 'wait'; block++) step = reader.receive(packet(3, block, bytesOf(512)), 3000, block);
    expect(said(step)).toMatch(/^failed too-big: .*more than 65536.* ERROR 3/);
  });

  it('a file that is not as long as the server said is cut short', () => {
    const reader = begun();
    reader.receive(packet(6, 'tsize', '100'), 3000, 1);
    expect(said(reader.receive(packet(3, 1, bytesOf(99)), 3000, 2))).toBe('failed reset: the server sent 99 of 100 octets');
  });

  it('a block that is larger than agreed', () => {
    expect(said(begun().receive(packet(3, 1, bytesOf(513)), 3000, 1))).toMatch(/^failed other: .* ERROR 4/);
  });

  it('block numbers begin anew after 65535', () => {
    const reader = new TftpReader('a', 40 * 1024 * 1024);
    reader.start(0);
    let step: TftpStep = { type: 'wait' };
    const block = bytesOf(512);
    for (let n = 1; n <= 65_538; n++) step = reader.receive(packet(3, n & 0xffff, n === 65_538 ? EMPTY : block), 3000, n);
    expect(said(step)).toBe(`file of ${65_537 * 512} ACK 2`);
  });

  it('never throws and keeps no more than it may, whatever comes in whatever order', () => {
    const script = [
      packet(6, 'blksize', '1000', 'tsize', '1500'),
      packet(3, 1, bytesOf(1000)),
      packet(3, 2, bytesOf(500)),
      packet(5, 8, 'no'),
    ];
    const random = randomFrom(7);
    let reader = begun();
    let now = 0;
    let packets = 0;
    fuzz(script, 20_000, (input) => {
      now += random(SECOND);
      const step = reader.receive(input, 3000 + random(2), now);
      if (step.type === 'file') expect(step.bytes.length).toBeLessThanOrEqual(MAX);
      const over = step.type !== 'wait' && step.type !== 'stranger';
      if (!over && random(8) === 0) reader.elapsed(now);
      if (!over && ++packets < 50) return;
      reader = begun(now);
      packets = 0;
    });
  });

  it('a silent server: the request again and again, then the end', () => {
    const reader = begun();
    const times: number[] = [];
    let step: TftpStep = { type: 'wait' };
    while (step.type === 'wait') {
      times.push(reader.due / SECOND);
      step = reader.elapsed(reader.due);
      if (step.type === 'wait') expect(told(step.send!)).toMatch(/^READ dir/);
    }
    expect(times).toEqual([1, 3, 7, 11, 15]);
    expect(said(step)).toBe('failed timeout: no TFTP server answers');
    const midway = begun();
    midway.receive(packet(3, 1, bytesOf(512)), 3000, SECOND);
    expect(said(midway.elapsed(midway.due))).toBe('wait ACK 1');
    expect(said(midway.elapsed(17 * SECOND))).toBe('failed timeout: the server is silent');
  });
});

/** A transfer over a bad link in virtual time; how it ended, and how many packets went either way. */
function play(server: TftpServerLike, link: { loss: number; double: number; late: number }, seed: number) {
  const random = randomFrom(seed);
  const chance = (percent: number): boolean => random(100) < percent;
  const events: { at: number; run: () => void }[] = [];
  const at = (time: number, run: () => void): void => void events.push({ at: time, run });
  const reader = new TftpReader('a.conf', MAX);
  const transfers = new Map<number, TftpTransfer>();
  let sent = 0;
  let now = 0;
  let result: TftpStep | undefined;
  const carry = (deliver: () => void): void => {
    if (++sent > 10_000) throw new Error('packets without end');
    for (let copies = chance(link.double) ? 2 : 1; copies > 0; copies--) {
      if (!chance(link.loss)) at(now + MILLISECOND + (chance(link.late) ? random(2000) * MILLISECOND : random(1000)), deliver);
    }
  };
  const toClient = (bytes: Uint8Array, port: number): void => carry(() => act(reader.receive(bytes, port, now), port));
  const repeat = (port: number, tries: number): void => {
    const transfer = transfers.get(port)!;
    if (transfer.over || tries === 0) return;
    toClient(transfer.repeat(), port);
    at(now + SECOND, () => repeat(port, tries - 1));
  };
  const toServer = (bytes: Uint8Array, port: number | undefined): void =>
    carry(() => {
      if (port === undefined) {
        const own = 3000 + transfers.size;
        transfers.set(own, new TftpTransfer(server, bytes));
        repeat(own, 60);
      } else {
        const answer = transfers.get(port)?.receive(bytes);
        if (answer) toClient(answer, port);
      }
    });
  const act = (step: TftpStep, from: number): void => {
    if ('send' in step && step.send) toServer(step.send, step.type === 'stranger' ? from : reader.port);
    if (step.type !== 'wait' && step.type !== 'stranger') result ??= step;
  };
  toServer(reader.start(0), undefined);
  while (!result && now < 600 * SECOND) {
    const next = events.reduce((first, event) => (event.at < first.at ? event : first), events[0]!);
    if (next && next.at <= reader.due) {
      events.splice(events.indexOf(next), 1);
      now = Math.max(now, next.at);
      next.run();
    } else {
      now = reader.due;
      act(reader.elapsed(now), 0);
    }
  }
  return { result, sent };
}

describe('over bad links', () => {
  const content = bytesOf(20_000);
  const servers: [string, TftpServerLike][] = [
    ['without options', { content }],
    ['with options', { content, options: { blksize: 1428, tsize: true, timeout: true } }],
    ['that answers every acknowledgement', { content, apprentice: true }],
  ];

  it.each(servers)('a server %s: each of 100 transfers is whole', (_name, server) => {
    for (let seed = 1; seed <= 100; seed++) {
      const { result } = play(server, { loss: 15, double: 15, late: 5 }, seed);
      expect(result, `seed ${seed}`).toMatchObject({ type: 'file' });
      if (result?.type === 'file') expect(Buffer.compare(result.bytes, content), `seed ${seed}`).toBe(0);
    }
  });

  it('doubled packets do not breed: one echo costs one packet', () => {
    const quiet = play({ content, apprentice: true }, { loss: 0, double: 0, late: 0 }, 1).sent;
    const doubled = play({ content, apprentice: true }, { loss: 0, double: 100, late: 0 }, 1).sent;
    expect(quiet).toBe(81);
    expect(doubled).toBeLessThan(2.1 * quiet);
  });

  it('a dead link ends in time', () => {
    expect(play({ content }, { loss: 100, double: 0, late: 0 }, 1).result).toMatchObject({ type: 'failed', error: { kind: 'timeout' } });
  });
});
