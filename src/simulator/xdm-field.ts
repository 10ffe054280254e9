/** What a value in an XDM record may be. */
export type XdmField =
  | 'string'
  | 'number'
  | 'integer'
  | 'boolean'
  | 'date-time'
  | 'date'
  | 'uri-reference'
  | 'email'
  /** Not looked into, but for emptiness. */
  | 'anything'
  | { readonly oneOf: readonly string[] }
  | { readonly pattern: RegExp }
  | { readonly list: XdmField }
  /** An object with free keys. */
  | { readonly map: XdmField }
  | XdmObject;

/** An object with these keys and no others. */
export interface XdmObject {
  readonly fields: Readonly<Record<string, XdmField>>;
  readonly required?: readonly string[];
}
