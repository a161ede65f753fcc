import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { utf8 } from '../../hal/base/bytes.js';
import { expectOk } from '../../hal/base/result.js';
import { createNodeHost, type NodeHost } from '../../hal/node/index.js';
import { until } from '../conformance/real-bench.js';
import { record } from './recorder.js';

const LOOPBACK = '127.0.0.1';
/** Another address of this machine's loopback network: ports taken here are free there. */
const OTHER = '127.0.0.2';

describe('sockets of this machine', () => {
  let host: NodeHost;
  beforeAll(async () => {
    host = expectOk(await createNodeHost({ address: LOOPBACK, ports: { tcp: [0] } }), 'host');
  });
  afterAll(() => host.close());

  const taken = async (transport: 'udp' | 'tcp'): Promise<{ port: number; close(): void }> => {
    if (transport === 'tcp') {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, LOOPBACK, resolve));
      return { port: (server.address() as { port: number }).port, close: () => server.close() };
    }
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, LOOPBACK, resolve));
    return { port: socket.address().port, close: () => socket.close() };
  };

  it.each(['udp', 'tcp'] as const)('a %s port in use ends the start, with the port and the mend', async (transport) => {
    const other = await taken(transport);
    const started = await createNodeHost({ address: LOOPBACK, ports: { [transport]: [other.port] } });
    other.close();
    expect(started).toMatchObject({ ok: false, error: { kind: 'addr-in-use' } });
    expect(started.ok || started.error.detail).toBe(
      `${transport.toUpperCase()} port ${other.port} at ${LOOPBACK} is in use: end the program that has it, or choose another port`,
    );
  });

  it('ports opened before the one that is taken are given back', async () => {
    const [free, other] = [await taken('tcp'), await taken('tcp')];
    free.close();
    expect((await createNodeHost({ address: LOOPBACK, ports: { tcp: [free.port, other.port] } })).ok).toBe(false);
    other.close();
    const started = expectOk(await createNodeHost({ address: LOOPBACK, ports: { tcp: [free.port, other.port] } }), 'both are free now');
    await started.close();
  });

  it('an address that is not ours is said to be none', async () => {
    const started = await createNodeHost({ address: '192.0.2.1', ports: { tcp: [0] } });
    expect(started).toMatchObject({
      ok: false,
      error: { kind: 'not-found', detail: expect.stringContaining('192.0.2.1 is not an address') },
    });
    expect(expectOk(await createNodeHost({ address: '192.0.2.1' }), 'nothing bound yet').net.udp({ port: 0 })).toMatchObject({
      ok: false,
      error: { kind: 'not-found' },
    });
  });

  it('sockets are bound to the address that was given, and connections start there', async () => {
    const other = expectOk(await createNodeHost({ address: OTHER, ports: { tcp: [0] } }), 'host');
    const socket = expectOk(other.net.udp({ port: 0 }), 'socket');
    expect(socket.local.address).toBe(OTHER);
    let caller: string | undefined;
    const listener = expectOk(
      host.net.listen({ port: 0, backlog: 1 }, (stream) =>
        stream.onEvent((event) => {
          if (event.type === 'open') caller = event.peer.address;
        }),
      ),
      'listener',
    );
    const stream = other.net.connect(listener.local);
    record(stream);
    expect(await until('the caller', () => caller, 2_000_000)).toBe(OTHER);
    stream.abort();
    listener.close();
    await other.close();
  });

  it('what comes from the network and cannot be sent to is unreachable', () => {
    const socket = expectOk(host.net.udp({ port: 0 }), 'socket');
    for (const to of [
      { address: 'sip.example.test', port: 5060 },
      { address: '::1', port: 5060 },
      { address: LOOPBACK, port: 0 },
      { address: LOOPBACK, port: 65_536 },
      { address: LOOPBACK, port: Number.NaN },
    ])
      expect(socket.send(to, utf8('x'))).toBe('unreachable');
    expect(socket.join('239.0.0.1')).toMatchObject({ ok: false, error: { kind: 'unsupported' } });
    socket.close();
  });

  it('names are not resolved by connect', async () => {
    const stream = host.net.connect({ address: 'localhost', port: 5060 });
    expect((await record(stream).closed()).error).toMatchObject({ kind: 'not-found' });
  });

  it('a TCP port that was not opened ahead cannot be listened on, and one is listened on once', () => {
    const listen = (port: number) => host.net.listen({ port, backlog: 1 }, () => undefined);
    expect(listen(5099)).toMatchObject({ ok: false, error: { kind: 'unsupported', detail: expect.stringContaining('5099') } });
    const first = expectOk(listen(0), 'the free one');
    expect(listen(0)).toMatchObject({ ok: false, error: { kind: 'addr-in-use' } });
    first.close();
    expectOk(listen(0), 'the free one again').close();
  });

  it('close ends every connection and gives the ports back', async () => {
    const closing = expectOk(await createNodeHost({ address: LOOPBACK, ports: { tcp: [0] } }), 'host');
    const listener = expectOk(
      closing.net.listen({ port: 0, backlog: 1 }, (stream) => record(stream)),
      'listener',
    );
    const seen = record(host.net.connect(listener.local));
    await seen.opened();
    await closing.close();
    await until('the end', () => (seen.types().includes('end') ? true : undefined), 2_000_000);
    const { port } = listener.local;
    await expectOk(await createNodeHost({ address: LOOPBACK, ports: { tcp: [port] } }), 'the same port').close();
  });
});
