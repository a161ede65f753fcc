/** A small portable Ethernet, ARP, IPv4, ICMP, UDP, TCP, DHCP and DNS stack for boards without sockets, and its frame codecs. */
export * from './address.js';
export * from './arp.codec.js';
export * from './dhcp.codec.js';
export * from './dns.codec.js';
export * from './ethernet.codec.js';
export * from './icmp.codec.js';
export * from './ipv4.codec.js';
export * from './stack.js';
export * from './tcp.codec.js';
export * from './udp.codec.js';
