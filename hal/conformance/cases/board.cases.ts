import type { Observable } from 'rxjs';
import { MILLISECOND } from '../../base/time.js';
import { type ConformanceCase, check, pass } from '../bench.js';

/** Smallest MTU that carries a SIP message of a common size (RFC 3261 18.1.1). */
const LEAST_MTU = 1_300;

export const boardCases: readonly ConformanceCase[] = [
  {
    id: 'nic-identity',
    law: 'contract',
    title: 'the MAC is 12 upper-case hex digits, and the MTU carries a SIP message',
    needs: [],
    run: ({ nic }) => {
      check(/^[0-9A-F]{12}$/.test(nic.mac), `the MAC is ${nic.mac}`);
      check(nic.mtu >= LEAST_MTU, `the MTU is ${nic.mtu}`);
    },
  },
  {
    id: 'observables-live',
    law: 10,
    title: 'link$, lease$ and edges$ neither fail nor complete while their port lives, and say nothing during subscribe',
    needs: [],
    run: async (hal, bench) => {
      const faults: string[] = [];
      let subscribing = true;
      const observe = (name: string, source: Observable<unknown>): void => {
        source.subscribe({
          next: () => subscribing && faults.push(`${name} told something during subscribe`),
          error: () => faults.push(`${name} failed`),
          complete: () => faults.push(`${name} completed`),
        });
      };
      observe('link$', hal.nic.link$);
      observe('lease$', hal.nic.lease$);
      observe('edges$', hal.gpio.edges$);
      subscribing = false;
      await pass(hal, bench, 20 * MILLISECOND);
      check(faults.length === 0, faults.join());
    },
  },
  {
    id: 'gpio-lines',
    law: 4,
    title: 'outputs can be set, an unknown line is not-found, an input unsupported',
    needs: [],
    run: ({ gpio }) => {
      const unknown = gpio.set('no such line', true);
      check(!unknown.ok && unknown.error.kind === 'not-found', `an unknown line: ${JSON.stringify(unknown)}`);
      for (const { name, kind } of gpio.lines) {
        const answer = gpio.set(name, false);
        if (kind === 'button' || kind === 'input') check(!answer.ok && answer.error.kind === 'unsupported', `${name} was set`);
        else check(answer.ok, `${name} was not set`);
      }
    },
  },
];
