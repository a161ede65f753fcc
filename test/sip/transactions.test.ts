import { describe, expect, it } from 'vitest';
import { createKernel } from '../../core/kernel/kernel.js';
import { readAddress } from '../../core/sip/address.codec.js';
import type { RequestDraft } from '../../core/sip/compose.js';
import type { Flow } from '../../core/sip/flow.js';
import type { SipRequest } from '../../core/sip/message.codec.js';
import { type InboundRequest, TRANSACTION_LIMITS, TransactionTable } from '../../core/sip/transactions.js';
import { readUri } from '../../core/sip/uri.codec.js';
import { shareAlarm } from '../../hal/base/share-alarm.js';
import { MILLISECOND } from '../../hal/base/time.js';
import { Timers } from '../../hal/base/timers.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { readOrThrow, seededEntropy } from './rig.js';

interface End {
  table: TransactionTable;
  flow: Flow;
  inbound: InboundRequest[];
  acks: SipRequest[];
  /** What it sent: time in ms and start of the message. */
  sent: string[];
}

/** Two tables, client and server, on a line that loses what the test says, by count of what was sent on it. */
function line(reliable: boolean, lose: (from: 'client' | 'server', n: number) => boolean) {
  const clock = new VirtualClock();
  const share = shareAlarm(clock);
  const kernel = createKernel(share(), () => {});
  const wire = new Timers(share(), kernel.turn);
  const end = (name: 'client' | 'server', other: () => End): End => {
    const sent: string[] = [];
    const flow: Flow = {
      ...{ transport: reliable ? 'tcp' : 'udp', reliable, open: true, trusted: true, close: () => {} },
      ...{ peer: { address: 'p', port: 1 }, sentBy: { address: 'h', port: 5060 }, contact: { address: 'h', port: 5060 } },
      send: (bytes) => {
        const message = readOrThrow(bytes);
        sent.push(`${clock.now() / 1000} ${message.type === 'request' ? message.method : message.status}`);
        if (lose(name, sent.length)) return true;
        wire
          .create('wire', () => {
            const { table, flow: back } = other();
            if (message.type === 'request') table.onRequest(message, back);
            else table.onResponse(message);
          })
          .set(clock.now() + MILLISECOND);
        return true;
      },
    };
    const inbound: InboundRequest[] = [];
    const acks: SipRequest[] = [];
    const table = new TransactionTable({
      ...{ kernel, entropy: seededEntropy(name.length), limits: TRANSACTION_LIMITS },
      onRequest: (request) => inbound.push(request),
      onAck: (ack) => acks.push(ack),
    });
    return { table, flow, inbound, acks, sent };
  };
  const client: End = end('client', () => server);
  const server: End = end('server', () => client);
  const outcome: (number | string)[] = [];
  const send = (method: string, cseq = 1) =>
    client.table.request({ ...draft(method), cseq }, client.flow, {
      onResponse: ({ status }) => outcome.push(status),
      onFailure: (kind) => outcome.push(kind),
    });
  /** Does something in a turn of the present. */
  const act = (body: () => void): void => kernel.turn(clock.now(), body);
  return { client, server, outcome, send, act, run: (ms: number) => clock.run(ms * MILLISECOND), kernel };
}

const draft = (method: string): RequestDraft => ({
  ...{ method, uri: readUri('sip:b@h')!, callId: 'c', cseq: 1 },
  from: readAddress('<sip:a@h>;tag=1')!,
  to: readAddress('<sip:b@h>')!,
});

describe('over UDP', () => {
  it('a request is repeated at T1 doubling to T2, then given up (17.1.2)', () => {
    const { client, outcome, send, run, kernel } = line(false, () => true);
    send('OPTIONS');
    run(40_000);
    expect(client.sent.map((entry) => Number(entry.split(' ')[0]))).toEqual([
      0, 500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500,
    ]);
    expect(outcome).toEqual(['timeout']);
    expect(kernel.pendingTimers()).toEqual([]);
  });

  it('an INVITE is repeated at T1 doubling without end, then given up (17.1.1)', () => {
    const { client, outcome, send, run } = line(false, () => true);
    send('INVITE');
    run(40_000);
    expect(client.sent.map((entry) => Number(entry.split(' ')[0]))).toEqual([0, 500, 1500, 3500, 7500, 15500, 31500]);
    expect(outcome).toEqual(['timeout']);
  });

  it('a lost response is repeated for the repeated request, and the user sees each once', () => {
    const { server, outcome, send, run, kernel } = line(false, (from, n) => from === 'server' && n <= 2);
    send('OPTIONS');
    run(2);
    server.inbound[0]!.respond({ status: 200 });
    run(40_000);
    expect(server.inbound).toHaveLength(1);
    expect(outcome).toEqual([200]);
    expect(server.sent.map((entry) => entry.split(' ')[1])).toEqual(['200', '200', '200']);
    expect(kernel.pendingTimers()).toEqual([]);
  });

  it('a refusal of an INVITE is repeated until its ACK, which is repeated for it', () => {
    // The first two ACKs are lost.
    const { client, server, outcome, send, run, act, kernel } = line(false, (from, n) => from === 'client' && (n === 2 || n === 3));
    send('INVITE');
    run(2);
    act(() => server.inbound[0]!.respond({ status: 486 }));
    run(20_000);
    expect(outcome).toEqual([486]);
    expect(client.sent.map((entry) => entry.split(' ')[1])).toEqual(['INVITE', 'ACK', 'ACK', 'ACK']);
    expect(server.sent.map((entry) => Number(entry.split(' ')[0]))).toEqual([2, 502, 1502]);
    run(30_000);
    expect(kernel.pendingTimers()).toEqual([]);
  });

  it('a refusal that is never acknowledged ends (timer H)', () => {
    const { server, send, run, kernel } = line(false, (from, n) => from === 'client' && n > 1);
    send('INVITE');
    run(2);
    server.inbound[0]!.respond({ status: 486 });
    run(70_000);
    expect(kernel.pendingTimers()).toEqual([]);
    expect(server.table.size.server).toBe(0);
  });

  it('an INVITE that is not answered within 200 ms gets a 100, and is repeated no more', () => {
    const { client, outcome, send, run } = line(false, () => false);
    send('INVITE');
    run(30_000);
    expect(outcome).toEqual([100]);
    expect(client.sent).toHaveLength(1);
  });

  it('every 2xx reaches the user, until timer M (RFC 6026)', () => {
    const { server, outcome, send, run, kernel } = line(false, () => false);
    send('INVITE');
    run(2);
    for (let i = 0; i < 3; i++) server.inbound[0]!.respond({ status: 200, toTag: 't' });
    run(2);
    expect(outcome).toEqual([200, 200, 200]);
    run(40_000);
    expect(kernel.pendingTimers()).toEqual([]);
  });

  it('a CANCEL reaches the INVITE that it names', () => {
    const { client, server, send, run } = line(false, () => false);
    const invite = send('INVITE');
    run(2);
    let cancelled = 0;
    server.inbound[0]!.onCancelled = () => cancelled++;
    client.table.cancel(invite, client.flow);
    run(2);
    expect(cancelled).toBe(1);
  });
});

describe('over a connection', () => {
  it.each(['INVITE', 'OPTIONS'])('%s is sent once, then given up', (method) => {
    const { client, outcome, send, run } = line(true, () => true);
    send(method);
    run(40_000);
    expect(client.sent).toHaveLength(1);
    expect(outcome).toEqual(['timeout']);
  });

  it('nothing is kept once it is answered', () => {
    const { client, server, send, run } = line(true, () => false);
    send('OPTIONS');
    run(2);
    server.inbound[0]!.respond({ status: 200 });
    run(2);
    expect([client.table.size.client, server.table.size.server]).toEqual([0, 0]);
  });

  it('what waits fails when the connection closes, once', () => {
    const { client, outcome, send, run } = line(true, () => false);
    send('OPTIONS');
    run(2);
    client.table.onFlowClosed(client.flow, 'reset');
    run(40_000);
    expect(outcome).toEqual(['reset']);
  });

  it('a request that the flow does not take fails in a later turn', () => {
    const { client, outcome, run } = line(true, () => false);
    const shut: Flow = { ...client.flow, send: () => false };
    const handlers = { onResponse: () => {}, onFailure: (kind: string) => outcome.push(kind) };
    client.table.request(draft('OPTIONS'), shut, handlers);
    expect(outcome).toEqual([]);
    run(1);
    expect(outcome).toEqual(['closed']);
  });
});

it('a table that is full says so', () => {
  const { client, outcome, send, run } = line(false, () => true);
  for (let i = 0; i < TRANSACTION_LIMITS.client; i++) send('OPTIONS');
  expect(client.table.size.client).toBe(TRANSACTION_LIMITS.client);
  send('OPTIONS');
  run(1);
  expect(outcome).toEqual(['full']);
});

it.each([1, 2, 3, 4, 5])('with a third of everything lost, seed %i, a request is answered and nothing stays behind', (seed) => {
  const random = new Uint8Array(1);
  const entropy = seededEntropy(seed);
  const { server, outcome, send, run, kernel } = line(false, () => {
    entropy.fill(random);
    return random[0]! < 85;
  });
  for (let i = 0; i < 20; i++) send('OPTIONS', i);
  for (let t = 0; t < 1000; t++) {
    run(100);
    for (const inbound of server.inbound.splice(0)) inbound.respond({ status: 200 });
  }
  expect(outcome).toEqual(Array(20).fill(200));
  expect(kernel.pendingTimers()).toEqual([]);
});
