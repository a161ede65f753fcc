/** The files that an administrator puts on the device: judged before they are kept, in use as soon as they are (`seed`, "File Manager"). */
import { err, fail, ok } from '../../hal/base/result.js';
import type { Done, HalError, Result } from '../../hal/hal.js';
import type { CertificateStore } from '../certs/store.js';
import { type AcceptedFile, isIdentityPath, TRUSTED } from '../certs/upload.policy.js';
import type { Kernel } from '../kernel/kernel.js';
import type { DeviceStorage } from './device-storage.js';
import type { FeatureName, Lack } from './features.js';

export interface DeviceFiles {
  /** What was put on the device, by path, sorted. */
  list(): readonly DeviceFile[];
  /**
   * Judges the file, keeps it in the form that it is used in, and uses it from the next connection on; calls go on. What was there before
   * stays if it is refused. Fails with `unsupported` (not this path, or not with this board and firmware), `refused` (the verdict on the
   * file is the detail) and as a commit does.
   */
  put(path: string, file: Uint8Array, options: { passphrase?: string }, done: Done<FileVerdict>): void;
  /** Fails with `not-found`, and as a commit does. */
  remove(path: string, done: Done<void>): void;
}

/** Size in octets. */
export interface DeviceFile {
  path: string;
  size: number;
}

/** Whose certificates the file holds, and what its owner should know although it was taken. */
export type FileVerdict = Pick<AcceptedFile, 'subjects' | 'notes'>;

export interface DeviceFilesOptions {
  kernel: Pick<Kernel, 'wall' | 'emit'>;
  storage: Pick<DeviceStorage, 'certs'>;
  certificates: CertificateStore;
  /** Why this board, with this firmware, lacks a feature. */
  lack(feature: FeatureName): Lack | undefined;
  /** The certificates in use are others now. */
  changed(): void;
}

export function createDeviceFiles({ kernel, storage, certificates, lack, changed }: DeviceFilesOptions): DeviceFiles {
  const { certs } = storage;
  // A commit of nothing answers in a later turn, and after the commits that were begun before it.
  const answer = <T>(done: Done<T>, result: Result<T, HalError>): void => certs.commit([], (_nothing, at) => done(result, at));

  const commit = <T>(path: string, bytes: Uint8Array | undefined, value: T, done: Done<T>): void =>
    certs.commit([{ path, bytes }], (written, at) => {
      if (!written.ok) return done(written, at);
      certificates.reload();
      changed();
      done(ok(value), at);
    });

  return {
    list: () => certs.list().map((path) => ({ path, size: certs.read(path)?.length ?? 0 })),
    put: (path, file, options, done) => {
      const place = placeFault(path, lack);
      if (place) return answer(done, err(place));
      const verdict = certificates.judge(path, file, { ...options, wall: kernel.wall() });
      if (!verdict.ok) {
        const { subject, detail } = verdict.error;
        kernel.emit('certs.refused', { file: path, ...verdict.error });
        return answer(done, fail('refused', subject === undefined ? detail : `"${subject}": ${detail}`));
      }
      const { bytes, subjects, notes } = verdict.value;
      commit(path, bytes, { subjects, notes }, done);
    },
    remove: (path, done) => {
      if (certs.read(path)) commit(path, undefined, undefined, done);
      else answer(done, fail('not-found', `there is no file ${path}`));
    },
  };
}

/** Why no file can be put there. */
function placeFault(path: string, lack: (feature: FeatureName) => Lack | undefined): HalError | undefined {
  const trusted = path.startsWith(TRUSTED) && /^[^/]+$/.test(path.slice(TRUSTED.length));
  if (!trusted && !isIdentityPath(path)) {
    return { kind: 'unsupported', detail: `no file can be put at ${path}: use certs/trusted/NAME, certs/sipclient.pem or certs/httpd.pem` };
  }
  const missing = lack(trusted ? 'trustedUpload' : 'tls');
  return missing && { kind: 'unsupported', detail: `${missing.detail}: ${missing.mend}` };
}
