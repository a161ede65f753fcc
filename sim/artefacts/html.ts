/** Text into HTML: everything that comes from a run is escaped, because servers and configuration files are strangers. */

/** Markup that is finished; only this module and templates make it. */
export interface Html {
  readonly markup: string;
}

type Piece = Html | string | number | undefined | readonly (Html | string)[];

/** A template whose values are escaped unless they are markup already. */
export function html(strings: TemplateStringsArray, ...values: readonly Piece[]): Html {
  return { markup: strings.reduce((text, piece, i) => text + piece + (i < values.length ? markupOf(values[i]) : ''), '') };
}

/** Markup that is known to be safe: a style sheet, a drawing of numbers. */
export const trusted = (markup: string): Html => ({ markup });

function markupOf(value: Piece): string {
  if (value === undefined) return '';
  if (typeof value === 'string' || typeof value === 'number') return escaped(String(value));
  return 'markup' in value ? value.markup : value.map(markupOf).join('');
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => ENTITIES[character]!);
