/** `Net` over the sockets of this machine. */
import { ok } from '../base/result.js';
import type { ByteStream, HalError, IpAddress, Net, Result, UdpSocket } from '../hal.js';
import { createResolver } from './dns.js';
import type { Timebase } from './socket-stream.js';
import { connectTcp, TcpPorts } from './tcp.js';
import { openUdp } from './udp.js';

export interface NodeNetOptions {
  /** Where sockets are bound and connections start; every address of the machine where absent. */
  address?: IpAddress;
  /** `HOST` or `HOST:PORT`; the machine's own resolver where absent. */
  dns?: string;
  /** TCP ports that will be listened on (0: a free one), and UDP ports that must be free now. */
  ports?: { tcp?: readonly number[]; udp?: readonly number[] };
  clock: Timebase;
}

export interface NodeNet {
  net: Net;
  /** Addresses of the DNS servers that are asked. */
  dns: readonly IpAddress[];
  /** Ends every socket that is still open. */
  close(): Promise<void>;
}

const ANY: IpAddress = '0.0.0.0';

/** Fails with `addr-in-use`, `refused` or `not-found`, naming the port. */
export async function createNodeNet(options: NodeNetOptions): Promise<Result<NodeNet, HalError>> {
  const { address = ANY, ports = {}, clock } = options;
  for (const port of ports.udp ?? []) {
    const tried = openUdp({ address, port, clock });
    if (!tried.ok) return tried;
    tried.value.close();
  }
  const resolver = await createResolver({ ...(options.dns === undefined ? {} : { server: options.dns }), clock });
  if (!resolver.ok) return resolver;
  const listening = await TcpPorts.open(address, ports.tcp ?? [], clock);
  if (!listening.ok) return listening;
  const sockets = new Set<UdpSocket>();
  const streams = new Set<ByteStream>();
  return ok({
    dns: resolver.value.servers,
    net: {
      udp: ({ port }) => {
        const socket = openUdp({ address, port, clock, onClosed: (closed) => sockets.delete(closed) });
        if (socket.ok) sockets.add(socket.value);
        return socket;
      },
      connect: (to) => {
        const stream = connectTcp(options.address, to, clock, () => streams.delete(stream));
        streams.add(stream);
        return stream;
      },
      listen: ({ port }, onStream) => listening.value.listen(port, onStream),
      resolve: (name, type, done) => resolver.value.resolve(name, type, done),
    },
    close: async () => {
      for (const socket of sockets) socket.close();
      for (const stream of streams) stream.abort();
      resolver.value.close();
      await listening.value.close();
    },
  });
}
