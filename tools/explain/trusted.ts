/** Whom the device trusts: CAs in files, those on a flash image, and where neither is given the public ones of a new unit. */
import { rootCertificates } from 'node:tls';
import type { AnchorIndex } from '../../core/certs/path.policy.js';
import { readPem } from '../../core/certs/pem.codec.js';
import { type CertificateFiles, createCertificateStore } from '../../core/certs/store.js';
import { TRUSTED } from '../../core/certs/upload.policy.js';
import type { Emit, EventFields } from '../../core/kernel/events.js';
import type { FactoryContent } from '../../core/storage/factory.codec.js';
import { utf8 } from '../../hal/base/bytes.js';
import type { Crypto } from '../../hal/hal.js';

export interface TrustedInput {
  /** Content by name, as given on the command line. */
  files: ReadonlyMap<string, Uint8Array>;
  /** Of a device, where its image was given. */
  device?: { factory: Pick<FactoryContent, 'identity' | 'anchors'>; certs: CertificateFiles };
  crypto: Crypto;
}

export interface Trusted {
  anchors: AnchorIndex;
  /** Somebody said whom this device trusts; otherwise a CA that is unknown here may be known to the device. */
  told: boolean;
  /** Files that a device would not take either, and why. */
  refused: readonly string[];
}

/** Reads the files as a device reads its uploads. */
export function createTrusted({ files, device, crypto }: TrustedInput): Trusted {
  const given = new Map<string, { name: string; bytes: Uint8Array }>();
  for (const [name, bytes] of files) given.set(`${TRUSTED}${given.size}`, { name, bytes });
  const refused: string[] = [];
  const emit: Emit = (event, fields) => {
    if (event !== 'certs.refused') return;
    const { file, detail } = fields as EventFields['certs.refused'];
    refused.push(`${given.get(file)?.name ?? file} ${detail}`);
  };
  const store = createCertificateStore({
    files: {
      list: (prefix = '') => [...given.keys(), ...(device?.certs.list() ?? [])].filter((path) => path.startsWith(prefix)),
      read: (path) => given.get(path)?.bytes ?? device?.certs.read(path),
    },
    factory: device?.factory ?? { anchors: mozilla() },
    crypto,
    emit,
    features: { deviceCertificate: true, trustedUpload: true },
  });
  return { anchors: store.anchors, told: files.size > 0 || device !== undefined, refused };
}

function mozilla(): FactoryContent['anchors'] {
  const certificates = rootCertificates.flatMap((pem) => {
    const blocks = readPem(utf8(pem));
    return blocks.ok ? blocks.value.map(({ octets }) => octets) : [];
  });
  return { set: 'Mozilla', version: `Node ${process.versions.node}`, certificates };
}
