/** Builds and validates certificate paths (RFC 5280 part 6). */
import type { Certificate } from './certificate.codec.js';
import type { Name } from './name.codec.js';

/** A certificate that is trusted for itself, and who says so: the vendor's set of public authorities, or the administrator. */
export interface Anchor {
  readonly certificate: Certificate;
  readonly origin: 'preinstalled' | 'uploaded';
}
export interface AnchorIndex {
  bySubject(name: Name): readonly Anchor[];
}
