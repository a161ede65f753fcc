import { concat, equal, utf8 } from '../../base/bytes.js';
import { expectOk } from '../../base/result.js';
import { MILLISECOND } from '../../base/time.js';
import type { ByteStream, StreamEvent } from '../../hal.js';
import { type ConformanceCase, check, given, PATIENCE, pass } from '../bench.js';
import { type Watched, watch } from '../watch.js';

/** More than any stream may hold that has yet to be sent. */
const FLOOD = 1024 * 1024;

export const tcpCases: readonly ConformanceCase[] = [
  {
    id: 'tcp-echo-in-order',
    law: 3,
    title: 'a stream opens, carries bytes, half-closes and closes, in this order and in stamped order',
    needs: ['echo'],
    run: async (hal, bench) => {
      const stream = hal.net.connect(given(bench.echo, 'echo').tcp);
      const watched = watch(stream, bench);
      check(watched.events.length === 0, 'something came during connect');
      const { peer } = await watched.until('open');
      check(peer.port === bench.echo?.tcp.port, `the peer's port is ${peer.port}`);
      check(stream.write(utf8('one ')) === 4, 'four octets were not accepted');
      await watched.untilText('one ');
      stream.write(utf8('two'));
      stream.end();
      stream.end();
      check(stream.write(utf8('three')) === 0, 'octets were accepted after end');
      await watched.untilText('one two');
      check((await watched.failure()) === undefined, 'it closed with an error');
      check(watched.order() === 'open data end closed', `events: ${watched.order()}`);
    },
  },
  {
    id: 'tcp-refused',
    law: 4,
    title: 'a port with nobody behind it is refused, as a value',
    needs: ['nobody'],
    run: async (hal, bench) => {
      const watched = watch(hal.net.connect(given(bench.nobody, 'nobody')), bench);
      const error = await watched.failure();
      check(error?.kind === 'refused', `it closed with ${JSON.stringify(error)}`);
      check(watched.order() === 'closed', `events: ${watched.order()}`);
    },
  },
  {
    id: 'tcp-abort-silent',
    law: 5,
    title: 'abort is idempotent, and nothing is delivered after it',
    needs: ['echo'],
    run: async (hal, bench) => {
      const stream = hal.net.connect(given(bench.echo, 'echo').tcp);
      const watched = watch(stream, bench);
      await watched.until('open');
      stream.write(utf8('an answer is on its way'));
      stream.abort();
      stream.abort();
      stream.end();
      check(stream.write(utf8('more')) === 0, 'octets were accepted after abort');
      const early = hal.net.connect(given(bench.echo, 'echo').tcp);
      const never = watch(early, bench);
      early.abort();
      await pass(hal, bench, 100 * MILLISECOND);
      check(watched.order() === 'open' && never.order() === '', `events: ${watched.order()}, ${never.order()}`);
    },
  },
  {
    id: 'tcp-bytes-kept',
    law: 6,
    title: "received bytes stay the receiver's, and written ones the writer's",
    needs: ['echo'],
    run: async (hal, bench) => {
      const stream = hal.net.connect(given(bench.echo, 'echo').tcp);
      const watched = watch(stream, bench);
      await watched.until('open');
      for (const text of ['first ', 'second ', 'third']) {
        const before = watched.text();
        const bytes = utf8(text);
        stream.write(bytes);
        bytes.fill(0);
        await watched.untilText(before + text);
      }
      stream.abort();
    },
  },
  {
    id: 'tcp-bounded',
    law: 7,
    title: 'a write accepts a bounded number of octets, writable tells when to go on, and all arrive in order',
    needs: ['echo'],
    run: async (hal, bench) => {
      const stream = hal.net.connect(given(bench.echo, 'echo').tcp);
      const flood = new Uint8Array(FLOOD).map((_, i) => i % 251);
      let accepted = 0;
      let most = 0;
      const watched = watch(stream, bench, ({ type }) => {
        if (type !== 'open' && type !== 'writable') return;
        const took = stream.write(flood.subarray(accepted));
        most = Math.max(most, took);
        accepted += took;
      });
      const back = (): number => watched.events.reduce((sum, event) => (event.type === 'data' ? sum + event.bytes.length : sum), 0);
      await bench.until('all of it back', () => (back() === FLOOD ? true : undefined), 6 * PATIENCE);
      check(most < FLOOD, `${most} octets were accepted at once`);
      check(equal(received(watched.events), flood), 'octets were lost or changed');
      stream.abort();
    },
  },
  {
    id: 'tcp-listen',
    law: 1,
    title: 'an accepted stream opens after the listener was given it; the listener closes once and for all',
    needs: ['dial'],
    run: async (hal, bench) => {
      const dial = given(bench.dial, 'dial');
      const accepted: Watched[] = [];
      const listener = expectOk(
        hal.net.listen({ port: 0, backlog: 4 }, (stream) => accepted.push(watch(stream, bench, echoOf(stream)))),
        'a free TCP port',
      );
      const to = { address: hal.nic.lease()?.address ?? listener.local.address, port: listener.local.port };
      const caller = dial(to);
      const atCaller = watch(caller, bench);
      await atCaller.until('open');
      caller.write(utf8('hello'));
      await atCaller.untilText('hello');
      check(accepted[0]?.order() === 'open data', `the accepted stream: ${accepted[0]?.order()}`);
      listener.close();
      listener.close();
      const late = await watch(dial(to), bench).failure();
      check(late?.kind === 'refused' || late?.kind === 'reset', `after close: ${JSON.stringify(late)}`);
      check(accepted.length === 1, 'a connection was delivered after close');
      caller.abort();
    },
  },
];

const echoOf =
  (stream: ByteStream) =>
  (event: StreamEvent): void => {
    if (event.type === 'data') stream.write(event.bytes);
  };

const received = (events: readonly StreamEvent[]): Uint8Array =>
  concat(...events.flatMap((event) => (event.type === 'data' ? [event.bytes] : [])));
