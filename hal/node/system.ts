import type { System } from '../hal.js';

export interface NodeSystemOptions {
  reason: System['boot']['reason'];
  /** The firmware asked to be booted anew: called in a later turn. */
  onReboot(why: string): void;
}

/** This machine has no watchdog: a kick is taken and means nothing. */
export const createNodeSystem = ({ reason, onReboot }: NodeSystemOptions): System => ({
  boot: { reason },
  reboot: (why) => void setImmediate(() => onReboot(why)),
  watchdog: { kick: () => undefined },
});
