/** The part of node-forge that `asn1.ts` uses. Not `@types/node-forge`: it drags Node's globals into the core. */
declare module 'node-forge/lib/asn1.js' {
  interface ForgeValue {
    readonly value: unknown;
  }
  /** Octets as text, one character an octet. */
  const asn1: {
    /** Throws on malformed input. */
    fromDer(octets: string, options: { strict: boolean; parseAllBytes: boolean; decodeBitStrings: boolean; maxDepth: number }): ForgeValue;
    toDer(value: ForgeValue): { getBytes(): string };
  };
  export default asn1;
}
