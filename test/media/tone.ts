/** Judges sound as `speaker.wav` is judged: the share of one tone in its energy, and how much of it is silence. */

/** Goertzel by blocks of 100 ms: 1 is a pure tone. */
export function shareOf(frequency: number, rate: number, pcm: ArrayLike<number>): number {
  const block = rate / 10;
  const c = 2 * Math.cos((2 * Math.PI * frequency) / rate);
  let tone = 0;
  let total = 0;
  for (let at = 0; at + block <= pcm.length; at += block) {
    let [s1, s2] = [0, 0];
    for (let i = at; i < at + block; i++) {
      const s0 = pcm[i]! + c * s1 - s2;
      s2 = s1;
      s1 = s0;
      total += pcm[i]! ** 2;
    }
    tone += ((s1 * s1 + s2 * s2 - c * s1 * s2) * 2) / block;
  }
  return total === 0 ? 0 : tone / total;
}

/** Frames of 20 ms whose RMS is above 1 % of full scale: from the first to the last of them, how many in all, how many silent, the longest gap. */
export function soundIn(rate: number, pcm: ArrayLike<number>): { frames: number; silent: number; gap: number; first: number } {
  const frame = rate / 50;
  const loud: boolean[] = [];
  for (let at = 0; at + frame <= pcm.length; at += frame) {
    let energy = 0;
    for (let i = at; i < at + frame; i++) energy += pcm[i]! ** 2;
    loud.push(Math.sqrt(energy / frame) > 327);
  }
  const first = loud.indexOf(true);
  const last = loud.lastIndexOf(true);
  let [silent, run, gap] = [0, 0, 0];
  for (let i = Math.max(0, first); i <= last; i++) {
    run = loud[i] ? 0 : run + 1;
    silent += loud[i] ? 0 : 1;
    gap = Math.max(gap, run);
  }
  return { frames: first < 0 ? 0 : last - first + 1, silent, gap, first };
}
