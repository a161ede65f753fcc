/** Feeds the network machine from the HAL's streams, and reports what it finds. */
import { createActor } from 'xstate';
import { latin1 } from '../../hal/base/bytes.js';
import type { Lease, Nic } from '../../hal/hal.js';
import { actorClock } from '../kernel/actor-clock.js';
import type { Kernel } from '../kernel/kernel.js';
import { traceStates } from '../kernel/trace-states.js';
import { type NetworkNotice, networkMachine } from './network.machine.js';

/** Starts with what is there already. Returns what ends it. */
export function watchNetwork(kernel: Kernel, nic: Nic, notify: (notice: NetworkNotice) => void): () => void {
  const actor = createActor(networkMachine, {
    clock: actorClock(kernel),
    inspect: traceStates('network', kernel.emit),
    input: {
      deps: {
        emitLink: (up) => kernel.emit(up ? 'link.up' : 'link.down', {}),
        emitLease: (lease) => kernel.emit('lease.acquired', leaseFields(lease)),
        notify,
      },
    },
  });
  actor.subscribe({ error: (error) => kernel.emit('machine.failed', { machine: 'network', detail: String(error) }) });
  actor.start();
  const link = nic.link$.subscribe(({ up }) => actor.send({ type: up ? 'link.up' : 'link.down' }));
  const lease = nic.lease$.subscribe((change) =>
    actor.send(change.lease ? { type: 'lease.acquired', lease: change.lease } : { type: 'lease.lost' }),
  );
  if (nic.link().up) actor.send({ type: 'link.up' });
  const present = nic.lease();
  if (present) actor.send({ type: 'lease.acquired', lease: present });
  return () => {
    link.unsubscribe();
    lease.unsubscribe();
    actor.stop();
  };
}

/** Options that name servers are text; a lease shows them so. */
function leaseFields({ address, gateway, dns, options }: Lease) {
  const texts = Object.fromEntries([...options].sort(([a], [b]) => a - b).map(([code, value]) => [String(code), latin1(value)]));
  return { address, ...(gateway === undefined ? {} : { gateway }), dns, options: texts };
}
