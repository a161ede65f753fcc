/** Captures of simulations, read by tshark: a dissector that nobody here wrote, with no option but that checksums are looked at. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { belfry } from '../support/command-line.js';
import { describeWith } from '../support/shared.js';
import { dissect, WRONG } from './capture.js';

const SECURE = 'secure';
const LOSSY = 'lossy';

function missing(): string | undefined {
  try {
    execFileSync('tshark', ['--version'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'not installed: tshark';
  }
}

/** Of a frame whose octets are random, what is the same twice. */
const TABLE = ['frame.time_epoch', 'eth.src', 'eth.dst', 'frame.len'];

function fields(file: string, filter: string, names: readonly string[]): string[] {
  const text = execFileSync('tshark', ['-r', file, '-Y', filter, '-T', 'fields', ...names.flatMap((name) => ['-e', name])], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return text.split('\n').filter(Boolean);
}

describeWith(
  'lab',
  'tshark, of a simulation',
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'belfry-tshark-'));
    const capture = (name: string): string => join(folder, name, 'capture.pcapng');
    const sim = (name: string, ...args: string[]) => belfry('sim', 'secure-page', '--seed', '7', ...args, '--out', join(folder, name));

    beforeAll(async () => {
      await sim(SECURE);
      await sim('again');
      await sim(LOSSY, '--set', 'lan.loss=5%', '--set', 'lan.jitter=30ms');
      await sim('closed', '--no-secrets');
    });
    afterAll(() => rmSync(folder, { recursive: true }));

    it.each([SECURE, LOSSY])('finds no malformed frame and no bad checksum: %s', (name) => {
      expect(dissect(capture(name), WRONG)).toEqual([]);
      expect(
        dissect(capture(name), 'ip.checksum.status == 1 && (udp.checksum.status == 1 || tcp.checksum.status == 1)').length,
      ).toBeGreaterThan(500);
    });

    it('lists the SIP requests without a key file, and what was fetched by HTTP', () => {
      const methods = fields(capture(SECURE), 'sip.Method', ['sip.Method']).flatMap((line) => line.split(','));
      expect([...new Set(methods)]).toEqual(['REGISTER', 'INVITE', 'ACK', 'BYE']);
      expect(fields(capture(SECURE), 'http.request', ['http.request.uri'])).toContain('/algom0022EE0A0001.conf');
    });

    it('lists none where the keys were left out', () => {
      expect(fields(capture('closed'), 'sip || http', ['frame.number'])).toEqual([]);
      expect(fields(capture('closed'), 'tls', ['frame.number']).length).toBeGreaterThan(10);
    });

    it('has the same table of frames for the same seed', () => {
      const table = fields(capture(SECURE), 'frame', TABLE);
      expect(table.length).toBeGreaterThan(500);
      expect(fields(capture('again'), 'frame', TABLE)).toEqual(table);
    });
  },
  missing(),
);
