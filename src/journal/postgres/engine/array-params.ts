/*
 * Arrays as parameters in PostgreSQL's binary form (array_send), which the server reads without
 * parsing. The driver sends a Buffer in binary form, but prints an array as text, with bytes in hex
 * digits: most of the time of an append.
 */
const OIDS = { bytea: 17, int8: 20, int4: 23, text: 25, uuid: 2950 } as const;
const HEADER_BYTES = 20;
const LENGTH_BYTES = 4;
const NULL_LENGTH = -1;
const UUID_BYTES = 16;
/** Most bytes that a UTF-16 unit needs in UTF-8. */
const UTF8_BYTES = 3;

/** One array. The elements are added in order, all in the form of its type. */
export class ArrayParam {
  readonly #oid: number;
  #buffer: Buffer;
  #used = HEADER_BYTES;
  #count = 0;
  #hasNull = false;

  /** @param bytes expected size of all elements */
  constructor(type: keyof typeof OIDS, bytes: number) {
    this.#oid = OIDS[type];
    this.#buffer = Buffer.allocUnsafe(HEADER_BYTES + bytes);
  }

  addNull(): void {
    this.#begin(0);
    this.#end(NULL_LENGTH, 0);
    this.#hasNull = true;
  }

  addText(text: string | null | undefined): void {
    if (text === null || text === undefined) return this.addNull();
    this.#begin(text.length * UTF8_BYTES);
    const length = this.#buffer.write(text, this.#used + LENGTH_BYTES, 'utf8');
    this.#end(length, length);
  }

  /** @param value an integer of 32 bits */
  addInt4(value: number | null): void {
    if (value === null) return this.addNull();
    this.#begin(4);
    this.#buffer.writeInt32BE(value, this.#used + LENGTH_BYTES);
    this.#end(4, 4);
  }

  /** @param value a safe integer */
  addInt8(value: number | null): void {
    if (value === null) return this.addNull();
    this.#begin(8);
    const high = Math.floor(value / 2 ** 32);
    this.#buffer.writeInt32BE(high, this.#used + LENGTH_BYTES);
    this.#buffer.writeUInt32BE(value - high * 2 ** 32, this.#used + LENGTH_BYTES + 4);
    this.#end(8, 8);
  }

  addBytes(bytes: Uint8Array): void {
    this.#begin(bytes.byteLength);
    this.#buffer.set(bytes, this.#used + LENGTH_BYTES);
    this.#end(bytes.byteLength, bytes.byteLength);
  }

  addHex(digits: string): void {
    this.#begin(digits.length / 2);
    const length = this.#buffer.write(digits, this.#used + LENGTH_BYTES, 'hex');
    this.#end(length, length);
  }

  addUuid(uuid: string): void {
    this.#begin(UUID_BYTES);
    this.#buffer.write(uuid.replaceAll('-', ''), this.#used + LENGTH_BYTES, 'hex');
    this.#end(UUID_BYTES, UUID_BYTES);
  }

  /** The parameter. Nothing can be added afterwards. */
  take(): Buffer {
    const buffer = this.#buffer;
    buffer.writeInt32BE(this.#count === 0 ? 0 : 1, 0);
    buffer.writeInt32BE(this.#hasNull ? 1 : 0, 4);
    buffer.writeInt32BE(this.#oid, 8);
    buffer.writeInt32BE(this.#count, 12);
    buffer.writeInt32BE(1, 16);
    // Without elements there is no dimension, so neither its length nor its lower bound.
    return buffer.subarray(0, this.#count === 0 ? 12 : this.#used);
  }

  /** Makes room for an element of at most this size. */
  #begin(bytes: number): void {
    const end = this.#used + LENGTH_BYTES + bytes;
    if (end <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(end, 2 * this.#buffer.length));
    larger.set(this.#buffer.subarray(0, this.#used));
    this.#buffer = larger;
  }

  #end(length: number, bytes: number): void {
    this.#buffer.writeInt32BE(length, this.#used);
    this.#used += LENGTH_BYTES + bytes;
    this.#count += 1;
  }
}
