/** A new configuration has to prove itself by a registration, or the last good one returns; also when power fails in between. */
import { describe, expect, it } from 'vitest';
import { utf8 } from '../../hal/base/bytes.js';
import { fail, ok } from '../../hal/base/result.js';
import { DAY, HOUR, MILLISECOND, SECOND } from '../../hal/base/time.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { MODEL, ProvisioningRig, type RigOptions } from './rig.js';

const GOOD = 'sip.proxy = good.test\nsip.u1.user = 101';
const BAD = 'sip.proxy = bad.test\nsip.u1.user = 101';
const WITHIN = 300 * SECOND;

const boot = (options: RigOptions = {}): ProvisioningRig => {
  const rig = new ProvisioningRig({ option66: 'http://192.0.2.9/', ...options });
  rig.start();
  return rig;
};
const sync = (rig: ProvisioningRig, file: string): void => {
  rig.sync();
  rig.serve({ [MODEL]: file });
};
/** Provisioned and registered with the good configuration. */
const registered = (options: RigOptions = {}): ProvisioningRig => {
  const rig = boot(options);
  rig.serve({ [MODEL]: GOOD });
  rig.register();
  return rig;
};
/** What has been said of trials. */
const said = (rig: ProvisioningRig): string[] =>
  rig.events.map(({ event }) => event).filter((event) => /applied|unchanged|confirm|rolled|failed/.test(event));
/** The same flash after a power cut. */
const reboot = (rig: ProvisioningRig, options: RigOptions = {}): ProvisioningRig => {
  rig.actor.stop();
  return boot({ files: new Map(rig.files), ...options });
};

describe('a configuration on trial', () => {
  it('is final at once where the one before had never registered', () => {
    const rig = boot();
    rig.serve({ [MODEL]: GOOD });
    sync(rig, BAD);
    rig.restartInVain();
    rig.clock.run(DAY);
    expect(said(rig)).toEqual(['provisioning.applied', 'provisioning.applied']);
    expect(rig.store.list('provisioning/')).toEqual(['provisioning/validators.conf']);
  });

  it('is confirmed by a registration', () => {
    const rig = registered();
    sync(rig, 'sip.proxy = better.test\nsip.u1.user = 101');
    expect(rig.told().at(-1)).toEqual({ event: 'provisioning.confirming', within: WITHIN });
    rig.clock.run(20 * SECOND);
    rig.register();
    expect(rig.named('provisioning.confirmed')).toEqual([{ event: 'provisioning.confirmed', after: expect.closeTo(20 * SECOND, -3) }]);
    rig.clock.run(DAY);
    expect(said(rig)).toEqual(['provisioning.applied', 'provisioning.applied', 'provisioning.confirming', 'provisioning.confirmed']);
    expect(rig.stored).toContain('better.test');
    expect(rig.store.list('provisioning/')).toEqual(['provisioning/registered.conf', 'provisioning/validators.conf']);
  });

  it('is taken back when none comes, in one transaction, and the services hear of it', () => {
    const rig = registered();
    const before = rig.stored;
    sync(rig, `${BAD}\naudio.page.vol = -6dB`);
    rig.restartInVain();
    const commits = rig.store.committed.length;
    rig.clock.run(WITHIN - SECOND);
    expect(rig.named('provisioning.rolled-back')).toEqual([]);
    rig.clock.run(2 * SECOND);
    expect(rig.named('provisioning.rolled-back')).toEqual([
      {
        event: 'provisioning.rolled-back',
        server: 'http://192.0.2.9/',
        keys: ['audio.page.vol', 'sip.proxy'],
        detail: 'no account registered within 300 s (page: no-reply)',
        mend: expect.stringContaining('prov.confirm = 0'),
      },
    ]);
    expect(rig.notices.filter(({ type }) => type === 'configuration.changed').at(-1)).toMatchObject({
      keys: ['audio.page.vol', 'sip.proxy'],
    });
    expect({ stored: rig.stored, proxy: rig.settings.text('sip.proxy') }).toEqual({ stored: before, proxy: 'good.test' });
    expect(rig.store.committed.slice(commits)).toHaveLength(1);
  });

  it('is not put on trial where nothing that registers changed, or prov.confirm is 0', () => {
    const rig = registered();
    sync(rig, `${GOOD}\naudio.page.vol = -6dB\nsip.nonsense = 1`);
    sync(rig, `${BAD}\nprov.confirm = 0`);
    expect(said(rig)).toEqual(['provisioning.applied', 'provisioning.applied', 'provisioning.applied']);
  });

  it('does not count a key that is locally overridden', () => {
    const rig = registered({ local: { 'sip.proxy': 'here.test' } });
    sync(rig, BAD);
    expect(said(rig)).toEqual(['provisioning.applied', 'provisioning.applied']);
    expect(rig.settings.text('sip.proxy')).toBe('here.test');
  });

  it('is not confirmed by services that still run with the settings before', () => {
    const rig = registered();
    sync(rig, BAD);
    rig.refresh();
    expect(rig.named('provisioning.confirmed')).toEqual([]);
  });

  it('is given its time again while a call keeps the services before, or there is no link: neither proves anything', () => {
    const rig = registered();
    sync(rig, BAD);
    rig.clock.run(WITHIN + SECOND);
    rig.restartInVain();
    rig.linkUp = false;
    rig.clock.run(2 * WITHIN);
    expect(rig.named('provisioning.rolled-back')).toEqual([]);
    rig.linkUp = true;
    rig.clock.run(WITHIN);
    expect(rig.named('provisioning.rolled-back')).toHaveLength(1);
    expect(rig.named('provisioning.confirming')).toHaveLength(1);
  });

  it('replaced by another, leaves what was good before it', () => {
    const rig = registered();
    sync(rig, BAD);
    rig.restartInVain();
    rig.clock.run(200 * SECOND);
    sync(rig, 'sip.proxy = worse.test\nsip.u1.user = 101');
    rig.restartInVain();
    rig.clock.run(200 * SECOND);
    expect(rig.named('provisioning.rolled-back')).toEqual([]);
    rig.clock.run(101 * SECOND);
    expect(rig.settings.text('sip.proxy')).toBe('good.test');
  });

  it('registers while it is being replaced: that says nothing of what replaces it', () => {
    const rig = registered();
    sync(rig, 'sip.proxy = better.test\nsip.u1.user = 101');
    rig.sync();
    rig.answer({ [MODEL]: BAD });
    rig.register();
    expect(rig.named('provisioning.confirmed')).toEqual([]);
    rig.restartInVain();
    rig.clock.run(WITHIN + SECOND);
    expect(rig.settings.text('sip.proxy')).toBe('good.test');
  });

  it('replaced by the good one again, is over', () => {
    const rig = registered();
    sync(rig, BAD);
    rig.restartInVain();
    sync(rig, `${GOOD}\naudio.page.vol = -6dB`);
    rig.clock.run(DAY);
    expect(rig.named('provisioning.rolled-back')).toEqual([]);
    expect(rig.settings.text('sip.proxy')).toBe('good.test');
  });
});

describe('what was rolled back', () => {
  const rolledBack = (): ProvisioningRig => {
    const rig = registered();
    sync(rig, BAD);
    rig.restartInVain();
    rig.clock.run(WITHIN + SECOND);
    return rig;
  };

  it('is not applied again, which is said at each run, until its content changes', () => {
    const rig = rolledBack();
    for (const file of [BAD, `# again\n${BAD}`]) {
      sync(rig, file);
      expect(rig.told().at(-1)).toMatchObject({ event: 'provisioning.failed', stage: 'confirm', kind: 'refused' });
    }
    expect(rig.settings.text('sip.proxy')).toBe('good.test');
    const runs = rig.streams.length;
    rig.clock.run(HOUR);
    expect(rig.streams).toHaveLength(runs);
    sync(rig, 'sip.proxy = mended.test\nsip.u1.user = 101');
    expect(rig.settings.text('sip.proxy')).toBe('mended.test');
  });

  it('is not applied after a reboot either', () => {
    const rig = reboot(rolledBack());
    rig.serve({ [MODEL]: BAD });
    expect(said(rig)).toEqual(['provisioning.failed']);
    expect(rig.settings.text('sip.proxy')).toBe('good.test');
  });

  it('is forgotten when the server has what counts', () => {
    const rig = rolledBack();
    sync(rig, GOOD);
    expect(said(rig).at(-1)).toBe('provisioning.unchanged');
    sync(rig, GOOD);
    expect(said(rig).at(-1)).toBe('provisioning.unchanged');
    expect(rig.store.list('provisioning/rejected')).toEqual([]);
  });

  it('stays where the flash fails, and its trial begins anew', () => {
    const rig = registered();
    sync(rig, BAD);
    rig.restartInVain();
    rig.store.outcome = fail('io', 'the chip does not answer');
    rig.clock.run(WITHIN + SECOND);
    expect(rig.named('provisioning.failed')).toMatchObject([{ stage: 'storage', kind: 'io' }]);
    expect(rig.settings.text('sip.proxy')).toBe('bad.test');
    rig.store.outcome = ok(undefined);
    rig.clock.run(WITHIN + SECOND);
    expect(rig.settings.text('sip.proxy')).toBe('good.test');
  });
});

describe('a power cut', () => {
  it('within a trial: the next boot says what counts, and the trial begins anew', () => {
    const before = registered();
    sync(before, BAD);
    before.restartInVain();
    before.clock.run(200 * SECOND);
    const rig = reboot(before);
    expect(said(rig).slice(0, 2)).toEqual(['provisioning.applied', 'provisioning.confirming']);
    expect(rig.events.find(({ event }) => event === 'provisioning.applied')).toMatchObject({
      changed: ['sip.proxy'],
      server: 'http://192.0.2.9/',
    });
    rig.serve({ [MODEL]: BAD });
    rig.restartInVain();
    rig.clock.run(WITHIN + SECOND);
    expect(rig.settings.text('sip.proxy')).toBe('good.test');
    expect(reboot(rig).settings.text('sip.proxy')).toBe('good.test');
  });

  it('within a trial that never gets an address: the last good configuration returns without provisioning', () => {
    const before = registered();
    sync(before, BAD);
    before.actor.stop();
    const rig = new ProvisioningRig({ option66: 'http://192.0.2.9/', files: before.files });
    rig.actor.start();
    rig.clock.run(WITHIN + SECOND);
    expect(rig.named('provisioning.rolled-back')).toMatchObject([{ detail: 'no account registered within 300 s (no network)' }]);
    expect(rig.settings.text('sip.proxy')).toBe('good.test');
    rig.send({ type: 'begin' });
    rig.serve({ [MODEL]: BAD });
    expect(said(rig).at(-1)).toBe('provisioning.failed');
  });

  it('between the commit and its report: the next boot reports what counts, once', () => {
    const before = boot();
    const files = before.files;
    before.serve({ [MODEL]: GOOD });
    const [commit] = before.store.committed;
    expect(commit).toContain('settings/provisioned.conf');
    // As the flash was after that transaction: what made it final is undone.
    files.set('provisioning/unfinished.conf', utf8('files = algop8180g2.conf\nserver = http://192.0.2.9/\nwithin = 0\n'));
    files.set('provisioning/good.conf', new Uint8Array(0));
    const rig = reboot(before);
    expect(rig.told()[0]).toEqual({
      event: 'provisioning.applied',
      server: 'http://192.0.2.9/',
      files: ['algop8180g2.conf'],
      changed: ['sip.proxy', 'sip.u1.user'],
      clientCertificate: '',
    });
    rig.serve({ [MODEL]: GOOD });
    expect(said(rig)).toEqual(['provisioning.applied', 'provisioning.unchanged']);
    expect(said(reboot(rig))).toEqual([]);
  });

  it('leaves what the state files hold readable, whatever they hold', () => {
    for (const text of ['', 'within = x', 'within = 300000000', '1.url = a', '\0\0\0', 'mark = 1\nat = y']) {
      const bytes = utf8(text);
      const names = ['unfinished', 'validators', 'registered', 'rejected'].map((name) => `provisioning/${name}.conf`);
      const rig = boot({ files: new Map(names.map((name) => [name, bytes])) });
      rig.serve({ [MODEL]: GOOD });
      expect({ text, proxy: rig.settings.text('sip.proxy') }).toEqual({ text, proxy: 'good.test' });
    }
  });
});

describe('that the configuration before had registered', () => {
  const laterBoot = (rig: ProvisioningRig, after: number, trust: 'rtc' | 'none' = 'rtc'): ProvisioningRig => {
    const clock = new VirtualClock(Date.UTC(2026, 0, 1) + (rig.clock.now() + after) / MILLISECOND, trust);
    const next = reboot(rig, { clock });
    next.serve({ [MODEL]: BAD });
    return next;
  };

  it('is known after a reboot, for a day', () => {
    expect(said(laterBoot(registered(), 23 * HOUR))).toContain('provisioning.confirming');
    expect(said(laterBoot(registered(), 25 * HOUR))).not.toContain('provisioning.confirming');
  });

  it('is known as long as it stays registered, and written down four times a day', () => {
    const rig = registered();
    const commits = rig.store.committed.length;
    for (let hours = 0; hours < 72; hours++) {
      rig.clock.run(HOUR);
      rig.refresh();
    }
    expect(rig.store.committed.length - commits).toBe(12);
    expect(said(laterBoot(rig, 17 * HOUR))).toContain('provisioning.confirming');
  });

  it('counts as recent where nobody knows the time', () => {
    expect(said(laterBoot(registered(), 30 * DAY, 'none'))).toContain('provisioning.confirming');
  });

  it('is not said of other settings', () => {
    const rig = reboot(registered(), { local: { 'sip.u1.user': '999' } });
    rig.serve({ [MODEL]: BAD });
    expect(said(rig)).not.toContain('provisioning.confirming');
  });
});
