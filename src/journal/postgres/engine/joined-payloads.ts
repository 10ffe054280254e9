/** Sealed payloads, joined in one parameter, because an array of bytea would be sent as text. */
export class JoinedPayloads {
  readonly #sealed: Uint8Array[] = [];
  #length = 0;

  /** @returns where the payload begins, counted from 1, and its length */
  add(sealed: Uint8Array): { readonly at: number; readonly length: number } {
    const at = this.#length + 1;
    this.#sealed.push(sealed);
    this.#length += sealed.length;
    return { at, length: sealed.length };
  }

  joined(): Buffer {
    return Buffer.concat(this.#sealed, this.#length);
  }
}
