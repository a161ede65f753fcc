/** Provisioning as an engineer draws it: find the server, fetch, judge as a whole, commit, and rest until there is a reason to ask again. */
import { assign, type EventObject, fromCallback, raise, sendTo, setup } from 'xstate';
import { MILLISECOND, SECOND } from '../../hal/base/time.js';
import type { Cancel, Micros, Result } from '../../hal/hal.js';
import type { EventFields } from '../kernel/events.js';
import { type ConfirmDeps, confirmMachine } from './confirm.machine.js';
import type { Downloaded } from './download.js';
import type { ProvisioningFailure } from './failure.js';
import { retryDelay } from './retry.policy.js';
import { type ServerChoice, serverText } from './server.policy.js';
import type { Staged } from './stage.policy.js';

export type SyncReason = EventFields['provisioning.requested']['by'];

export type ProvisioningEvent =
  /** The network is there and the time settled: the first run. */
  | { type: 'begin' }
  /** A reason to ask now. */
  | { type: 'sync'; by: SyncReason }
  /** Another lease; it may name another server. */
  | { type: 'lease.changed' }
  /** An account has registered under the present configuration. */
  | { type: 'registered' }
  /** The configuration did not prove itself. */
  | { type: 'roll.back' }
  | { type: 'downloaded'; downloaded: Downloaded }
  | { type: 'committed' }
  | { type: 'failed'; failure: ProvisioningFailure };

/** What the owner is told. `settled` comes after every outcome, good or bad; before it `changed`, where there is a new configuration. */
export type ProvisioningNotice = { type: 'configuration.changed'; keys: readonly string[] } | { type: 'provisioning.settled' };

export interface ProvisioningDeps {
  /** What the boot found committed and not final counts from here on. */
  resume(): void;
  chooseServer(): ServerChoice;
  reportRequested(by: SyncReason): void;
  reportStarted(choice: ServerChoice): void;
  download(choice: ServerChoice, attempt: number, done: (result: Result<Downloaded, ProvisioningFailure>) => void): Cancel;
  stage(downloaded: Downloaded): Staged;
  /** Makes the settings durable, all or nothing. */
  commit(run: ProvisioningRun, done: (result: Result<void, ProvisioningFailure>) => void): void;
  /** The committed settings count from here on. */
  apply(run: ProvisioningRun): void;
  /** In which time the present settings have to prove themselves; 0 where they need not. */
  trial(): Micros;
  /** Nothing is new; what the server calls the files by is kept. */
  keep(run: ProvisioningRun): void;
  /** Reports what was refused, key by key, and that the run failed; the configuration before stays. */
  reportFailed(choice: ServerChoice, staged: Staged | undefined, failure: ProvisioningFailure): void;
  /** The last good settings: durable, then in force again. */
  rollBack(done: (result: Result<void, ProvisioningFailure>) => void): void;
  /** Calls once, at the scheduled time. */
  schedule(due: () => void): Cancel;
  /** From 0 to below 1. */
  random(): number;
  now(): Micros;
  confirm: ConfirmDeps;
  notify(notice: ProvisioningNotice): void;
}

/** What one run has come to so far. */
export interface ProvisioningRun {
  choice: ServerChoice;
  downloaded: Downloaded | undefined;
  staged: Staged | undefined;
}

export interface ProvisioningContext extends ProvisioningRun {
  deps: ProvisioningDeps;
  /** Failures in a row. */
  attempt: number;
  /** The server of the last failure wants to be left alone for so long. */
  retryAfter: Micros;
  /** Another reason to ask came up during the run. */
  again: boolean;
  /** When the last run began. */
  began: Micros;
}

const download = fromCallback<EventObject, { context: ProvisioningContext }>(({ sendBack, input: { context } }) =>
  context.deps.download(context.choice, context.attempt, (result) =>
    sendBack(result.ok ? { type: 'downloaded', downloaded: result.value } : { type: 'failed', failure: result.error }),
  ),
);

const report = (sendBack: (event: ProvisioningEvent) => void) => (result: Result<void, ProvisioningFailure>) =>
  sendBack(result.ok ? { type: 'committed' } : { type: 'failed', failure: result.error });

/** A commit once begun is finished: there is nothing to cancel. */
const commit = fromCallback<EventObject, { context: ProvisioningContext }>(({ sendBack, input: { context } }) =>
  context.deps.commit(context, report(sendBack)),
);
const rollBack = fromCallback<EventObject, { deps: ProvisioningDeps }>(({ sendBack, input: { deps } }) => deps.rollBack(report(sendBack)));
const schedule = fromCallback<EventObject, { deps: ProvisioningDeps }>(({ sendBack, input: { deps } }) =>
  deps.schedule(() => sendBack({ type: 'sync', by: 'schedule' })),
);

/** Ours: anyone who may call can ask for a run, and none shall make a device beat upon its server. */
const SHORTEST: Micros = 10 * SECOND;
const restLeft = ({ began, deps }: ProvisioningContext): Micros => Math.max(0, began + SHORTEST - deps.now());

/** The failure that is known before anything was asked of the network. */
const choiceFailure = (choice: ServerChoice): ProvisioningFailure | undefined => {
  if (choice.type === 'failed') return choice.failure;
  if (choice.type !== 'refused') return undefined;
  const { key, detail, mend } = choice.refusal;
  return { stage: 'settings', kind: 'unsupported', detail: `${key}: ${detail}`, mend };
};

const stageFailure = (staged: Staged | undefined): ProvisioningFailure | undefined =>
  staged === undefined || staged.type === 'changed' || staged.type === 'unchanged' ? undefined : staged.failure;

export const provisioningMachine = setup({
  types: {
    context: {} as ProvisioningContext,
    input: {} as { deps: ProvisioningDeps },
    events: {} as ProvisioningEvent,
    children: {} as { confirm: 'confirm' },
  },
  actors: { download, commit, rollBack, schedule, confirm: confirmMachine },
  actions: {
    resume: ({ context }) => context.deps.resume(),
    /** To the machine of the trial: what counts now, and how long it has. */
    tellConfirm: sendTo('confirm', ({ context }) => ({ type: 'applied', within: context.deps.trial() / MILLISECOND })),
    tellRegistered: sendTo('confirm', { type: 'registered' }),
    reportRequested: ({ context }, { by }: { by: SyncReason }) => context.deps.reportRequested(by),
    noteAgain: assign({ again: true }),
    choose: assign(({ context }) => ({
      choice: context.deps.chooseServer(),
      downloaded: undefined,
      staged: undefined,
      retryAfter: 0,
      again: false,
      began: context.deps.now(),
    })),
    keepFiles: assign((_, { downloaded }: { downloaded: Downloaded }) => ({ downloaded })),
    stage: assign(({ context: { deps, downloaded } }) => ({ staged: downloaded && deps.stage(downloaded) })),
    countFailure: assign(({ context }) => ({ attempt: context.attempt + 1 })),
    forgetFailures: assign({ attempt: 0 }),
    noteRetryAfter: assign((_, { failure }: { failure: ProvisioningFailure }) => ({ retryAfter: failure.retryAfter ?? 0 })),
    reportStarted: ({ context }) => context.deps.reportStarted(context.choice),
    reportFailed: ({ context }, { failure }: { failure: ProvisioningFailure | undefined }) => {
      if (failure) context.deps.reportFailed(context.choice, context.staged, failure);
    },
    keep: ({ context }) => context.deps.keep(context),
    apply: ({ context }) => context.deps.apply(context),
    settle: ({ context }) => context.deps.notify({ type: 'provisioning.settled' }),
  },
  guards: {
    again: ({ context }) => context.again,
    rested: ({ context }) => restLeft(context) === 0,
    anotherServer: ({ context: { deps, choice } }) => serverText(deps.chooseServer()) !== serverText(choice),
    noServer: ({ context }) => context.choice.type === 'none',
    noUseOfServer: ({ context }) => choiceFailure(context.choice) !== undefined,
    unchanged: ({ context }) => context.staged?.type === 'unchanged',
    rejected: ({ context }) => context.staged?.type === 'rejected',
    notFit: ({ context }) => stageFailure(context.staged) !== undefined,
  },
  delays: {
    retry: ({ context }) => retryDelay(context.attempt, context.deps.random(), context.retryAfter) / MILLISECOND,
    rest: ({ context }) => restLeft(context) / MILLISECOND,
  },
}).createMachine({
  id: 'provisioning',
  context: ({ input }) => ({
    deps: input.deps,
    attempt: 0,
    retryAfter: 0,
    again: false,
    began: Number.NEGATIVE_INFINITY,
    choice: { type: 'none' },
    downloaded: undefined,
    staged: undefined,
  }),
  invoke: { id: 'confirm', src: 'confirm', input: ({ context }) => ({ deps: context.deps.confirm }) },
  initial: 'idle',
  on: {
    // During a run: when it is over, there is another.
    begin: { actions: 'noteAgain' },
    sync: [{ guard: 'again' }, { actions: ['noteAgain', { type: 'reportRequested', params: ({ event }) => event }] }],
    'lease.changed': { guard: 'anotherServer', actions: raise({ type: 'sync', by: 'lease' }) },
    registered: { actions: 'tellRegistered' },
  },
  states: {
    idle: {
      entry: ['resume', 'tellConfirm'],
      on: { begin: 'choosing', 'lease.changed': {}, 'roll.back': 'rollingBack' },
    },
    choosing: {
      entry: 'choose',
      always: [
        { guard: 'noServer', target: 'resting' },
        // Asking again would not change it; another lease or other settings may.
        {
          guard: 'noUseOfServer',
          target: 'resting',
          actions: { type: 'reportFailed', params: ({ context }) => ({ failure: choiceFailure(context.choice) }) },
        },
        { target: 'downloading' },
      ],
    },
    downloading: {
      entry: 'reportStarted',
      invoke: { src: 'download', input: ({ context }) => ({ context }) },
      on: {
        downloaded: { target: 'staging', actions: { type: 'keepFiles', params: ({ event }) => event } },
        failed: {
          target: 'waiting',
          actions: [
            { type: 'noteRetryAfter', params: ({ event }) => event },
            { type: 'reportFailed', params: ({ event }) => event },
          ],
        },
        'roll.back': { target: 'rollingBack', actions: 'noteAgain' },
      },
    },
    staging: {
      entry: 'stage',
      always: [
        { guard: 'unchanged', target: 'resting', actions: 'keep' },
        // Asking again would not change it before somebody changes the files.
        {
          guard: 'rejected',
          target: 'resting',
          actions: { type: 'reportFailed', params: ({ context }) => ({ failure: stageFailure(context.staged) }) },
        },
        {
          guard: 'notFit',
          target: 'waiting',
          actions: { type: 'reportFailed', params: ({ context }) => ({ failure: stageFailure(context.staged) }) },
        },
        { target: 'committing' },
      ],
    },
    committing: {
      invoke: { src: 'commit', input: ({ context }) => ({ context }) },
      on: {
        committed: { target: 'resting', actions: ['apply', 'tellConfirm'] },
        failed: { target: 'waiting', actions: [{ type: 'reportFailed', params: ({ event }) => event }, 'tellConfirm'] },
        // What was on trial is being replaced: no verdict on it counts, neither this one nor a roll-back.
        registered: {},
      },
    },
    rollingBack: {
      invoke: { src: 'rollBack', input: ({ context }) => ({ deps: context.deps }) },
      on: {
        committed: { target: 'resting', actions: 'tellConfirm' },
        // The trial begins anew.
        failed: { target: 'resting', actions: [{ type: 'reportFailed', params: ({ event }) => event }, 'tellConfirm'] },
      },
    },
    resting: {
      entry: ['forgetFailures', 'settle'],
      invoke: { src: 'schedule', input: ({ context }) => ({ deps: context.deps }) },
      always: { guard: 'again', target: 'held' },
      on: {
        begin: 'choosing',
        sync: { target: 'held', actions: { type: 'reportRequested', params: ({ event }) => event } },
        'roll.back': 'rollingBack',
      },
    },
    waiting: {
      entry: 'settle',
      exit: 'countFailure',
      always: { guard: 'again', target: 'held' },
      after: { retry: 'choosing' },
      on: {
        sync: { target: 'held', actions: { type: 'reportRequested', params: ({ event }) => event } },
        'roll.back': 'rollingBack',
      },
    },
    // Asked for again and again, one run answers for all.
    held: {
      always: { guard: 'rested', target: 'choosing' },
      after: { rest: 'choosing' },
      on: { sync: {}, 'roll.back': { target: 'rollingBack', actions: 'noteAgain' } },
    },
  },
});
