/** The parts of node-forge that `asn1.ts` and `block-cipher.ts` use. Not `@types/node-forge`: it drags Node's globals into the core. */
declare module 'node-forge/lib/asn1.js' {
  export interface ForgeValue {
    /** Number of the tag, whatever its class. */
    readonly type: number;
    /** Octets as text, or the values in it. */
    readonly value: string | readonly ForgeValue[];
  }
  /** Octets as text, one character an octet. */
  const asn1: {
    /** Throws on malformed input. */
    fromDer(octets: string, options: { strict: boolean; parseAllBytes: boolean; decodeBitStrings: boolean; maxDepth: number }): ForgeValue;
    toDer(value: ForgeValue): { getBytes(): string };
  };
  export default asn1;
}
declare module 'node-forge/lib/util.js' {
  export interface ForgeBuffer {
    /** All octets that are left, as text, one character an octet. */
    getBytes(): string;
  }
  const util: { createBuffer(octets: string): ForgeBuffer };
  export default util;
}
declare module 'node-forge/lib/aes.js' {
  import type { ForgeBuffer } from 'node-forge/lib/util.js';
  export interface ForgeCipher {
    readonly output: ForgeBuffer;
    /** With an initialization vector, and so in CBC mode. */
    start(iv: string): void;
    update(input: ForgeBuffer): void;
    /** `pad` is given the deciphered octets and may judge them. */
    finish(pad: () => boolean): boolean;
  }
  const aes: { createDecryptionCipher(key: string, mode: 'CBC'): ForgeCipher };
  export default aes;
}
declare module 'node-forge/lib/des.js' {
  import type { ForgeCipher } from 'node-forge/lib/aes.js';

  /** A key of 24 octets is triple DES. */
  const des: { createDecryptionCipher(key: string, mode: 'CBC'): ForgeCipher };
  export default des;
}
declare module 'node-forge/lib/rc2.js' {
  import type { ForgeCipher } from 'node-forge/lib/aes.js';

  const rc2: { createDecryptionCipher(key: string, bits: number): ForgeCipher };
  export default rc2;
}
