/** Provisioning as an engineer draws it: find the server, fetch, judge as a whole, commit, and rest until there is a reason to ask again. */
import { assign, type EventObject, fromCallback, setup } from 'xstate';
import { MILLISECOND } from '../../hal/base/time.js';
import type { Cancel, Result } from '../../hal/hal.js';
import type { Settings } from '../settings/settings.js';
import type { ProvisioningFailure } from './failure.js';
import { retryDelay } from './retry.policy.js';
import type { ServerChoice } from './server.policy.js';
import type { FetchedFile, Staged } from './stage.policy.js';

export type ProvisioningEvent =
  /** A reason to ask now: another lease, a check-sync, the schedule. */
  | { type: 'sync' }
  | { type: 'downloaded'; files: readonly FetchedFile[] }
  | { type: 'committed' }
  | { type: 'failed'; failure: ProvisioningFailure };

/** What the owner is told. `settled` comes after every outcome, good or bad; before it `changed`, where there is a new configuration. */
export type ProvisioningNotice = { type: 'configuration.changed'; keys: readonly string[] } | { type: 'provisioning.settled' };

export interface ProvisioningDeps {
  chooseServer(): ServerChoice;
  reportStarted(choice: ServerChoice): void;
  download(choice: ServerChoice, attempt: number, done: (result: Result<readonly FetchedFile[], ProvisioningFailure>) => void): Cancel;
  stage(files: readonly FetchedFile[]): Staged;
  /** Makes the settings durable, all or nothing. */
  commit(settings: Settings, done: (result: Result<void, ProvisioningFailure>) => void): void;
  /** The committed settings count from here on. */
  apply(choice: ServerChoice, staged: Extract<Staged, { type: 'changed' }>, files: readonly FetchedFile[]): void;
  reportUnchanged(choice: ServerChoice): void;
  /** Reports what was refused, key by key, and that the run failed; the configuration before stays. */
  reportFailed(choice: ServerChoice, staged: Staged | undefined, failure: ProvisioningFailure): void;
  /** From 0 to below 1. */
  random(): number;
  notify(notice: ProvisioningNotice): void;
}

export interface ProvisioningContext {
  deps: ProvisioningDeps;
  /** Failures in a row. */
  attempt: number;
  choice: ServerChoice;
  files: readonly FetchedFile[];
  staged: Staged | undefined;
}

const download = fromCallback<EventObject, { context: ProvisioningContext }>(({ sendBack, input: { context } }) =>
  context.deps.download(context.choice, context.attempt, (result) =>
    sendBack(result.ok ? { type: 'downloaded', files: result.value } : { type: 'failed', failure: result.error }),
  ),
);

/** A commit once begun is finished: there is nothing to cancel. */
const commit = fromCallback<EventObject, { context: ProvisioningContext }>(({ sendBack, input: { context } }) => {
  if (context.staged?.type !== 'changed') return;
  context.deps.commit(context.staged.settings, (result) =>
    sendBack(result.ok ? { type: 'committed' } : { type: 'failed', failure: result.error }),
  );
});

/** The failure that is known before anything was asked of the network. */
const choiceFailure = (choice: ServerChoice): ProvisioningFailure | undefined => {
  if (choice.type === 'failed') return choice.failure;
  if (choice.type !== 'refused') return undefined;
  const { key, detail, mend } = choice.refusal;
  return { stage: 'settings', kind: 'unsupported', detail: `${key}: ${detail}`, mend };
};

const stageFailure = (staged: Staged | undefined): ProvisioningFailure | undefined =>
  staged?.type === 'failed' || staged?.type === 'refused' ? staged.failure : undefined;

export const provisioningMachine = setup({
  types: {
    context: {} as ProvisioningContext,
    input: {} as { deps: ProvisioningDeps },
    events: {} as ProvisioningEvent,
  },
  actors: { download, commit },
  actions: {
    choose: assign(({ context }) => ({ choice: context.deps.chooseServer(), files: [], staged: undefined })),
    keepFiles: assign((_, { files }: { files: readonly FetchedFile[] }) => ({ files })),
    stage: assign(({ context }) => ({ staged: context.deps.stage(context.files) })),
    countFailure: assign(({ context }) => ({ attempt: context.attempt + 1 })),
    forgetFailures: assign({ attempt: 0 }),
    reportStarted: ({ context }) => context.deps.reportStarted(context.choice),
    reportUnchanged: ({ context }) => context.deps.reportUnchanged(context.choice),
    reportFailed: ({ context }, { failure }: { failure: ProvisioningFailure | undefined }) => {
      if (failure) context.deps.reportFailed(context.choice, context.staged, failure);
    },
    apply: ({ context: { deps, choice, staged, files } }) => {
      if (staged?.type !== 'changed') return;
      deps.apply(choice, staged, files);
      deps.notify({ type: 'configuration.changed', keys: staged.changed });
    },
    settle: ({ context }) => context.deps.notify({ type: 'provisioning.settled' }),
  },
  guards: {
    noServer: ({ context }) => context.choice.type === 'none',
    noUseOfServer: ({ context }) => choiceFailure(context.choice) !== undefined,
    unchanged: ({ context }) => context.staged?.type === 'unchanged',
    notFit: ({ context }) => stageFailure(context.staged) !== undefined,
  },
  delays: { retry: ({ context }) => retryDelay(context.attempt, context.deps.random()) / MILLISECOND },
}).createMachine({
  id: 'provisioning',
  context: ({ input }) => ({ deps: input.deps, attempt: 0, choice: { type: 'none' }, files: [], staged: undefined }),
  initial: 'choosing',
  states: {
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
        failed: { target: 'waiting', actions: { type: 'reportFailed', params: ({ event }) => event } },
      },
    },
    staging: {
      entry: 'stage',
      always: [
        { guard: 'unchanged', target: 'resting', actions: 'reportUnchanged' },
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
        committed: { target: 'resting', actions: 'apply' },
        failed: { target: 'waiting', actions: { type: 'reportFailed', params: ({ event }) => event } },
      },
    },
    resting: {
      entry: ['forgetFailures', 'settle'],
      on: { sync: 'choosing' },
    },
    waiting: {
      entry: 'settle',
      exit: 'countFailure',
      after: { retry: 'choosing' },
      on: { sync: 'choosing' },
    },
  },
});
