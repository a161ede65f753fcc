/** The same core in clear over UDP: SIPp calls it directly, baresip through Kamailio. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { describeLab, Lab } from '../support/lab.js';
import { BELFRY, DEVICE_ADDRESS, Device } from './device.js';

const TARGET = `${DEVICE_ADDRESS}:5060`;
const REGISTERED = {
  'sip.transp': 'udp',
  'sip.proxy': 'sip.example.test',
  'sip.obproxy': '127.0.0.1:5060',
  'sip.u1.user': 'dev1',
  'sip.u1.pwd': 'dev1pw',
};

describeLab('calls in clear over UDP in the lab', () => {
  let lab: Lab;
  let image: string;
  let device: Device | undefined;
  let runs = 0;

  beforeAll(async () => {
    lab = new Lab();
    image = `${lab.run}/factory.flash`;
    const args = ['factory', 'device', '--board', '8028-g1', '--mac', '020000AB0101', '--no-certificate', '--out', image];
    const { status, text } = await lab.jail.run(process.execPath, [BELFRY, ...args]);
    expect(status, text).toBe(0);
  });
  afterEach(async () => {
    await device?.kill();
    device = undefined;
    await lab.script('ua.sh', 'stop', 'B');
  });
  afterAll(() => lab.close());

  const start = (settings: Readonly<Record<string, string>>): Device => {
    device = new Device({ jail: lab.jail, image, folder: `${lab.run}/device-${++runs}`, settings });
    return device;
  };

  it('answers SIPp: calls one after another, an offer that comes late, hold and resume, OPTIONS', async () => {
    const unit = start({ 'sip.transp': 'udp' });
    await unit.event('boot.ready');
    const sipp = (scenario: string, ...options: string[]): Promise<string> =>
      lab.script('sipp.sh', scenario, TARGET, `domain=${DEVICE_ADDRESS}`, 'to=page', ...options);
    expect(await sipp('uac', 'm=5', 'r=5', 'l=1', 'd=200')).toContain('ok=5 failed=0');
    expect(await sipp('uac_delayed', 'd=300')).toContain('ok=1 failed=0');
    expect(await sipp('uac_hold')).toContain('ok=1 failed=0');
    expect(await sipp('uac_refused', 'profile=RTP/SAVP')).toContain('ok=1 failed=0');
    expect(await sipp('options', 'm=100', 'r=50')).toContain('ok=100 failed=0');
    await unit.stop();
    expect(unit.all('call.ended')).toHaveLength(7);
    expect(unit.all('call.rejected')).toEqual([expect.objectContaining({ status: 488 })]);
  });

  it('registers at Kamailio and plays what baresip says', async () => {
    await lab.script('mkpki.sh');
    await lab.script('kam.sh', 'start');
    await lab.script(
      'ua.sh',
      'start',
      'B',
      'user=bob',
      'port=5080',
      'ctrl=4480',
      'rtp=22000-22098',
      'hz=1000',
      'transport=udp',
      'enc=none',
    );
    const unit = start(REGISTERED);
    expect(await unit.event('registration.registered')).toMatchObject({ server: '127.0.0.1:5060', transport: 'udp' });
    await lab.script('ua.sh', 'dial', 'B', 'sip:dev1@sip.example.test');
    expect(await unit.event('call.established')).toMatchObject({ codec: 'PCMU', srtp: 'none' });
    await unit.played(3.6);
    await lab.script('ua.sh', 'hangup', 'B');
    await unit.event('call.ended');
    await unit.stop();
    expect(unit.all('registration.unregistered')).toHaveLength(1);
    expect(await lab.listen(unit.speaker, 1000, 3)).toMatch(/^ok/);
  });
});
