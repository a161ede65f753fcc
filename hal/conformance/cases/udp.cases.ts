import { equal } from '../../base/bytes.js';
import { expectOk } from '../../base/result.js';
import { MILLISECOND } from '../../base/time.js';
import type { SocketAddress } from '../../hal.js';
import { type ConformanceCase, check, given, PATIENCE, pass } from '../bench.js';

const FREE = { port: 0 };
/** Larger than any datagram: an IP packet has 65,535 octets. */
const TOO_LONG = 70_000;

export const udpCases: readonly ConformanceCase[] = [
  {
    id: 'udp-open-at-once',
    law: 9,
    title: 'a UDP socket is open, and its port known, when the call returns',
    needs: [],
    run: (hal) => {
      const socket = expectOk(hal.net.udp(FREE), 'a free UDP port');
      check(socket.local.port > 0, `its port is ${socket.local.port}`);
      socket.close();
    },
  },
  {
    id: 'udp-port-taken',
    law: 4,
    title: 'a UDP port that is taken is addr-in-use, and free again after close',
    needs: [],
    run: (hal) => {
      const first = expectOk(hal.net.udp(FREE), 'a free UDP port');
      const second = hal.net.udp({ port: first.local.port });
      check(!second.ok && second.error.kind === 'addr-in-use', `the same port again: ${JSON.stringify(second)}`);
      first.close();
      expectOk(hal.net.udp({ port: first.local.port }), 'the port after close').close();
    },
  },
  {
    id: 'udp-echo',
    law: 6,
    title: 'datagrams come whole, with their sender, and their bytes are good during the call',
    needs: ['echo'],
    run: async (hal, bench) => {
      const { udp } = given(bench.echo, 'echo');
      const socket = expectOk(hal.net.udp(FREE), 'a free UDP port');
      const got: { bytes: Uint8Array; from: SocketAddress }[] = [];
      socket.onDatagram((bytes, from) => got.push({ bytes: bytes.slice(), from }));
      const sent = [1, 172, 1_200].map((length) => new Uint8Array(length).fill(length & 0xff));
      for (const bytes of sent) check(socket.send(udp, bytes) === 'sent', 'not sent');
      check(got.length === 0, 'an answer came during send');
      await bench.until('three answers', () => (got.length === sent.length ? true : undefined), PATIENCE);
      check(
        sent.every((bytes) => got.some((answer) => equal(answer.bytes, bytes))),
        'an answer differs from what was sent',
      );
      check(
        got.every(({ from }) => from.port === udp.port && from.address === udp.address),
        `the sender is ${got[0]?.from.address}`,
      );
      socket.close();
    },
  },
  {
    id: 'udp-close-silent',
    law: 5,
    title: 'close is idempotent, and nothing is delivered after it',
    needs: ['echo'],
    run: async (hal, bench) => {
      const { udp } = given(bench.echo, 'echo');
      const socket = expectOk(hal.net.udp(FREE), 'a free UDP port');
      let delivered = 0;
      socket.onDatagram(() => delivered++);
      check(socket.send(udp, Uint8Array.of(1)) === 'sent', 'not sent');
      socket.close();
      socket.close();
      check(socket.send(udp, Uint8Array.of(2)) === 'closed', 'a closed socket sends');
      await pass(hal, bench, 50 * MILLISECOND);
      check(delivered === 0, 'a datagram came after close');
    },
  },
  {
    id: 'udp-too-big',
    law: 4,
    title: 'a datagram longer than any packet is too-big',
    needs: ['echo'],
    run: (hal, bench) => {
      const { udp } = given(bench.echo, 'echo');
      const socket = expectOk(hal.net.udp(FREE), 'a free UDP port');
      const answer = socket.send(udp, new Uint8Array(TOO_LONG));
      socket.close();
      check(answer === 'too-big', `${TOO_LONG} octets: ${answer}`);
    },
  },
];
