import pg from 'pg';

/*
 * int8 and numeric become numbers: no count or position of the store reaches 2^53. Results arrive
 * as text, since `pg` reads binary ones as UTF-8.
 */
const INT8 = 20;
const NUMERIC = 1700;
const INT4_ARRAY = 1007;
const INT8_ARRAY = 1016;

/** How the values of rows arrive, for `types` of a client. */
export const ROW_VALUES: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text') => {
    if (oid === INT8 || oid === NUMERIC) return Number;
    return pg.types.getTypeParser(oid === INT8_ARRAY ? INT4_ARRAY : oid, format) as unknown;
  }) as typeof pg.types.getTypeParser,
};
