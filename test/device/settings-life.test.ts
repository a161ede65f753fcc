/** Settings through the life of a device: what it does not know, what is kept for another firmware, what the administrator has overridden. */
import { describe, expect, it } from 'vitest';
import { findBoard } from '../../boards/index.js';
import { bootSettings } from '../../core/device/boot-settings.js';
import { LOCAL_SETTINGS, PROVISIONED_SETTINGS } from '../../core/device/device-storage.js';
import { noteFirmware } from '../../core/device/firmware-record.js';
import { PresentSettings } from '../../core/device/present-settings.js';
import type { EndpointEvent } from '../../core/kernel/events.js';
import { createKernel, type Kernel } from '../../core/kernel/kernel.js';
import { encodeConf } from '../../core/settings/conf.codec.js';
import { SECOND } from '../../hal/base/time.js';
import { MemoryStore, type StoredFiles } from '../support/memory-store.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { REGISTERS, Site } from './site.js';

type Values = Record<string, string>;
const conf = (values: Values): Uint8Array => encodeConf(new Map(Object.entries(values)));

/** Boots of one flash, one after the other. */
class Boots {
  readonly clock = new VirtualClock();
  readonly events: EndpointEvent[] = [];
  readonly kernel: Kernel = createKernel(this.clock, (event) => this.events.push(event));
  readonly files: StoredFiles = new Map();

  boot(firmware: string): PresentSettings {
    const store = new MemoryStore(this.kernel, this.files);
    const anchors = { set: 'none', version: '1', certificates: [] };
    const factory = { board: '8180-g2', mac: '0022EE0A0001', serial: 'S1', made: 0, password: 'first', anchors };
    const storage = { factory, config: store, certs: store };
    const present = new PresentSettings(bootSettings(storage, findBoard('8180-g2')!, firmware, this.kernel.emit), this.kernel.emit);
    noteFirmware(store, firmware, this.kernel.emit);
    this.clock.run(10);
    return present;
  }

  named(name: string): object[] {
    return this.events.flatMap(({ at: _, event, ...fields }) => (event === name ? [fields] : []));
  }
}

describe('the firmware of the last boot', () => {
  it('is known from the first boot on, and a change of it is reported once', () => {
    const boots = new Boots();
    for (const firmware of ['5.4', '5.4', '5.5', '5.5', '3.0']) boots.boot(firmware);
    expect(boots.named('firmware.changed')).toEqual([
      { from: '5.4', to: '5.5' },
      { from: '5.5', to: '3.0' },
    ]);
  });

  it('older: what it lacks is refused and does not count, and counts again after the upgrade', () => {
    const boots = new Boots();
    boots.files.set(PROVISIONED_SETTINGS, conf({ 'sip.transp': 'tls', 'sip.u1.user': '101' }));
    const stored = boots.files.get(PROVISIONED_SETTINGS);
    expect(boots.boot('5.5').settings.get('sip.transp')).toBe('tls');
    const old = boots.boot('1.6.3');
    expect(boots.named('settings.refused')).toMatchObject([
      { key: 'sip.transp', value: 'tls', firmware: '1.6.3', mend: 'upgrade to firmware 1.6.4 or later' },
    ]);
    expect([old.settings.get('sip.transp'), old.settings.get('sip.u1.user')]).toEqual(['auto', '101']);
    expect(boots.files.get(PROVISIONED_SETTINGS)).toBe(stored);
    expect(boots.boot('5.5').settings.get('sip.transp')).toBe('tls');
  });
});

describe('keys that the firmware does not know', () => {
  it('are named at boot, by who gave them, and when they are provisioned', () => {
    const boots = new Boots();
    boots.files.set(PROVISIONED_SETTINGS, conf({ 'x.two': '2', 'x.one': '1', 'sip.u1.user': '101' }));
    boots.files.set(LOCAL_SETTINGS, conf({ 'y.local': '1', 'x.one': '3' }));
    const present = boots.boot('5.5');
    expect(boots.named('settings.unknown')).toEqual([
      { by: 'provisioned', keys: ['x.one', 'x.two'] },
      { by: 'local', keys: ['x.one', 'y.local'] },
    ]);
    present.apply(new Map([['z.new', '1']]));
    present.apply(new Map([['sip.u1.user', '102']]));
    expect(boots.named('settings.unknown').slice(2)).toEqual([{ by: 'provisioned', keys: ['z.new'] }]);
    expect(boots.named('settings.changed')).toEqual([
      { by: 'provisioned', keys: ['sip.u1.user', 'x.two', 'z.new'] },
      { by: 'provisioned', keys: ['sip.u1.user', 'z.new'] },
    ]);
  });
});

describe('a key that is set locally', () => {
  it('keeps its value when the server has another, and uncovers that one when it is given back', () => {
    const boots = new Boots();
    boots.files.set(LOCAL_SETTINGS, conf({ 'audio.page.vol': '-9dB' }));
    const present = boots.boot('5.5');
    const keys = present.apply(
      new Map([
        ['audio.page.vol', '-3dB'],
        ['sip.u1.user', '101'],
      ]),
    );
    expect(keys).toEqual(['sip.u1.user']);
    expect([present.settings.get('audio.page.vol'), present.settings.origin('audio.page.vol')]).toEqual([-9, 'local']);
    const givenBack = present.settings.withLocal(new Map());
    expect([givenBack.get('audio.page.vol'), givenBack.origin('audio.page.vol')]).toEqual([-3, 'provisioned']);
  });
});

describe('new settings on a running device', () => {
  it('that need a restart wait for the end of a call', async () => {
    const site = new Site();
    await site.powerOn(REGISTERS);
    await site.after(() => site.caller.call({ extension: '101', for: 10 * SECOND }), 2 * SECOND);
    site.forget();
    site.serve({ ...REGISTERS, 'sip.regexp': '600' });
    await site.after(() => site.sip.checkSync('101', false), 6 * SECOND);
    const watched = [
      'provisioning.applied',
      'call.ended',
      'registration.unregistered',
      'registration.registered',
      'provisioning.confirmed',
    ];
    expect(site.names(...watched)).toEqual(['provisioning.applied']);
    await site.after(() => undefined, 20 * SECOND);
    expect(site.names(...watched)).toEqual(watched);
    expect(site.named('call.ended')).toMatchObject([{ seconds: 10 }]);
  });

  it('that do not let it register are taken back, and the device can be paged again', async () => {
    const site = new Site();
    await site.powerOn(REGISTERS);
    site.forget();
    site.serve({ ...REGISTERS, 'sip.u1.pwd': 'wrong', 'sip.interop.checksync': 'always-reboot' });
    await site.after(() => site.sip.checkSync('101'), 330 * SECOND);
    expect(site.named('provisioning.rolled-back')).toMatchObject([
      {
        server: 'http://10.0.0.5/',
        keys: ['sip.interop.checksync', 'sip.u1.pwd'],
        detail: expect.stringMatching(/^no account registered within 300 s \(page: rejected\)$/),
      },
    ]);
    expect(JSON.stringify(site.events)).not.toContain('wrong');
    expect(site.names('provisioning.rolled-back', 'registration.registered')).toEqual([
      'provisioning.rolled-back',
      'registration.registered',
    ]);
    site.forget();
    await site.after(() => site.sip.checkSync('101'), 10 * SECOND);
    expect(site.named('provisioning.failed')).toMatchObject([{ stage: 'confirm' }]);
    await site.after(() => site.caller.call({ extension: '101', for: 2 * SECOND }), 5 * SECOND);
    expect(site.names('call.established', 'system.reboot')).toEqual(['call.established']);
  });
});
