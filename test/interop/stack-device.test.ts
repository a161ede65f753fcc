/** A whole device on `hal/stack` in a network of the kernel's, on a bad cable: from DHCP to a registration over TLS, and back. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { board8180g2 } from '../../boards/8180-g2.js';
import { writePem } from '../../core/certs/pem.codec.js';
import { utf8 } from '../../hal/base/bytes.js';
import { nodePlatform } from '../../hal/node/index.js';
import { makeTestPki } from '../support/test-pki.js';
import { dissect, saveCapture, WRONG } from './capture.js';
import { type Logs, startServers } from './linux-servers.js';
import { makeImage, StackDevice } from './stack-device.js';
import { type Cable, describeCable, plug, until } from './tap.js';

const KERNEL = '10.77.1.1';
const NAME = 'pbx.example.test';
const MAC = '0022EE0A0077';
const LOSS = 0.03;
/** A boot takes about a second; a lost frame now and then a retransmission timeout, or a DHCP client's four seconds. */
const PATIENCE_S = 60;

const OWN_FILE = `
sip.proxy = ${NAME}
sip.transp = tls
sip.tls.cert = 1
sip.u1.user = lobby
sip.u1.auth = lobby
sip.u1.pwd = correct horse
`;
/** As long as a device takes, so that there are frames to lose. */
const MODEL_FILE = `audio.page.vol = -6dB\n${'# what every unit of this model has\n'.repeat(1600)}`;

describeCable('a device on the stack, on a cable that loses frames', ['dnsmasq', 'nginx', 'kamailio', 'ss', 'tshark'], () => {
  const folder = mkdtempSync(`${tmpdir()}/belfry-`);
  const pki = makeTestPki(nodePlatform(), { mac: MAC, serverName: NAME, at: Date.now() });
  let cable: Cable;
  let logs: Logs;

  beforeAll(async () => {
    cable = await plug(`${KERNEL}/24`);
    const files = { 'algop8180g2.conf': MODEL_FILE, [`algom${MAC}.conf`]: OWN_FILE };
    logs = await startServers({ cable, folder, address: KERNEL, name: NAME, pki, files, user: 'lobby', password: 'correct horse' });
  });

  afterAll(async () => {
    await cable?.close();
    rmSync(folder, { recursive: true });
  });

  it.each([1, 2, 3, 4])('is provisioned by nginx and registers at Kamailio, both by mutual TLS (seed %d)', async (seed) => {
    const image = `${folder}/${seed}.flash`;
    const identity = { chain: pki.device.chain, pkcs8: pki.pkcs8.device };
    const anchors = { set: 'none', version: '1', certificates: [] };
    const factory = { board: board8180g2.id, mac: MAC, serial: `BLF${MAC}`, made: Date.now(), password: '-', identity, anchors };
    const trusted = new Map([['certs/trusted/site.pem', utf8(writePem('CERTIFICATE', pki.root))]]);
    await makeImage(image, board8180g2, factory, { settings: new Map([['prov.download.cert', '1']]), files: trusted });
    const before = { frames: cable.frames.length, nginx: logs.nginx().length, kamailio: logs.kamailio().length };

    const losses = cable.lose(LOSS, seed);
    const device = new StackDevice(cable, MAC, board8180g2, image);
    const applied = await device.event('provisioning.applied', PATIENCE_S);
    const registered = await device.event('registration.registered', PATIENCE_S);
    await device.shutdown();
    await until(() => /SAVED lobby .* expires=0/.test(logs.kamailio().slice(before.kamailio)), 5);

    expect(applied).toMatchObject({ server: `https://${NAME}/`, clientCertificate: MAC });
    expect(registered).toMatchObject({ account: 'page', transport: 'tls', expires: 3600 });
    const accepted = device.events.filter(({ event }) => event === 'tls.accepted');
    expect(accepted).toEqual(expect.arrayContaining([expect.objectContaining({ service: 'provisioning', verified: true })]));
    expect(accepted).toEqual(expect.arrayContaining([expect.objectContaining({ service: 'sip', verified: true, clientCertificate: MAC })]));
    const fetched = logs.nginx().slice(before.nginx);
    for (const name of ['algop8180g2.conf', `algom${MAC}.conf`])
      expect(fetched).toMatch(new RegExp(`"GET /${name} HTTP/1.1" 200 \\d+ TLSv1.3 SUCCESS CN=${MAC}`));
    const kamailio = logs.kamailio().slice(before.kamailio);
    expect(kamailio).toContain(`IN REGISTER tls verified=1 CN=${MAC}`);
    expect(kamailio).toContain(`SAVED lobby CN=${MAC} expires=3600`);
    expect(kamailio).not.toContain('NOT SENT');
    expect(losses.toKernel.dropped).toBeGreaterThan(0);
    expect(losses.fromKernel.dropped).toBeGreaterThan(0);

    const capture = `${folder}/${seed}.pcapng`;
    saveCapture(capture, cable.frames.slice(before.frames), device.secrets);
    expect(dissect(capture, WRONG)).toEqual([]);
    expect(dissect(capture, 'sip.Method == "REGISTER"').length).toBeGreaterThanOrEqual(3);
    const again = dissect(capture, 'tcp.analysis.retransmission').length;
    const { toKernel, fromKernel } = losses;
    const way = ({ dropped, frames }: typeof toKernel): string => `${dropped} of ${frames}`;
    console.log(
      `seed ${seed}: registered after ${(registered.at / 1e6).toFixed(1)} s; dropped ${way(toKernel)} frames to the kernel, ` +
        `${way(fromKernel)} from it; ${again} segments sent again`,
    );
  });
});
