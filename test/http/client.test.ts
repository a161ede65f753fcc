import { describe, expect, it } from 'vitest';
import { HTTP_LIMITS, HttpClient } from '../../core/http/client.js';
import type { HttpResponse } from '../../core/http/response.engine.js';
import { createKernel } from '../../core/kernel/kernel.js';
import { latin1 } from '../../hal/base/bytes.js';
import { SECOND } from '../../hal/base/time.js';
import type { HalError, Result } from '../../hal/hal.js';
import { ScriptedStream } from '../support/scripted-stream.js';
import { VirtualClock } from '../support/virtual-clock.js';

function setUp() {
  const clock = new VirtualClock();
  const kernel = createKernel(clock, () => {});
  const streams: ScriptedStream[] = [];
  const connect = (): ScriptedStream => {
    const stream = new ScriptedStream((deliver) => kernel.turn(clock.now(), () => deliver(clock.now())));
    streams.push(stream);
    return stream;
  };
  const client = new HttpClient(kernel, { connect, authority: 'prov.example.test' }, 'Algo-8180g2/5.5');
  const results: Result<HttpResponse, HalError>[] = [];
  const get = (target: string, fields: readonly (readonly [string, string])[] = []): void =>
    kernel.turn(clock.now(), () => client.get(target, fields, (result) => results.push(result)));
  const outcome = (): string =>
    results.map((r) => (r.ok ? `${r.value.status} ${latin1(r.value.body)}` : `${r.error.kind}: ${r.error.detail}`)).join('; ');
  return { clock, kernel, client, streams, get, outcome };
}
const answer = (text: string, more = ''): string => `HTTP/1.1 200 OK\r\n${more}Content-Length: ${text.length}\r\n\r\n${text}`;

describe('the HTTP client', () => {
  it('asks with Host and User-Agent, and hands over the answer', () => {
    const { streams, get, outcome, kernel } = setUp();
    get('/algop8180g2.conf', [['If-None-Match', '"1"']]);
    streams[0]!.open();
    expect(streams[0]!.taken()).toBe(
      'GET /algop8180g2.conf HTTP/1.1\r\nHost: prov.example.test\r\nUser-Agent: Algo-8180g2/5.5\r\nAccept: */*\r\nAccept-Encoding: identity\r\nIf-None-Match: "1"\r\n\r\n',
    );
    streams[0]!.answer(answer('a = 1'));
    expect(outcome()).toBe('200 a = 1');
    expect(kernel.pendingTimers()).toEqual([]);
  });

  it('uses the connection again, and leaves it when the server wants that', () => {
    const { streams, get, outcome } = setUp();
    get('/1');
    streams[0]!.open();
    streams[0]!.answer(answer('1'));
    get('/2');
    streams[0]!.answer(answer('2', 'Connection: close\r\n'));
    expect(streams[0]!.state).toBe('ended');
    get('/3');
    streams[1]!.open();
    streams[1]!.answer(answer('3'));
    expect(outcome()).toBe('200 1; 200 2; 200 3');
  });

  it('asks once more when the server had closed the idle connection', () => {
    const { streams, get, outcome } = setUp();
    get('/1');
    streams[0]!.open();
    streams[0]!.answer(answer('1'));
    get('/2');
    streams[0]!.finish();
    streams[1]!.open();
    expect(streams[1]!.taken()).toContain('GET /2 ');
    streams[1]!.finish();
    expect(outcome()).toBe('200 1; reset: the connection closed before an answer');
    expect(streams).toHaveLength(2);
  });

  it('does not ask again on a fresh connection, nor when part of an answer came', () => {
    const { streams, get, outcome } = setUp();
    get('/1');
    streams[0]!.open();
    streams[0]!.answer(answer('1'));
    get('/2');
    streams[0]!.answer('HTTP/1.1 200');
    streams[0]!.fail({ kind: 'reset', detail: 'reset by peer' });
    get('/3');
    streams[1]!.fail({ kind: 'refused', detail: 'nobody listens' });
    expect(outcome()).toBe('200 1; reset: reset by peer; refused: nobody listens');
    expect(streams).toHaveLength(2);
  });

  it('takes a body without a length only from a connection that ended in order', () => {
    const { streams, get, outcome } = setUp();
    get('/1');
    streams[0]!.open();
    streams[0]!.answer('HTTP/1.1 200 OK\r\n\r\nall');
    streams[0]!.finish();
    get('/2');
    streams[1]!.open();
    streams[1]!.answer('HTTP/1.1 200 OK\r\n\r\npart');
    streams[1]!.fail();
    expect(outcome()).toBe('200 all; reset: the connection closed in the middle of the answer');
  });

  it('writes as the stream takes it', () => {
    const { streams, get } = setUp();
    get('/1');
    streams[0]!.window = 10;
    streams[0]!.open();
    expect(streams[0]!.taken()).toBe('GET /1 HTT');
    streams[0]!.window = 5;
    streams[0]!.writable();
    expect(streams[0]!.taken()).toBe('P/1.1');
  });

  it('gives up a connection that does not come about, a silent server, and a starved transfer', () => {
    const { clock, streams, get, outcome } = setUp();
    get('/1');
    clock.run(HTTP_LIMITS.connect);
    expect(outcome()).toBe('timeout: no connection came about');
    expect(streams[0]!.state).toBe('aborted');
    get('/2');
    streams[1]!.open();
    clock.run(HTTP_LIMITS.silence);
    expect(outcome()).toMatch(/timeout: the server is silent$/);
    get('/3');
    streams[2]!.open();
    streams[2]!.answer('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n');
    for (let i = 0; i < 100 && streams[2]!.state === 'open'; i++) {
      clock.run(SECOND);
      streams[2]!.answer('x');
    }
    expect(outcome()).toMatch(/timeout: the transfer takes too long$/);
    expect(clock.now()).toBeLessThan(HTTP_LIMITS.connect + HTTP_LIMITS.silence + HTTP_LIMITS.total + 2 * SECOND);
  });

  it('gives up a connection that sends what nobody asked for', () => {
    const { streams, get } = setUp();
    get('/1');
    streams[0]!.open();
    streams[0]!.answer(answer('1'));
    streams[0]!.answer(answer('poison'));
    expect(streams[0]!.state).toBe('aborted');
    get('/2');
    expect(streams).toHaveLength(2);
  });

  it('closed, it answers no more and lets go of the connection in time', () => {
    const { clock, client, kernel, streams, get, outcome } = setUp();
    get('/1');
    streams[0]!.open();
    client.close();
    streams[0]!.answer(answer('1'));
    expect(outcome()).toBe('');
    expect(streams[0]!.state).toBe('ended');
    clock.run(HTTP_LIMITS.linger);
    expect(streams[0]!.state).toBe('aborted');
    expect(kernel.pendingTimers()).toEqual([]);
  });
});
