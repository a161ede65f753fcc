/** The boards, as data. A profile of your own is one more object of the same type: nothing here has to know it. */
import type { BoardProfile } from '../hal/board.js';
import { board8028g1 } from './8028-g1.js';
import { board8061 } from './8061.js';
import { board8128g1 } from './8128-g1.js';
import { board8180g1 } from './8180-g1.js';
import { board8180g2 } from './8180-g2.js';
import { board8301 } from './8301.js';
import { boardHost } from './host.js';

export type { BoardProfile, BoardTls } from '../hal/board.js';

/** By id, in the order in which `belfry boards` lists them. */
export const boards: ReadonlyMap<string, BoardProfile> = new Map(
  [board8028g1, board8061, board8128g1, board8180g1, board8180g2, board8301, boardHost].map((board) => [board.id, board]),
);

export const findBoard = (id: string): BoardProfile | undefined => boards.get(id);
