/** Writes down every state that a machine enters: the flight recorder behind `machine.state`. */
import type { AnyActorRef, InspectionEvent, StateValue } from 'xstate';
import type { Emit } from './events.js';

/** For `createActor(…, { inspect })`. `name` is for a root; children are known by the id that they were invoked with. */
export function traceStates(name: string, emit: Emit): (event: InspectionEvent) => void {
  const known = new WeakMap<object, string>();
  return (event) => {
    if (event.type !== '@xstate.snapshot') return;
    const { actorRef, snapshot } = event;
    if (!('value' in snapshot)) return;
    const to = stateText(snapshot.value as StateValue);
    const from = known.get(actorRef) ?? '';
    if (to === from) return;
    known.set(actorRef, to);
    // Session ids come from a counter of the whole process, so a root's own id would differ between runs.
    const machine = event.rootId === actorRef.sessionId ? name : (actorRef as AnyActorRef).id;
    emit('machine.state', { machine, from, to, on: event.event.type });
  };
}

/** `alive.online.serving`; regions of a parallel state are joined by `+`. */
function stateText(value: StateValue): string {
  if (typeof value === 'string') return value;
  return Object.entries(value)
    .map(([state, inner]) => (inner === undefined ? state : `${state}.${stateText(inner)}`))
    .join('+');
}
