/** Hides what must not be read in anything that people pass on: keys in SDP, digest responses, passwords in headers and settings. */

const MASKS: readonly (readonly [what: RegExp, shown: string])[] = [
  // RFC 4568 9.1: key parameters of a crypto attribute.
  [/inline:[^\s|"]+/gi, 'inline:…'],
  // RFC 7616 3.4: the digest response of an Authorization header; `rspauth` is the server's.
  [/\b(response|rspauth)="?[0-9a-fA-F]+"?/g, '$1=…'],
  // RFC 7617: user and password in base64.
  [/(Authorization:\s*Basic\s+)\S+/gi, '$1…'],
  // Settings whose key says that the value is a password.
  [/^([\w.]*(?:pwd|passw)[\w.]*\s*=\s*)\S.*$/gim, '$1…'],
];

/** `known`: passwords of the run, hidden wherever they stand. */
export function masked(text: string, known: readonly string[] = []): string {
  const shown = MASKS.reduce((masking, [what, instead]) => masking.replace(what, instead), text);
  return known.reduce((masking, word) => (word === '' ? masking : masking.split(word).join('…')), shown);
}
