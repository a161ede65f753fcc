/** NOTIFY check-sync over SIP, from the server to the reboot of the board: both modes, and never during a call. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { SECOND } from '../../hal/base/time.js';
import { REGISTERS, Site } from './site.js';

const WATCHED = [
  'provisioning.requested',
  'provisioning.applied',
  'provisioning.unchanged',
  'provisioning.confirmed',
  'call.ended',
  'system.reboot',
  'registration.unregistered',
  'endpoint.stopped',
  'boot.ready',
  'registration.registered',
];
const REBOOT = ['system.reboot', 'registration.unregistered', 'endpoint.stopped', 'boot.ready'];
const said = (site: Site): string[] => site.names(...WATCHED);

async function site(settings: Record<string, string> = {}): Promise<Site> {
  const made = new Site();
  await made.powerOn({ ...REGISTERS, ...settings });
  expect(said(made)).toEqual(['boot.ready', 'provisioning.applied', 'registration.registered']);
  made.forget();
  return made;
}

// The state machines' library warns of a machine that is called back while it is busy.
const warned = vi.spyOn(console, 'warn');
afterEach(() => expect(warned).not.toHaveBeenCalled());

describe('check-sync', () => {
  it('conditional: nothing new, nothing happens', async () => {
    const made = await site();
    await made.after(() => made.sip.checkSync('101'), 10 * SECOND);
    expect(made.lab.logged('server.notified')).toMatchObject([{ account: '101', status: 200 }]);
    expect(made.named('provisioning.requested')).toMatchObject([{ by: 'check-sync' }]);
    expect(said(made)).toEqual(['provisioning.requested', 'provisioning.unchanged']);
  });

  it('conditional: a setting that counts at once is applied without a reboot', async () => {
    const made = await site();
    made.serve({ ...REGISTERS, 'prov.sync.time': '03:00' });
    await made.after(() => made.sip.checkSync('101'), 10 * SECOND);
    expect(said(made)).toEqual(['provisioning.requested', 'provisioning.applied']);
  });

  it('conditional: a setting that needs it is followed by a reboot in order, and proves itself after it', async () => {
    const made = await site();
    made.serve({ ...REGISTERS, 'sip.regexp': '600' });
    await made.after(() => made.sip.checkSync('101'), 30 * SECOND);
    expect(made.named('system.reboot')).toMatchObject([{ why: 'check-sync' }]);
    expect(made.named('boot.ready')).toMatchObject([{ reason: 'reboot' }]);
    expect(said(made)).toEqual([
      'provisioning.requested',
      'provisioning.applied',
      ...REBOOT,
      // The report of what counts is repeated as long as it is not final.
      'provisioning.applied',
      'provisioning.unchanged',
      'registration.registered',
      'provisioning.confirmed',
    ]);
    expect(made.named('registration.registered')).toMatchObject([{ expires: 600 }]);
  });

  it('always: reboots, whatever the server has', async () => {
    const made = await site({ 'sip.interop.checksync': 'always-reboot' });
    const asked = made.lab.logged('server.request').length;
    await made.after(() => made.sip.checkSync('101'), 20 * SECOND);
    expect(said(made)).toEqual([...REBOOT, 'provisioning.unchanged', 'registration.registered']);
    // What the files were known by has survived the reboot: none of them is sent again.
    expect(
      made.lab
        .logged('server.request')
        .slice(asked)
        .map(({ status }) => status),
    ).toEqual([404, 304]);
  });

  it.each([
    [true, 'conditional-reboot', [...REBOOT, 'provisioning.unchanged', 'registration.registered']],
    [false, 'always-reboot', ['provisioning.requested', 'provisioning.unchanged']],
  ] as const)('reboot=%s counts more than %s', async (reboot, mode, expected) => {
    const made = await site({ 'sip.interop.checksync': mode });
    await made.after(() => made.sip.checkSync('101', reboot), 20 * SECOND);
    expect(said(made)).toEqual(expected);
  });

  it('reboot=false: what needs a restart restarts what runs, and not the board', async () => {
    const made = await site();
    made.serve({ ...REGISTERS, 'sip.regexp': '600' });
    await made.after(() => made.sip.checkSync('101', false), 20 * SECOND);
    expect(said(made)).toEqual([
      'provisioning.requested',
      'provisioning.applied',
      'registration.unregistered',
      'registration.registered',
      'provisioning.confirmed',
    ]);
  });

  it.each([
    ['conditional', {}, { 'sip.regexp': '600' }],
    ['always', { 'sip.interop.checksync': 'always-reboot' }, {}],
  ])('%s, during a call: the reboot waits for its end', async (_name, settings, changed) => {
    const made = await site(settings);
    await made.after(() => made.caller.call({ extension: '101', for: 10 * SECOND }), 2 * SECOND);
    made.serve({ ...REGISTERS, ...settings, ...changed });
    await made.after(() => made.sip.checkSync('101'), 6 * SECOND);
    expect(made.lab.logged('server.notified')).toMatchObject([{ status: 200 }]);
    expect(made.names('system.reboot', 'call.ended')).toEqual([]);
    await made.after(() => undefined, 20 * SECOND);
    expect(made.names('system.reboot', 'call.ended', 'boot.ready')).toEqual(['call.ended', 'system.reboot', 'boot.ready']);
    expect(made.named('call.ended')).toMatchObject([{ by: 'peer', seconds: 10 }]);
  });
});
