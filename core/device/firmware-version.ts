/** Firmware versions as the vendor writes them: `3.3.0`, `5.5_beta11`, `5.3.4-sec`. */

interface FirmwareVersion {
  numbers: readonly number[];
  /** Number of the beta; undefined for a release. */
  beta: number | undefined;
}

/** Up to four numbers; then a beta, which comes before its release; then a build variant such as `-sec`, which does not order. */
const FORM = /^v?(\d{1,5}(?:\.\d{1,5}){0,3})(?:_beta(\d{0,5}))?(?:-[a-z0-9]{1,16})?$/i;

const read = (text: string): FirmwareVersion | undefined => {
  const m = FORM.exec(text);
  return m ? { numbers: m[1]!.split('.').map(Number), beta: m[2] === undefined ? undefined : Number(m[2]) } : undefined;
};

export const isFirmwareVersion = (text: string): boolean => read(text) !== undefined;

/** Below, at or above zero as `a` is older than, the same as or newer than `b`. Total: text that is no version is older than any that is. */
export function compareFirmware(a: string, b: string): number {
  const x = read(a);
  const y = read(b);
  if (!x || !y) return Number(x !== undefined) - Number(y !== undefined);
  for (let i = 0; i < Math.max(x.numbers.length, y.numbers.length); i++) {
    const difference = (x.numbers[i] ?? 0) - (y.numbers[i] ?? 0);
    if (difference !== 0) return difference;
  }
  if (x.beta === undefined || y.beta === undefined) return Number(x.beta === undefined) - Number(y.beta === undefined);
  return x.beta - y.beta;
}
