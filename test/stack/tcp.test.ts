import { describe, expect, it } from 'vitest';
import { SECOND } from '../../hal/base/time.js';
import { fromLatin1, latin1 } from '../../hal/base/bytes.js';
import { End, pattern } from './streams.js';
import { type Faults, pair, type TestHost, type Time } from './wire.js';

const B80 = { address: '10.0.0.2', port: 80 };

function connected(world: { time: Time; a: TestHost; b: TestHost }): { client: End; server: End } {
  let server: End | undefined;
  const listener = world.b.net.listen({ port: 80, backlog: 4 }, (stream) => {
    server = new End(stream);
  });
  expect(listener.ok).toBe(true);
  const client = new End(world.a.net.connect(B80));
  world.time.run(world.time.now + 60 * SECOND, () => server?.at('open') !== undefined && client.at('open') !== undefined);
  return { client, server: server! };
}

describe('a TCP connection', () => {
  it('opens, carries octets both ways, and closes from both ends in order', () => {
    const world = pair();
    const { client, server } = connected(world);
    client.send(fromLatin1('question'), true);
    server.send(fromLatin1('answer'));
    world.time.run(5 * SECOND);
    expect(latin1(server.bytes)).toBe('question');
    expect(latin1(client.bytes)).toBe('answer');
    expect(server.names).toEqual(['open', 'data', 'end']);
    server.stream.end();
    world.time.run(10 * SECOND);
    expect(client.names).toEqual(['open', 'data', 'end', 'closed']);
    expect(server.names).toEqual(['open', 'data', 'end', 'closed']);
    expect(client.closed).not.toHaveProperty('error');
  });

  const faults: [string, Faults][] = [
    ['no faults', {}],
    ['5 % loss', { loss: 0.05 }],
    ['30 % loss', { loss: 0.3 }],
    ['duplication', { duplicate: 0.3 }],
    ['reordering', { reorder: 0.3 }],
    ['everything at once', { loss: 0.1, duplicate: 0.1, reorder: 0.2 }],
  ];
  it.each(faults)('carries 1 MB intact both ways with %s', (_name, fault) => {
    const world = pair(7);
    const { client, server } = connected(world);
    world.wire.faults = fault;
    const up = pattern(1_000_000, 3);
    const down = pattern(1_000_000, 4);
    client.send(up, true);
    server.send(down, true);
    world.time.run(3600 * SECOND, () => client.closed !== undefined && server.closed !== undefined);
    expect(client.closed).not.toHaveProperty('error');
    expect(server.closed).not.toHaveProperty('error');
    expect(Buffer.compare(server.bytes, up)).toBe(0);
    expect(Buffer.compare(client.bytes, down)).toBe(0);
  });
});
