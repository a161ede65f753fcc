/** The boards, as data. A profile of your own is one more object of the same type: nothing here has to know it. */
import type { BoardProfile } from '../hal/board.js';
import { board8028g1 } from './8028-g1.js';
import { board8028g2 } from './8028-g2.js';
import { board8036 } from './8036.js';
import { board8061 } from './8061.js';
import { board8063 } from './8063.js';
import { board8128g1 } from './8128-g1.js';
import { board8128g2 } from './8128-g2.js';
import { board8180g1 } from './8180-g1.js';
import { board8180g2 } from './8180-g2.js';
import { board8186 } from './8186.js';
import { board8188 } from './8188.js';
import { board8196 } from './8196.js';
import { board8201 } from './8201.js';
import { board8301 } from './8301.js';
import { board8305 } from './8305.js';
import { boardHost } from './host.js';

export type { BoardProfile, BoardTls } from '../hal/board.js';

/** By id, in the order in which `belfry boards` lists them. */
export const boards: ReadonlyMap<string, BoardProfile> = new Map(
  [
    board8028g1,
    board8028g2,
    board8036,
    board8061,
    board8063,
    board8128g1,
    board8128g2,
    board8180g1,
    board8180g2,
    board8186,
    board8188,
    board8196,
    board8201,
    board8301,
    board8305,
    boardHost,
  ].map((board) => [board.id, board]),
);

export const findBoard = (id: string): BoardProfile | undefined => boards.get(id);
