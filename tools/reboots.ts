/** A device that starts anew in the same process: when it asks for it, and how often it may. */

/** Ours: more is no maintenance but a loop, and each one calls the provisioning server and the registrar again. */
const MOST = 5;
const WITHIN_MINUTES = 10;

export class Reboots {
  #asked: (why: string) => void = () => {};
  readonly #times: number[] = [];

  /** The hook of the HAL. */
  readonly onReboot = (why: string): void => this.#asked(why);

  /** Why the life that begins now will be followed by another. */
  next(): Promise<string> {
    return new Promise((resolve) => {
      this.#asked = resolve;
    });
  }

  /** Undefined where the device may start anew; else why it stays off. `now` in milliseconds of any clock that only goes forward. */
  refusal(why: string, now: number): string | undefined {
    const recent = this.#times.filter((at) => now - at < WITHIN_MINUTES * 60_000);
    this.#times.splice(0, this.#times.length, ...recent, now);
    if (recent.length < MOST) return undefined;
    return `it wants to reboot (${why}) for the ${MOST + 1}th time within ${WITHIN_MINUTES} minutes and stays off: look at who asks for it`;
  }
}
