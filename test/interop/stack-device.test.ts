/** A whole device on `hal/stack` in a network of the kernel's, on a bad cable: from DHCP to a registration over TLS, and back. */
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { board8180g2 } from '../../boards/8180-g2.js';
import { writePem } from '../../core/certs/pem.codec.js';
import { utf8 } from '../../hal/base/bytes.js';
import { SECOND } from '../../hal/base/time.js';
import { nodePlatform } from '../../hal/node/index.js';
import { makeTestPki } from '../support/test-pki.js';
import { dissect, saveCapture, WRONG } from './capture.js';
import { type Logs, startServers } from './linux-servers.js';
import { makeImage, StackDevice } from './stack-device.js';
import { type Cable, describeCable, plug, until, type Way } from './tap.js';

const KERNEL = '10.77.1.1';
const NAME = 'pbx.example.test';
const MAC = '0022EE0A0077';
const PASSWORD = 'correct horse';
const LOSS = 0.03;
/** Each boots a new unit, and loses other frames: of DHCP, DNS, handshakes, files, the end. */
const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
/** A boot takes about a second; a lost frame now and then a retransmission timeout, or a DHCP client's four seconds. */
const PATIENCE_S = 60;

const OWN_NAME = `algom${MAC}.conf`;
const OWN_FILE = `
sip.proxy = ${NAME}
sip.transp = tls
sip.tls.cert = 1
sip.u1.user = lobby
sip.u1.auth = lobby
sip.u1.pwd = ${PASSWORD}
`;
/** As long as a device takes, so that there are frames to lose. */
const MODEL_FILE = `audio.page.vol = -6dB\n${'# what every unit of this model has\n'.repeat(1600)}`;

describeCable('a device on the stack, on a cable that loses frames', ['dnsmasq', 'nginx', 'kamailio', 'ss', 'tshark'], () => {
  let folder: string;
  let cable: Cable;
  let logs: Logs;
  const total = { toKernel: 0, fromKernel: 0 };

  beforeAll(async () => {
    folder = mkdtempSync(`${tmpdir()}/belfry-`);
    const pki = makeTestPki(nodePlatform(), { mac: MAC, serverName: NAME, at: Date.now() });
    cable = await plug(`${KERNEL}/24`);
    const served = { 'algop8180g2.conf': MODEL_FILE, [OWN_NAME]: OWN_FILE };
    logs = await startServers({ cable, folder, address: KERNEL, name: NAME, pki, files: served, user: 'lobby', password: PASSWORD });
    const identity = { chain: pki.device.chain, pkcs8: pki.pkcs8.device };
    const anchors = { set: 'none', version: '1', certificates: [] };
    const factory = { board: board8180g2.id, mac: MAC, serial: `BLF${MAC}`, made: Date.now(), password: PASSWORD, identity, anchors };
    const files = new Map([['certs/trusted/site.pem', utf8(writePem('CERTIFICATE', pki.root))]]);
    await makeImage(`${folder}/new.flash`, board8180g2, factory, { settings: new Map([['prov.download.cert', '1']]), files });
  });

  afterAll(async () => {
    await cable?.close();
    rmSync(folder, { recursive: true });
  });

  it.each(SEEDS)('is provisioned by nginx and registers at Kamailio, both by mutual TLS (seed %d)', async (seed) => {
    const image = `${folder}/${seed}.flash`;
    copyFileSync(`${folder}/new.flash`, image);
    const before = { frames: cable.frames.length, nginx: logs.nginx().length, kamailio: logs.kamailio().length };

    const losses = cable.lose(LOSS, seed);
    const device = new StackDevice(cable, MAC, board8180g2, image);
    onTestFinished(device.close);
    const applied = await device.event('provisioning.applied', PATIENCE_S);
    const registered = await device.event('registration.registered', PATIENCE_S);
    await device.shutdown();
    const kamailio = (): string => logs.kamailio().slice(before.kamailio);
    await until(() => kamailio().includes(`SAVED lobby CN=${MAC} expires=0`), PATIENCE_S);
    total.toKernel += losses.toKernel.dropped;
    total.fromKernel += losses.fromKernel.dropped;

    expect(applied).toMatchObject({ server: `https://${NAME}/`, clientCertificate: MAC });
    expect(registered).toMatchObject({ account: 'page', transport: 'tls', expires: 3600 });
    const mutual = (service: string) => expect.objectContaining({ event: 'tls.accepted', service, verified: true, clientCertificate: MAC });
    expect(device.events).toEqual(expect.arrayContaining([mutual('provisioning'), mutual('sip')]));
    const fetched = logs.nginx().slice(before.nginx);
    for (const name of ['algop8180g2.conf', OWN_NAME])
      expect(fetched).toMatch(new RegExp(`"GET /${name} HTTP/1.1" 200 \\d+ TLSv1.3 SUCCESS CN=${MAC}`));
    expect(kamailio()).toContain(`IN REGISTER tls verified=1 CN=${MAC}`);
    expect(kamailio()).toContain(`SAVED lobby CN=${MAC} expires=3600`);
    expect(kamailio()).not.toContain('NOT SENT');
    expect(device.counters).toMatchObject({ malformed: 0, badChecksum: 0, fragments: 0, overflow: 0 });

    const capture = `${folder}/${seed}.pcapng`;
    saveCapture(capture, cable.frames.slice(before.frames), device.secrets);
    expect(dissect(capture, WRONG)).toEqual([]);
    // Asked for credentials, registered, and back.
    expect(dissect(capture, 'tls && sip.Method == "REGISTER"').length).toBeGreaterThanOrEqual(3);
    const way = ({ dropped, frames }: Way): string => `${dropped} of ${frames}`;
    const seconds = (registered.at / SECOND).toFixed(1);
    console.log(
      `seed ${seed}: registered after ${seconds} s; lost ${way(losses.toKernel)} frames to the kernel and ${way(losses.fromKernel)} from it`,
    );
  });

  it('has lost frames both ways', () => {
    console.log(`lost ${total.toKernel} frames to the kernel and ${total.fromKernel} from it`);
    expect(Math.min(total.toKernel, total.fromKernel)).toBeGreaterThanOrEqual(SEEDS.length);
  });

  it('would notice a wrong checksum', () => {
    const file = `${folder}/broken.pcapng`;
    const frame = cable.frames.find(({ direction, bytes }) => direction === 'out' && bytes.length > 500)!;
    const bytes = frame.bytes.slice();
    bytes[400]! ^= 1;
    saveCapture(file, [{ ...frame, bytes }]);
    expect(dissect(file, WRONG)).toHaveLength(1);
  });
});
