/** How a command that runs until it is told to stop learns of it. */

/** 128 + signal is what a shell shows of a process that a signal ended. */
const STATUS = { SIGINT: 130, SIGTERM: 143 } as const;

/** Resolves at the first SIGINT or SIGTERM; a second one ends the process at once. */
export function endOfProcess(): Promise<void> {
  return new Promise((resolve) => {
    let told = false;
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => {
        if (told) process.exit(STATUS[signal]);
        told = true;
        resolve();
      });
    }
  });
}
