/** Why octets are not what they should be: too short or contradicting themselves, or damaged on the way. */
export type FrameFault = 'malformed' | 'checksum';
