/**
 * A secure page over real sockets, against nginx, Kamailio and baresip with mutual TLS required by both servers. libsrtp2 and tshark
 * read the device's own capture; the lab's judge of recordings listens.
 */
import { writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { describeLab, Lab } from '../support/lab.js';
import { dissect } from './capture.js';
import { BELFRY, confText, DEVICE_ADDRESS, Device, type DeviceOptions } from './device.js';

/** The lab's device certificate has it as CN, its registrar knows the account, and its nginx serves this unit's file to it alone. */
const MAC = '020000AB0101';
const ACCOUNT = { 'sip.proxy': 'sip.example.test', 'sip.u1.user': 'dev1', 'sip.u1.pwd': 'dev1pw' };
const PAGED = 'sip:dev1@sip.example.test';
/** Both validate their server: this is about certificates. */
const VALIDATING = { 'prov.download.cert': '1' };
/** The page as it is heard; the judge wants three seconds of it. */
const PAGE_SECONDS = 3.6;
const SUITE = 'AES_CM_128_HMAC_SHA1_80';

describeLab('a secure page in the lab', () => {
  let lab: Lab;
  let image: string;
  let device: Device | undefined;
  let runs = 0;

  beforeAll(async () => {
    lab = new Lab();
    await lab.script('mkpki.sh');
    await Promise.all([lab.script('kam.sh', 'start', '--mutual'), lab.script('prov.sh', 'start')]);
    image = `${lab.run}/factory.flash`;
    await belfry('factory', 'device', '--board', '8180-g2', '--mac', MAC, ...certificate(lab), '--out', image);
    await belfry('flash', 'put', image, 'certs/trusted/lab.pem', lab.pki('root.crt'));
  });
  afterEach(async () => {
    await device?.kill();
    device = undefined;
    await lab.script('ua.sh', 'stop', 'B');
  });
  afterAll(() => lab.close());

  const belfry = async (...args: string[]): Promise<void> => {
    const { status, text } = await lab.jail.run(process.execPath, [BELFRY, ...args]);
    expect(status, text).toBe(0);
  };

  const start = (options: Omit<DeviceOptions, 'jail' | 'image' | 'folder'>): Device => {
    device = new Device({ jail: lab.jail, image, folder: `${lab.run}/device-${++runs}`, ...options });
    return device;
  };

  /** What nginx answers with to this unit. */
  const provisioned = (srtp: string): void =>
    writeFileSync(
      `${lab.run}/www/prov/algom${MAC}.conf`,
      confText({
        ...ACCOUNT,
        'sip.obproxy': '127.0.0.1:5061',
        'sip.transp': 'tls',
        'sip.tls.cert': '1',
        ...(srtp === '' ? {} : { 'sip.srtp': srtp }),
      }),
    );

  it('is provisioned by nginx and registers at Kamailio, which both see the device certificate', async () => {
    provisioned('standard');
    const unit = start({ settings: VALIDATING, provision: 'https://127.0.0.1:8443/prov/' });
    const registered = await unit.event('registration.registered');
    expect(registered).toMatchObject({ server: '127.0.0.1:5061', transport: 'tls' });
    expect(await unit.event('provisioning.applied')).toMatchObject({ clientCertificate: MAC });
    for (const accepted of unit.all('tls.accepted')) expect(accepted).toMatchObject({ verified: true, anchor: 'CN=Lab Root CA,O=Lab' });
    await unit.stop();
    await unit.event('registration.unregistered');
    expect(lab.log('nginx')).toMatch(new RegExp(`:8443 "GET /prov/algom${MAC}\\.conf HTTP/1\\.1" 200 .*verify=SUCCESS cn=${MAC}`));
    expect(lab.log('kamailio')).toMatch(new RegExp(`IN REGISTER .* port=5061 .*clientcert=1 cn=${MAC} from=dev1`));
  });

  it.each([
    ['', 'srtp-mand', '488'],
    ['', 'srtp', 'clear'],
    ['', 'none', 'clear'],
    ['optional', 'srtp-mand', 'SRTP'],
    ['optional', 'srtp', 'SRTP'],
    ['optional', 'none', 'clear'],
    ['standard', 'srtp-mand', 'SRTP'],
    ['standard', 'srtp', 'SRTP'],
    ['standard', 'none', '488'],
  ] as const)('device sip.srtp "%s" called by baresip %s: %s', async (srtp, mode, expected) => {
    provisioned(srtp);
    const caller = ['user=bob', 'port=5080', 'ctrl=4480', 'rtp=22000-22098', 'hz=1000', `enc=${mode}`, 'cert=device-other'];
    await lab.script('ua.sh', 'start', 'B', ...caller);
    const unit = start({ settings: VALIDATING, provision: 'https://127.0.0.1:8443/prov/' });
    await unit.event('registration.registered');
    await lab.script('ua.sh', 'dial', 'B', PAGED);
    if (expected === '488') await refused(unit);
    else await heard(unit, expected === 'SRTP');
  });

  const refused = async (unit: Device): Promise<void> => {
    expect(await unit.event('call.rejected')).toMatchObject({ status: 488 });
    await lab.script('ua.sh', 'wait', 'B', 'SIP/2.0 488', '30');
    await unit.stop();
    expect(unit.all('call.established')).toEqual([]);
    expect(unit.all('media.started')).toEqual([]);
  };

  const heard = async (unit: Device, secured: boolean): Promise<void> => {
    expect(await unit.event('call.established')).toMatchObject({ srtp: secured ? SUITE : 'none' });
    await unit.played(PAGE_SECONDS);
    await lab.script('ua.sh', 'hangup', 'B');
    expect(await unit.event('call.ended')).toMatchObject({ by: 'peer' });
    await unit.stop();
    expect(unit.all('media.secured').map(({ suite }) => suite)).toEqual(secured ? [SUITE] : []);
    expect(await lab.listen(unit.speaker, 1000, 3)).toMatch(/^ok/);
    await captured(unit, secured);
  };

  /** libsrtp2's word on each direction, with the keys of the SDP in the capture; tshark opens the TLS with what the capture itself holds. */
  const captured = async (unit: Device, secured: boolean): Promise<void> => {
    const messages = dissect(unit.capture, 'sip').join('\n');
    for (const method of ['REGISTER', 'INVITE', 'ACK', 'BYE']) expect(messages).toMatch(new RegExp(`Request: ${method} `));
    const classic = `${unit.capture}.pcap`;
    await lab.jail.run('tshark', ['-r', unit.capture, '-F', 'pcap', '-w', classic]);
    const streams = (await lab.script('srtp.sh', 'check', classic)).split('\n').filter((line) => line.startsWith('port '));
    expect(streams).toHaveLength(2);
    for (const stream of streams) expect(stream).toMatch(secured ? SECURED : CLEAR);
    const tone = secured
      ? /"strongestHz":1000,"share":(1|0\.9\d*)} \| read as plain: .*"share":0(\.0\d*)?}$/
      : /"strongestHz":1000,"share":(1|0\.9\d*)}$/;
    expect(streams.filter((stream) => tone.test(stream))).toHaveLength(1);
  };
  const SECURED = new RegExp(` SRTP ${SUITE} .*"authFail":0`);
  const CLEAR = /NOT decodable as SRTP; as plain RTP/;

  it('refuses the rogue provisioning server: no request, no application data, and the event says why', async () => {
    const unit = start({ settings: VALIDATING, provision: 'https://127.0.0.1:8446/prov/' });
    expect(await unit.event('tls.refused')).toMatchObject(roguesRefusal('provisioning', '127.0.0.1:8446'));
    await unit.event('provisioning.failed');
    await unit.stop();
    expect(lab.log('nginx')).not.toMatch(/:8446 "/);
    saidHelloOnly(unit, 8446);
  });

  it('refuses the rogue registrar: no REGISTER, no application data, and the event says why', async () => {
    const settings = { ...ACCOUNT, 'sip.obproxy': '127.0.0.1:5067', 'sip.transp': 'tls', 'sip.tls.cert': '1' };
    const unit = start({ settings });
    expect(await unit.event('tls.refused')).toMatchObject(roguesRefusal('sip', '127.0.0.1:5067'));
    await unit.event('registration.failed');
    await unit.stop();
    expect(lab.log('kamailio')).not.toMatch(/IN .* port=5067/);
    saidHelloOnly(unit, 5067);
  });

  const roguesRefusal = (service: string, peer: string): object => ({
    service,
    peer,
    by: 'us',
    rule: 'unknown-issuer',
    subject: 'CN=sip.example.test,O=Lab',
    clock: expect.stringMatching(/^20\d\d-\d\d-\d\dT/),
    detail: expect.stringContaining('CN=Rogue CA,O=Rogue'),
    mend: expect.stringContaining('certs/trusted'),
  });

  /** The server's handshake came whole; from us there is not one TLS record after the ClientHello that began it. */
  const saidHelloOnly = (unit: Device, port: number): void => {
    const theirs = dissect(unit.capture, `tcp.srcport == ${port} && tls.handshake.type == 20`);
    expect(theirs.length).toBeGreaterThan(0);
    const ours = dissect(unit.capture, `ip.src == ${DEVICE_ADDRESS} && tcp.dstport == ${port} && tcp.len > 0`);
    expect(ours.length).toBeGreaterThan(0);
    for (const frame of ours) expect(frame).toMatch(/ Client Hello *$/);
  };
});

const certificate = (lab: Lab): string[] => ['--cert', lab.pki('device-full.pem'), '--key', lab.pki('device.key')];
