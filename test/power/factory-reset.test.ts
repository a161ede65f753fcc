/** A device with settings, an uploaded authority and an identity of the site's is reset to what the factory made. */
import { expect } from 'vitest';
import { SECOND } from '../../hal/base/time.js';
import { BoardBench, filesOn } from '../support/board-bench.js';
import { describeJourney } from './journey.js';

const bench = new BoardBench();
const OWN = new Map([
  ['admin.devname', 'lobby'],
  ['sip.u1.user', '101'],
  ['sip.u1.pwd', 'amber-kettle-31'],
]);

describeJourney({
  name: 'a factory reset',
  bench,
  start: async () => {
    const chip = bench.unit.chip.copy();
    const bytes = bench.pki.file({ identity: 'lobby.example.test' });
    await bench.run(chip, {
      served: new Map([[`algom${bench.mac}.conf`, OWN]]),
      time: 20 * SECOND,
      act: (endpoint) => endpoint.files.put('certs/sipclient.pem', bytes, {}, () => undefined),
    });
    expect([...filesOn(chip).keys()]).toEqual(
      expect.arrayContaining(['certs/sipclient.pem', 'certs/trusted/site.pem', 'settings/local.conf', 'settings/provisioned.conf']),
    );
    return chip;
  },
  run: { time: 10 * SECOND, act: (endpoint) => endpoint.factoryReset(() => undefined) },
  least: 10,
  gone: ['amber-kettle-31', 'BEGIN PRIVATE KEY', 'BEGIN CERTIFICATE'],
  check: ({ events, status }, chip) => {
    expect(events.find(({ event }) => event === 'device.reset')).toBeDefined();
    expect(events.filter(({ event }) => event === 'boot.ready')).toHaveLength(2);
    expect([...filesOn(chip).keys()].filter((path) => !path.startsWith('state/'))).toEqual([]);
    expect(status.get('Manufacturer Certificate')).toBe('Installed');
  },
});
