/** What a board profile says. Profiles are data (`boards/`); the core is handed one and never imports any. */
import type { GpioLine, Partition } from './hal.js';

export interface BoardProfile {
  /** The model in lower case, with the generation where there are two: `8180-g2`. */
  id: string;
  /** As the vendor writes it: `8180 G2`. */
  model: string;
  /** The product name of the About page: `Algo 8180 G2 IP Audio Alerter`. */
  product: string;
  kind: 'speaker' | 'paging-adapter' | 'doorphone' | 'intercom' | 'strobe' | 'relay-controller' | 'door-controller';
  /** `<model>` in the provisioning file name `algop<model>.conf`: `8180g2`. */
  provisioningModel: string;
  tls: BoardTls;
  /** DNS SRV; the boards without TLS lack it too. */
  dnsSrv: boolean;
  /** Which settings it has: those of the boards without TLS are fewer, and some have other names. */
  settings: 'first-generation' | 'current';
  /** Values that this model's settings have where nobody gave one and other models have another: key to text. */
  defaults?: Readonly<Record<string, string>>;
  firmware: { oldest: string; newest: string };
  audio: { speaker: boolean; microphone: boolean; g722: boolean };
  lines: readonly GpioLine[];
  /** Partitions by name, sizes and geometry in octets; sector 0 of the chip holds the table and belongs to none. */
  flash: readonly Partition[];
}

/** `why` is the source or the reason, short enough for the end of a sentence. */
export type BoardTls = { supported: true } | { supported: false; why: string };
